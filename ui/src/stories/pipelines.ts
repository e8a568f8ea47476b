// SPDX-License-Identifier: Apache-2.0
// The pipelines of the stories: `sonde up` with an OTLP exporter. In the partial one a back end is away: its queue is
// almost full, and records were lost.
import { ApiError } from '../api/client';
import { setTapSource } from '../api/tap';
import type { PipelineComponent, PipelineEdge, PipelinesAnswer } from '../api/types';

const now = 1_780_000_000_000;

type Flow = [from: string, to: string, pipeline: string, rate: number, bytes: number];
const flows: Flow[] = [
  ['receiver/ebpf', 'connector/span_metrics', 'traces', 412, 196_000], ['receiver/ebpf', 'connector/service_graph', 'traces', 412, 196_000],
  ['receiver/ebpf', 'exporter/rollup', 'traces', 412, 196_000], ['receiver/ebpf', 'processor/probabilistic_sampler@traces/otlp', 'traces/otlp', 412, 196_000],
  ['processor/probabilistic_sampler@traces/otlp', 'exporter/otlp_grpc', 'traces/otlp', 41.3, 19_700],
  ['receiver/ebpf', 'exporter/prometheus', 'metrics', 96.2, 31_000], ['connector/span_metrics', 'exporter/prometheus', 'metrics', 24.4, 9100],
  ['connector/service_graph', 'exporter/prometheus', 'metrics', 12.1, 4100], ['receiver/ebpf', 'exporter/otlp_grpc', 'metrics/otlp', 96.2, 31_000],
  ['connector/span_metrics', 'exporter/otlp_grpc', 'metrics/otlp', 24.4, 9100], ['connector/service_graph', 'exporter/otlp_grpc', 'metrics/otlp', 12.1, 4100]];

export function pipelines(partial: boolean): PipelinesAnswer {
  const edges: PipelineEdge[] = flows.map(([from, to, pipeline, rate, bytes], at) => {
    const signal = pipeline.split('/')[0]!;
    const errors = partial && to === 'exporter/otlp_grpc' && signal === 'traces' ? 1800 : 0;
    const young = partial && pipeline === 'metrics';
    return { from, to, pipeline, signal, items: Math.round(rate * 300), bytes: bytes * 300, errors, items_rate: young ? null : rate, bytes_rate: young ? null : bytes,
      errors_rate: errors / 300, trend: Array.from({ length: young ? 0 : 59 }, (_, i) => rate * (1 + 0.2 * Math.sin(i / 4 + at))) };
  });
  const keys = [...new Set([...flows.flatMap(([from, to]) => [from, to]), 'extension/console'])];
  const components = keys.map((key): PipelineComponent => {
    const [kind, id] = [key.slice(0, key.indexOf('/')) as PipelineComponent['kind'], key.slice(key.indexOf('/') + 1).replace(/@.*/, '')];
    const otlp = id === 'otlp_grpc';
    return { key, kind, id, type: id, pipelines: [...new Set(edges.filter((e) => e.from === key || e.to === key).map((e) => e.pipeline))],
      queue: otlp ? { used: partial ? 31_200_000 : 262_144, capacity: 33_554_432, oldest_s: partial ? 184 : 0 } : null, retries: otlp && partial ? 41 : 0,
      status: otlp && partial ? { state: 'recoverable_error', error: '127.0.0.1:4317: connection refused', since: now - 184_000 } : { state: 'ok', error: null, since: now - 4_000_000 },
      dropped: otlp && partial ? [{ signal: 'traces', reason: 'queue_full', count: 1800 }] : [] };
  });
  return { now, range_s: 300, step_s: 5, components, edges };
}

const span = (name: string, id: string) => `    scope
      name: "sonde"
      span
        trace_id: 0af7651916cd43dd8448eb211c80319c
        span_id: ${id}
        name: "${name}"
        kind: server
        start: 1780000000s
        end: 1780000000018200us
        http.request.method = "GET"
        http.response.status_code = 200
`;
const text = `traces\n  resource\n    service.name = "orders"\n${span('GET /api/orders/{id}', 'b7ad6b7169203331')}${span('POST /api/orders', '00f067aa0ba902b7')}`;

/** The taps of a story: `quiet=1` shows an edge that nothing passes, `tap=broken` one that cannot be opened. */
export function tellTaps(query: URLSearchParams) {
  setTapSource((_, on) => {
    if (query.get('tap') === 'broken') {
      on.failed(new ApiError('Too many watch already', '8 taps are open, the most there may be.', 'Close another one.', 429));
      return () => {};
    }
    on.open();
    if (query.get('quiet')) return () => {};
    for (const at of [2, 1, 0]) {
      on.batch({ time: now - at * 250, signal: 'traces', items: 103 - at, bytes: 48_800 + at, shown: at === 1 ? 103 - at : 2, cut: false,
        skipped_batches: at ? 0 : 12, skipped_items: at ? 0 : 1236, text });
    }
    return () => {};
  });
}
