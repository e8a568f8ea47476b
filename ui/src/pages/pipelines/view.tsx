// SPDX-License-Identifier: Apache-2.0
// What Sonde itself does with the data: whether any is lost, then the graph of components with what passes each edge.
import { useLive } from '../../api/client';
import type { PipelineComponent, PipelineEdge, PipelinesAnswer } from '../../api/types';
import flow from '../../charts/flow.module.css';
import { useFrame } from '../../parts/context';
import { bytes, clock, count, share } from '../../parts/format';
import { useKeys } from '../../parts/keys';
import { Dot, Sparkline } from '../../parts/marks';
import parts from '../../parts/parts.module.css';
import { Split } from '../../parts/split';
import { Bone, Broken, Empty, Loading, Stale } from '../../parts/states';
import { Table, type Column } from '../../parts/table';
import { Link, useQuery } from '../../router';
import { Graph } from './graph';
import { Panel, selecting } from './panel';
import css from './pipelines.module.css';
import { byTrouble, edgeId, fill, idOf, itemsOf, itemsRate, queueTrouble, signalColour, signals, stateOf, troubleOf } from './words';

const lostOf = (c: PipelineComponent) => c.dropped.reduce((sum, d) => sum + d.count, 0);

/** Loss now, then a component that fails, then loss since the start, then a queue that fills, then how much arrives. */
function Answer({ data }: { data: PipelinesAnswer }) {
  const { utc } = useFrame();
  const losing = data.edges.filter((e) => e.errors > 0).toSorted(byTrouble)[0];
  if (losing) {
    const reason = data.components.find((c) => c.key === losing.to)?.dropped.find((d) => d.signal === losing.signal)?.reason;
    return <p className={css.answer}><Link to={selecting(losing.to)}>{idOf(losing.to)}</Link>: <span className={css.warn}>{count(losing.errors)} {itemsOf(losing.signal)} lost</span>{reason && `, ${reason.replaceAll('_', ' ')}`}</p>;
  }
  const failing = data.components.filter((c) => troubleOf(c)).toSorted((a, b) => troubleOf(b) - troubleOf(a) || a.status.since! - b.status.since!)[0];
  if (failing) {
    return <p className={css.answer}><Link to={selecting(failing.key)}>{failing.id}</Link> is <span className={troubleOf(failing) === 2 ? css.error : css.warn}>{stateOf(failing)}</span> since {clock(failing.status.since!, utc)}</p>;
  }
  const filling = data.components.filter((c) => (fill(c) ?? 0) >= queueTrouble).toSorted((a, b) => fill(b)! - fill(a)!)[0];
  if (filling) return <p className={css.answer}>The queue of <Link to={selecting(filling.key)}>{filling.id}</Link> is <span className={css.warn}>{share(fill(filling))} full</span></p>;
  const before = data.components.reduce((sum, c) => sum + lostOf(c), 0);
  const sources = data.components.filter((c) => c.kind === 'receiver').flatMap((c) => signals.map((s) => data.edges.find((e) => e.from === c.key && e.signal === s)));
  const rates = signals.map((signal) => [signal, sources.filter((e): e is PipelineEdge => e?.signal === signal)] as const).filter(([, all]) => all.length)
    .map(([signal, all]) => itemsRate(all.some((e) => e.items_rate === null) ? null : all.reduce((sum, e) => sum + e.items_rate!, 0), signal));
  return <p className={css.answer}>{before ? `Nothing lost in this range, ${count(before)} since the start` : 'Nothing is lost'}; {rates.join(' and ')} come in</p>;
}

const edgeColumns: Column<PipelineEdge>[] = [
  { id: 'from', title: 'From', sort: (e) => e.from, cell: (e) => <Link to={selecting(e.from)}>{idOf(e.from)}</Link> },
  { id: 'to', title: 'To', sort: (e) => e.to, cell: (e) => <Link to={selecting(e.to)}>{idOf(e.to)}</Link> },
  { id: 'pipeline', title: 'Pipeline', wide: true, roomy: true, sort: (e) => e.pipeline, cell: (e) => <span className={parts.named}><Dot colour={signalColour(e.signal)} />{e.pipeline}</span> },
  { id: 'trend', title: 'Trend', roomy: true, cell: (e) => <Sparkline values={[...e.trend, null]} label={`${itemsOf(e.signal)} a second`} /> },
  { id: 'items', title: 'Items', right: true, roomy: true, sort: (e) => e.items, cell: (e) => <Link to={selecting(edgeId(e))}>{count(e.items)}</Link> },
  { id: 'rate', title: 'Rate', right: true, sort: (e) => e.items_rate, cell: (e) => itemsRate(e.items_rate, e.signal) },
  { id: 'bytes', title: 'Bytes', right: true, sort: (e) => e.bytes_rate, cell: (e) => bytes(e.bytes_rate, '/s') },
  { id: 'lost', title: 'Lost', right: true, sort: (e) => e.errors, cell: (e) => <span className={e.errors ? css.warn : ''}>{count(e.errors)}</span> },
];
const componentColumns: Column<PipelineComponent>[] = [
  { id: 'id', title: 'Component', sort: (c) => c.id, cell: (c) => <Link to={selecting(c.key)}>{c.id}</Link> },
  { id: 'kind', title: 'Kind', sort: (c) => c.kind, cell: (c) => c.kind },
  { id: 'status', title: 'Status', sort: troubleOf, cell: (c) => <span className={['', css.warn, css.error][troubleOf(c)]} title={c.status.error ?? undefined}>{stateOf(c)}</span> },
  { id: 'pipelines', title: 'Pipelines', wide: true, roomy: true, cell: (c) => c.pipelines.join(', ') || '–' },
  { id: 'queue', title: 'Queue', right: true, sort: fill, cell: (c) => <span className={(fill(c) ?? 0) >= queueTrouble ? css.warn : ''}>{share(fill(c))}</span> },
  { id: 'retries', title: 'Retries', right: true, sort: (c) => c.retries, cell: (c) => (c.kind === 'exporter' ? count(c.retries) : '–') },
  { id: 'lost', title: 'Lost', right: true, sort: lostOf, cell: (c) => (c.kind === 'extension' ? '–' : <span className={lostOf(c) ? css.warn : ''}>{count(lostOf(c))}</span>) },
];

export default function PipelinesPage() {
  const { range, paused, refreshMs } = useFrame();
  const [query, setQuery] = useQuery();
  const live = useLive<PipelinesAnswer>(`/pipelines?range=${range}`, 'pipelines', refreshMs, paused);
  useKeys({ Escape: () => setQuery({ sel: null }) });
  const data = live.data;

  if (live.error && !data) return <><h1>Pipelines</h1><Broken error={live.error} retry={live.retry} /></>;
  if (!data) {
    return (
      <>
        <div className={css.title}><h1>Pipelines</h1><p className={css.answer}><Bone width="16em" height="1em" /></p></div>
        <Loading what="the pipelines"><div className={flow.canvas}><Bone width="100%" height="100%" /></div></Loading>
      </>
    );
  }
  if (!data.edges.length) {
    return (
      <>
        <h1>Pipelines</h1>
        <Empty title="No pipeline runs" why="The configuration joins no receiver to an exporter. The one of sonde up is a place to start from."
          command="sonde print-config up" />
      </>
    );
  }
  const selected = query.get('sel');
  const pipelines = [...new Set(data.edges.map((e) => e.pipeline))].sort((a, b) => signals.indexOf(a.split('/')[0]!) - signals.indexOf(b.split('/')[0]!) || a.localeCompare(b));
  const asked = query.get('pipeline');
  const only = asked && pipelines.includes(asked) ? asked : null;
  const edges = only ? data.edges.filter((e) => e.pipeline === only) : data.edges;
  const joined = new Set(edges.flatMap((e) => [e.from, e.to]));
  const components = data.components.filter((c) => (only ? joined.has(c.key) : c.kind !== 'extension'));
  const table = (query.get('view') ?? (innerWidth <= 640 ? 'table' : 'graph')) === 'table';
  return (
    <>
      <Stale live={live} />
      <div className={css.head}>
        <div className={css.title}><h1>Pipelines</h1><Answer data={data} /></div>
        {pipelines.length > 1 && (
          <div className={parts.group} role="group" aria-label="Pipeline">
            <button type="button" className={parts.button} aria-pressed={!only} onClick={() => setQuery({ pipeline: null }, true)}>All</button>
            {pipelines.map((p) => (
              <button key={p} type="button" className={parts.button} aria-pressed={only === p} onClick={() => setQuery({ pipeline: p }, true)}>
                <Dot colour={signalColour(p.split('/')[0]!)} />{p}</button>))}
          </div>
        )}
        <div className={parts.group} role="group" aria-label="Show as">
          <button type="button" className={parts.button} aria-pressed={!table} onClick={() => setQuery({ view: 'graph' }, true)}>Graph</button>
          <button type="button" className={parts.button} aria-pressed={table} onClick={() => setQuery({ view: 'table' }, true)}>Table</button>
        </div>
      </div>
      <Split panel={selected && <Panel id={selected} data={data} close={() => setQuery({ sel: null })} />}>
        {table ? (
          <div className={css.tables}>
            <section className={css.section}>
              <h2>Edges</h2>
              <Table name="edges" caption="Edges" rows={edges} columns={edgeColumns} rowKey={edgeId} trouble={byTrouble} open={(e) => setQuery({ sel: edgeId(e) })} />
            </section>
            <section className={css.section}>
              <h2>Components</h2>
              <Table name="components" caption="Components" rows={only ? components : data.components} columns={componentColumns} rowKey={(c) => c.key}
                trouble={(a, b) => troubleOf(b) - troubleOf(a) || lostOf(b) - lostOf(a) || (fill(b) ?? -1) - (fill(a) ?? -1)} open={(c) => setQuery({ sel: c.key })} />
            </section>
          </div>
        ) : <Graph components={components} edges={edges} selected={selected} select={(sel) => setQuery({ sel })} />}
      </Split>
    </>
  );
}
