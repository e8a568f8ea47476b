// SPDX-License-Identifier: Apache-2.0
// Stories: `?story=loading|empty|full|partial|broken` answers every question from here, with fixed times, so that a
// screenshot is the same each day. Only the dev server and the mode `stories` hold this file.
import { ApiError, setFetcher } from '../api/client';
import type { Answers, MapAnswer as ServiceMap, Service, ServiceAnswer as ServicePage, ServicesAnswer as Services, StatusAnswer as Status } from '../api/types';

import { pipelines, tellTaps } from './pipelines';

const now = 1_780_000_000_000;
const wave = (i: number, seed: number) => 1 + 0.25 * Math.sin(i / 5 + seed) + 0.1 * Math.sin(i * 2.3 + seed * 7);

/** What a rate and shares come to in five minutes. */
function answers(rate: number, errors: number, refused = 0, method = 'GET', ok = '200'): { count: number; answers: Answers[] } {
  const count = Math.round(rate * 300);
  const [bad, no] = [Math.round(count * errors), Math.round(count * refused)];
  const rows = [{ code: ok, count: count - bad - no }, { code: '404', count: no }, { code: '500', count: bad }];
  return { count, answers: rows.filter((row) => row.count > 0).map((row) => ({ method, ...row })) };
}

type Seed = [name: string, language: string, rate: number, errors: number, p50: number];
const seeds: Seed[] = [
  ['gateway', 'nginx', 51.2, 0.004, 0.0041], ['orders', 'python', 27.4, 0.021, 0.0182], ['notifications', 'python', 10.9, 0, 0.0031],
  ['catalog', 'nodejs', 22.1, 0, 0.0034], ['inventory', 'go', 26.8, 0, 0.0012], ['payments', 'java', 11.3, 0.0412, 0.0423],
  ['pricing', 'php', 11.3, 0, 0.0009], ['reviews', 'ruby', 15.2, 0.0167, 0.0012], ['shipping', 'cpp', 10.9, 0, 0.0033]];

function service([name, language, rate, errors, p50]: Seed, i: number, partial: boolean): Service {
  const unknown = partial && (name === 'shipping' || name === 'pricing');
  return {
    name, namespace: 'shop', language: unknown ? 'unknown' : language, unit: name === 'gateway' ? 'nginx.service' : null,
    container: name === 'payments' ? '4f1c9e0b77d2a6c3e1b0' : null, instrumented_by: name === 'payments' ? 'opentelemetry' : '',
    ...answers(unknown ? 0 : rate, errors, name === 'catalog' ? 0.04 : 0),
    trust: name === 'notifications' ? 'none' : 'thread', instances: name === 'orders' ? 2 : 1, rate: unknown ? null : rate,
    error_share: unknown ? null : errors, p50: unknown ? null : p50, p95: unknown ? null : p50 * 4.6, p99: unknown ? null : p50 * 11,
    sparkline: Array.from({ length: 60 }, (_, n) => (unknown || (partial && n > 20 && n < 32) ? null : rate * wave(n, i) * (n === 59 ? 0.4 : 1))),
    last_seen: unknown ? now - 240_000 : now - 800,
  };
}

const services = (partial: boolean): Services => ({
  now, range_s: 300, step_s: 5, lost_events: partial ? 1204 : 0, services: seeds.map((seed, i) => service(seed, i, partial)) });

function page(name: string, partial: boolean): ServicePage {
  const seed = seeds.find(([n]) => n === name) ?? seeds[1]!;
  const steps = Array.from({ length: 60 }, (_, i) => i);
  const gap = (i: number) => partial && i > 20 && i < 32;
  const bad = (i: number) => (i > 38 ? 3.2 : 1);
  const values = (of: (i: number) => number) => steps.map((i) => (gap(i) ? null : of(i)));
  // [own, queue, payments, inventory, pricing, notifications]
  const split = ([own, queue, ...calls]: number[]) => {
    const total = own! + queue! + calls.reduce((sum, s) => sum + s, 0);
    return { total_s: total, queue_s: queue!, own_s: own!, callees: ['payments', 'inventory', 'pricing', 'notifications'].map((peer, i) => (
      { peer, seconds: calls[i]!, share: calls[i]! / total, calls: [3400, 5230, 3400, 3290][i]! })) };
  };
  return {
    now, range_s: 300, step_s: 5, service: service(seed, 1, partial && name === 'shipping'),
    series: { time: steps.map((i) => now - 300_000 + i * 5000), rate: values((i) => seed[2] * wave(i, 1) * (i === 59 ? 0.4 : 1)),
      errors: values((i) => seed[2] * seed[3] * bad(i) * wave(i, 2)), p50: values((i) => seed[4] * wave(i, 3)),
      p95: values((i) => seed[4] * 4.6 * bad(i) * wave(i, 4)), p99: values((i) => seed[4] * 11 * bad(i) * wave(i, 5)) },
    endpoints: [
      { method: 'POST', route: '/api/orders', ...answers(20.6, 0.028, 0.031, 'POST', '201'), queue_s: 3.9, rate: 20.6, error_share: 0.028, p50: 0.024, p95: 0.091, p99: 0.221, total_s: 281 },
      { method: 'GET', route: '/api/orders/{id}', ...answers(6.8, 0, 0.1), queue_s: 0.2, rate: 6.8, error_share: 0, p50: 0.0021, p95: 0.0064, p99: 0.012, total_s: 31 }],
    inbound: [{ peer: 'gateway', ...answers(27.4, 0.021, 0.04), rate: 27.4, error_share: 0.021, p95: 0.088 }],
    outbound: [
      { peer: 'payments', ...answers(11.3, 0.0412, 0, 'POST'), address: '127.0.0.1:18085', protocol: 'http', rate: 11.3, error_share: 0.0412, p95: 0.196 },
      { peer: 'inventory', ...answers(17.4, 0, 0, 'POST'), address: '127.0.0.1:18084', protocol: 'http', rate: 17.4, error_share: 0, p95: 0.0042 },
      { peer: 'pricing', ...answers(11.3, 0, 0, 'POST'), address: '127.0.0.1:18086', protocol: 'http', rate: 11.3, error_share: partial ? null : 0, p95: partial ? null : 0.0071 },
      { peer: '', ...answers(0.2, 0), address: '192.0.2.14:443', protocol: 'http', rate: 0.2, error_share: 0, p95: 0.31 }],
    time_spent: { ...split([61.4, 4.1, 204, 21.2, 14.9, 10.4]), queue_s: partial ? null : 4.1, baseline: partial ? null : split([58.2, 3.6, 41.8, 20.7, 14.1, 9.9]) },
    verdict: `${name}: 2.1 % errors, up from 0.1 %, since 14:02; 65 % of its time is spent in payments`,
  };
}

const calls: [string, string][] = [['loadgen', 'gateway'], ['gateway', 'orders'], ['gateway', 'catalog'], ['orders', 'inventory'], ['orders', 'pricing'],
  ['orders', 'payments'], ['orders', 'notifications'], ['payments', 'shipping'], ['catalog', 'inventory'], ['catalog', 'reviews']];

const map = (partial: boolean): ServiceMap => ({
  now, range_s: 300,
  nodes: [{ name: 'loadgen', language: 'python', kind: 'external' as const, count: 15360, rate: partial ? null : 51.2, error_share: 0, p95: null },
    ...services(partial).services.map(({ name, language, count, rate, error_share, p95 }) => ({ name, language, kind: 'service' as const, count, rate, error_share, p95 }))],
  edges: calls.map(([client, server]) => {
    const to = seeds.find(([n]) => n === server)!;
    const sum = answers(to[2] * 0.6, to[3], server === 'catalog' ? 0.04 : 0);
    return { client, server, protocol: 'http', rate: to[2] * 0.6, error_share: partial && server === 'pricing' ? null : to[3], p95: to[4] * 4.6, calls: sum.count, answers: sum.answers };
  }),
});

const emptyPage = (name: string): ServicePage => ({
  ...page(name, false), service: { ...service(seeds[1]!, 1, false), name, count: 0, answers: [], rate: 0, error_share: null, p50: null, p95: null, p99: null },
  endpoints: [], inbound: [], outbound: [], verdict: `${name}: no request in this range` });

export function tell() {
  const story = new URLSearchParams(location.search).get('story');
  if (!story) return;
  tellTaps(new URLSearchParams(location.search));
  setFetcher(async (path) => {
    if (story === 'loading') return new Promise(() => {});
    if (story === 'broken') throw new ApiError('The book of requests is not open', 'The exporter rollup is not part of any pipeline.', 'Add rollup to the exporters of service.pipelines.traces.', 503);
    const partial = story === 'partial';
    const [bare] = path.split('?');
    if (bare === '/status') {
      return { version: '0.1.0', uptime_s: 4000, lost_events: partial ? 1204 : 0, front_end: 'ebpf', series: 412, series_overflow: partial ? 18 : 0,
        spans_exported: 90210, warnings: [] } satisfies Status;
    }
    if (bare === '/services') return story === 'empty' ? { ...services(false), services: [] } : services(partial);
    if (bare === '/pipelines') return story === 'empty' ? { ...pipelines(false), components: [], edges: [] } : pipelines(partial);
    if (bare === '/map') return story === 'empty' ? { ...map(false), nodes: [], edges: [] } : map(partial);
    const name = decodeURIComponent(bare!.split('/')[2]!);
    return story === 'empty' ? emptyPage(name) : page(name, partial);
  });
}
