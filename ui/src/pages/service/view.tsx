// SPDX-License-Identifier: Apache-2.0
// One service: what is wrong with it, since when, and in which of its parts the time goes.
import { useMemo } from 'react';
import { useLive } from '../../api/client';
import type { Endpoint, Inbound, Outbound, ServiceAnswer as ServicePage } from '../../api/types';
import { TimeChart } from '../../charts/time_chart';
import { Answers, refusedShare } from '../../parts/answers';
import { useFrame } from '../../parts/context';
import { ago, containerName, count, digits, duration, inTrouble, rate, share, unitFor, unknown } from '../../parts/format';
import { Language, ServiceName } from '../../parts/marks';
import parts from '../../parts/parts.module.css';
import { Bone, Broken, Empty, Loading, Stale } from '../../parts/states';
import { Table, type Column } from '../../parts/table';
import { go, hrefOf, Link, servicePath, useQuery } from '../../router';
import css from './service.module.css';
import { TimeSpent } from './time_spent';

const errorCell = (row: { error_share: number | null }) => <span className={inTrouble(row) ? parts.trouble : ''}>{share(row.error_share)}</span>;
const byErrors = (a: { error_share: number | null; p95: number | null }, b: { error_share: number | null; p95: number | null }) =>
  Number(inTrouble(b)) - Number(inTrouble(a)) || (inTrouble(a) ? (b.error_share ?? 0) - (a.error_share ?? 0) : 0) || (b.p95 ?? -1) - (a.p95 ?? -1);

const waitOf = (row: { queue_s: number | null; count: number }) => (row.queue_s === null || !row.count ? null : row.queue_s / row.count);

function peerColumns<Row extends Inbound | Outbound>(rows: Row[], title: string): Column<Row>[] {
  const unit = unitFor(rows.map((r) => r.p95));
  return [
    { id: 'peer', title, wide: true, sort: (r) => r.peer, cell: (r) => (r.peer ? <ServiceName name={r.peer} /> : <span>{'address' in r ? r.address : 'Unknown'}</span>) },
    { id: 'count', title: 'Calls', right: true, sort: (r) => r.count, cell: (r) => count(r.count) },
    { id: 'rate', title: 'Rate', right: true, sort: (r) => r.rate, cell: (r) => rate(r.rate) },
    { id: 'errors', title: 'Errors', right: true, hint: '5xx and no answer', sort: (r) => r.error_share, cell: errorCell },
    { id: 'p95', title: 'p95', right: true, sort: (r) => r.p95, cell: (r) => duration(r.p95, unit) },
    { id: 'answers', title: 'Answers', cell: (r) => <Answers rows={r.answers} methods /> },
  ];
}

const trustOf = (trust: string): [string, string] => (trust === 'thread'
  ? ['traces joined by thread', 'A thread does one request at a time, so a call belongs to the request of its thread']
  : ['traces end here', 'Its threads do several requests at once, so a call cannot be tied to the request that caused it: a new trace begins with each']);

function Facts({ data }: { data: ServicePage }) {
  const s = data.service;
  return (
    <>
      {s.namespace && <span className={parts.chip}>{s.namespace}</span>}
      {s.unit && <span className={parts.chip} title="systemd unit">{s.unit}</span>}
      {s.container && <span className={parts.chip} title={`Container ${s.container}`}>container {containerName(s.container)}</span>}
      <span className={parts.chip}>{s.instances} {s.instances === 1 ? 'instance' : 'instances'}</span>
      {s.instrumented_by && <span className={parts.chip} title="Another agent or an SDK reports of it as well">also instrumented by {s.instrumented_by}</span>}
      {s.trust && <span className={parts.chip} title={trustOf(s.trust)[1]}>{trustOf(s.trust)[0]}</span>}
      <span className={parts.chip}>seen {ago(s.last_seen, data.now)}</span>
    </>
  );
}

export default function ServicePageView({ name }: { name: string }) {
  const { range, paused, refreshMs } = useFrame();
  const [query, setQuery] = useQuery();
  const live = useLive<ServicePage>(`/services/${encodeURIComponent(name)}?range=${range}`, name, refreshMs, paused);
  const data = live.data;
  const log = query.get('scale') === 'log';
  const zoom = useMemo((): [number, number] | null => {
    const [from, to] = (query.get('zoom') ?? '').split('-').map(Number);
    return from && to && to > from ? [from, to] : null;
  }, [query.get('zoom')]);
  const onZoom = (z: [number, number] | null) => setQuery({ zoom: z ? `${z[0]}-${z[1]}` : null }, true);

  const endpointColumns = useMemo((): Column<Endpoint>[] => {
    const all = data?.endpoints ?? [];
    const unit = unitFor(all.flatMap((e) => [e.p50, e.p95]));
    const total = all.reduce((sum, e) => sum + (e.total_s ?? 0), 0);
    return [
      { id: 'route', title: 'Endpoint', wide: true, sort: (e) => e.route, cell: (e) => <code>{e.method} {e.route}</code> },
      { id: 'count', title: 'Requests', right: true, sort: (e) => e.count, cell: (e) => count(e.count) },
      { id: 'rate', title: 'Rate', right: true, sort: (e) => e.rate, cell: (e) => rate(e.rate) },
      { id: 'errors', title: 'Errors', right: true, hint: '5xx and no answer', sort: (e) => e.error_share, cell: errorCell },
      { id: 'p50', title: 'p50', right: true, sort: (e) => e.p50, cell: (e) => duration(e.p50, unit) },
      { id: 'p95', title: 'p95', right: true, sort: (e) => e.p95, cell: (e) => duration(e.p95, unit) },
      { id: 'p99', title: 'p99', right: true, sort: (e) => e.p99, cell: (e) => duration(e.p99, unit) },
      { id: 'queue', title: 'Wait', right: true, hint: 'Mean time from arrival until the process read the request', sort: waitOf, cell: (e) => duration(waitOf(e), unit) },
      { id: 'total', title: 'Of its time', right: true, sort: (e) => e.total_s, cell: (e) => share(total > 0 && e.total_s !== null ? e.total_s / total : null) },
      { id: 'answers', title: 'Answers', cell: (e) => <Answers rows={e.answers} /> },
    ];
  }, [data]);

  if (live.error && !data) return <><h1>{name}</h1><Broken error={live.error} retry={live.retry} /></>;
  if (!data) {
    return (
      <>
        <div className={css.head}><h1>{name}</h1><p className={css.answer}><Bone width="20em" height="1em" /></p></div>
        <Loading what={name}>
          <div className={css.charts}>{[0, 1, 2].map((i) => <Bone key={i} width="100%" height={238} />)}</div>
        </Loading>
      </>
    );
  }
  const s = data.service;
  const time = data.series.time.map((ms) => ms / 1000);
  const chart = { time, step: data.step_s, zoom, onZoom };
  const latencyUnit = unitFor(data.series.p95);
  const quiet = !data.endpoints.length && !data.outbound.length && !s.rate;
  return (
    <>
      <Stale live={live} />
      <div className={css.head}>
        <div className={css.name}><Language language={s.language} /><h1>{name}</h1><Facts data={data} /></div>
        <p className={css.answer}>{data.verdict}</p>
        <dl className={css.figures}>
          <div><dt>Requests</dt><dd>{count(s.count)}</dd></div>
          <div><dt>Rate</dt><dd>{rate(s.rate)}</dd></div>
          <div><dt>Errors</dt><dd className={inTrouble(s) ? parts.trouble : ''}>{share(s.error_share)}</dd></div>
          <div><dt>4xx</dt><dd>{share(refusedShare(s.answers))}</dd></div>
          <div><dt>p50</dt><dd>{duration(s.p50)}</dd></div>
          <div><dt>p95</dt><dd>{duration(s.p95)}</dd></div>
          <div><dt>p99</dt><dd>{duration(s.p99)}</dd></div>
          <div title="Mean time from arrival until the process read the request"><dt>Wait</dt><dd>{duration(waitOf({ queue_s: data.time_spent.queue_s, count: s.count }))}</dd></div>
        </dl>
      </div>
      {quiet ? (
        <Empty title={`${name} has answered nothing in the last ${range}`} why="It was seen before, so Sonde keeps its page. A longer range may show more."
          command={`curl -s '${location.origin}${hrefOf('/api/v1' + servicePath(name) + '?range=15m')}'`} />
      ) : (
        <>
          <div className={css.chartHead}>
            <button type="button" className={parts.button} aria-pressed={log} onClick={() => setQuery({ scale: log ? null : 'log' })}>Log latency</button>
            {zoom && <button type="button" className={parts.button} onClick={() => onZoom(null)}>Whole range</button>}
            <Link to={`/map?focus=${encodeURIComponent(name)}`} className={parts.button}>Show on the map</Link>
          </div>
          <div className={css.charts}>
            <TimeChart {...chart} title="Rate" lines={[{ name: 'requests', colour: 'accent', values: data.series.rate, fill: true }]} format={rate} />
            <TimeChart {...chart} title="Errors" lines={[{ name: 'errors', colour: 'error', values: data.series.errors, fill: true }]} format={rate} />
            <TimeChart {...chart} title="Latency" log={log} format={(v) => (v === null ? unknown : `${digits(v / latencyUnit.seconds)} ${latencyUnit.name}`)}
              lines={[{ name: 'p99', colour: 'latency-99', values: data.series.p99 }, { name: 'p95', colour: 'latency-95', values: data.series.p95 },
                { name: 'p50', colour: 'latency-50', values: data.series.p50 }]} />
          </div>
          <section className={css.section}>
            <h2>Endpoints</h2>
            <Table name="endpoints" caption="Endpoints" rows={data.endpoints} columns={endpointColumns} rowKey={(e) => `${e.method} ${e.route}`} trouble={byErrors}
              empty="It answered no request in this range." />
          </section>
          <div className={css.pair}>
            <TimeSpent data={data} />
            <div className={css.peers}>
              <section className={css.section}>
                <h2>Who calls it</h2>
                <Table name="inbound" caption="Who calls it" rows={data.inbound} columns={peerColumns(data.inbound, 'Caller')} rowKey={(p) => p.peer} trouble={byErrors}
                  open={(p) => p.peer && go(servicePath(p.peer))} empty="No caller is known." />
              </section>
              <section className={css.section}>
                <h2>Whom it calls</h2>
                <Table name="outbound" caption="Whom it calls" rows={data.outbound} columns={peerColumns(data.outbound, 'Callee')} rowKey={(p) => `${p.peer} ${p.address}`}
                  trouble={byErrors} open={(p) => p.peer && go(servicePath(p.peer))} empty="It calls nobody." />
              </section>
            </div>
          </div>
        </>
      )}
    </>
  );
}
