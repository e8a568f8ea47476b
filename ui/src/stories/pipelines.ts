// SPDX-License-Identifier: Apache-2.0
// The pipelines of the stories: `sonde up` with an OTLP exporter. In the partial one a back end is away: its queue is
// almost full, and records were lost.
import type { PipelineComponent, PipelineEdge, PipelinesAnswer } from '../api/types';

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
      queue: otlp ? { used: partial ? 31_200_000 : 262_144, capacity: 33_554_432 } : null, retries: otlp && partial ? 41 : 0,
      dropped: otlp && partial ? [{ signal: 'traces', reason: 'queue_full', count: 1800 }] : [] };
  });
  return { now: 1_780_000_000_000, range_s: 300, step_s: 5, components, edges };
}
