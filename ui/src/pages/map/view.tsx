// SPDX-License-Identifier: Apache-2.0
// Who calls whom: which call fails, then the map left to right, with a panel for what is clicked.
import { useLive } from '../../api/client';
import type { MapAnswer as ServiceMap, MapEdge, MapNode } from '../../api/types';
import flow from '../../charts/flow.module.css';
import { Answers, refusedShare } from '../../parts/answers';
import { useFrame } from '../../parts/context';
import { count, duration, inTrouble, rate, share, unitFor } from '../../parts/format';
import { useKeys } from '../../parts/keys';
import { Language, ServiceName } from '../../parts/marks';
import parts from '../../parts/parts.module.css';
import { Split } from '../../parts/split';
import { Bone, Broken, Doubt, Empty, Loading, Stale } from '../../parts/states';
import { Table, type Column } from '../../parts/table';
import { go, hereWith, Link, servicePath, useQuery } from '../../router';
import { around, edgeId, Graph } from './graph';
import css from './map.module.css';

const crowd = 60;
const byTrouble = (a: MapEdge, b: MapEdge) => (b.error_share ?? -1) - (a.error_share ?? -1) || (b.p95 ?? -1) - (a.p95 ?? -1);

const selecting = (id: string) => hereWith({ sel: id, view: null });

function callColumns(edges: MapEdge[], narrow = false): Column<MapEdge>[] {
  const unit = unitFor(edges.map((e) => e.p95));
  const all: Column<MapEdge>[] = [
    { id: 'client', title: 'Caller', sort: (e) => e.client, cell: (e) => <ServiceName name={e.client} /> },
    { id: 'server', title: 'Callee', wide: true, sort: (e) => e.server, cell: (e) => <ServiceName name={e.server} /> },
    { id: 'calls', title: 'Calls', right: true, sort: (e) => e.calls, cell: (e) => <Link to={selecting(edgeId(e))}>{count(e.calls)}</Link> },
    { id: 'rate', title: 'Rate', right: true, sort: (e) => e.rate, cell: (e) => rate(e.rate) },
    { id: 'errors', title: 'Errors', right: true, hint: '5xx and no answer', sort: (e) => e.error_share, cell: (e) => <span className={inTrouble(e) ? parts.trouble : ''}>{share(e.error_share)}</span> },
    { id: 'refused', title: '4xx', right: true, hint: 'The caller asked for what is not there or not allowed', sort: (e) => refusedShare(e.answers), cell: (e) => share(refusedShare(e.answers)) },
    { id: 'p95', title: 'p95', right: true, sort: (e) => e.p95, cell: (e) => duration(e.p95, unit) },
    { id: 'answers', title: 'Answers', cell: (e) => <Answers rows={e.answers} methods /> },
  ];
  return narrow ? all.filter((c) => !['answers', 'refused', 'calls'].includes(c.id)) : all;
}

function Facts({ item }: { item: MapNode | MapEdge }) {
  return (
    <dl className={parts.facts}>
      {'calls' in item ? <><dt>Calls</dt><dd>{count(item.calls)}</dd></> : <><dt>Requests</dt><dd>{count(item.count)}</dd></>}
      <dt>Rate</dt><dd>{rate(item.rate)}</dd>
      <dt>Errors</dt><dd className={inTrouble(item) ? parts.trouble : ''}>{share(item.error_share)}</dd>
      {'answers' in item && <><dt>4xx</dt><dd>{share(refusedShare(item.answers))}</dd></>}
      <dt>p95</dt><dd>{duration(item.p95)}</dd>
      {'answers' in item && <><dt>Answers</dt><dd><Answers rows={item.answers} methods /></dd><dt>Protocol</dt><dd>{item.protocol}</dd></>}
    </dl>
  );
}

function Panel({ id, map, close }: { id: string; map: ServiceMap; close: () => void }) {
  const node = map.nodes.find((n) => n.name === id);
  const edge = map.edges.find((e) => edgeId(e) === id);
  if (!node && !edge) return null;
  const calls = node ? map.edges.filter((e) => e.client === id || e.server === id) : [];
  return (
    <aside className={parts.panel} aria-label={node ? id : `${edge!.client} to ${edge!.server}`}>
      <div className={parts.panelHead}>
        {node ? <><Language language={node.kind === 'external' ? 'external' : node.language} /><h2>{id}</h2></>
          : <h2><Link to={servicePath(edge!.client)}>{edge!.client}</Link> → <Link to={servicePath(edge!.server)}>{edge!.server}</Link></h2>}
        <button type="button" className={`${parts.button} ${parts.spacer}`} onClick={close} aria-label="Close the panel">Close</button>
      </div>
      <Facts item={(node ?? edge)!} />
      {node && node.kind !== 'external' && (
        <div className={parts.panelHead}>
          <Link to={servicePath(id)} className={parts.button}>Open its page</Link>
          <Link to={hereWith({ focus: id, sel: id })} className={parts.button}>Only its neighbours</Link>
        </div>
      )}
      {node && <Table name="panel" caption={`Calls of ${id}`} rows={calls} columns={callColumns(calls, true)} rowKey={edgeId} trouble={byTrouble} empty="No call is known." />}
    </aside>
  );
}

export default function MapPage() {
  const { range, paused, refreshMs } = useFrame();
  const [query, setQuery] = useQuery();
  const live = useLive<ServiceMap>(`/map?range=${range}`, 'map', refreshMs, paused);
  const map = live.data;
  const selected = query.get('sel');
  useKeys({ Escape: () => setQuery({ sel: null }) });

  if (live.error && !map) return <><h1>Map</h1><Broken error={live.error} retry={live.retry} /></>;
  if (!map) {
    return (
      <>
        <div className={css.title}><h1>Map</h1><p className={css.answer}><Bone width="16em" height="1em" /></p></div>
        <Loading what="the map"><div className={flow.canvas}><Bone width="100%" height="100%" /></div></Loading>
      </>
    );
  }
  if (!map.nodes.length) {
    return (
      <>
        <h1>Map</h1>
        <Empty title="No call has been seen yet" why={`The map draws itself from calls between services. In the last ${range} there were none.`} command="./dev demo start --load 20" />
      </>
    );
  }
  // A crowded map opens on its worst service; "all" shows the whole crowd to who asks for it.
  const asked = query.get('focus');
  const worst = map.nodes.toSorted((a, b) => (b.error_share ?? 0) - (a.error_share ?? 0) || (b.rate ?? 0) - (a.rate ?? 0))[0]!.name;
  const focus = asked === 'all' ? null : asked ?? (map.nodes.length > crowd ? worst : null);
  const known = focus !== null && map.nodes.some((n) => n.name === focus);
  const shown = known ? around(focus, map.nodes, map.edges) : map;
  const refused = map.edges.map((edge) => ({ edge, by: refusedShare(edge.answers) ?? 0 })).toSorted((a, b) => b.by - a.by)[0];
  const bad = map.edges.filter(inTrouble).toSorted(byTrouble);
  // A map does not fit a telephone: there it opens as its table.
  const table = (query.get('view') ?? (innerWidth <= 640 ? 'table' : 'map')) === 'table';
  const untold = map.nodes.filter((n) => n.rate === null).length;
  return (
    <>
      <Stale live={live} />
      {untold > 0 && <Doubt>{untold} {untold === 1 ? 'service was' : 'services were'} seen only by {untold === 1 ? 'its' : 'their'} callers; {untold === 1 ? 'its' : 'their'} own figures are unknown.</Doubt>}
      <div className={css.head}>
        <div className={css.title}>
          <h1>Map</h1>
          <p className={css.answer}>
            {bad.length ? <><Link to={selecting(edgeId(bad[0]!))}>{bad[0]!.client} → {bad[0]!.server}</Link>: <span className={css.bad}>{share(bad[0]!.error_share)} errors</span></>
              : `${map.edges.length} calls between ${map.nodes.length} services, none failing`}
          </p>
          {refused && refused.by >= 0.01 && <p className={parts.muted}>Most 4xx: <Link to={selecting(edgeId(refused.edge))}>{refused.edge.client} → {refused.edge.server}</Link>, {share(refused.by)} of its calls</p>}
        </div>
        {known && <button type="button" className={parts.button} onClick={() => setQuery({ focus: map.nodes.length > crowd ? 'all' : null }, true)}>Around {focus} · show all {map.nodes.length}</button>}
        <div className={parts.group} role="group" aria-label="Show as">
          <button type="button" className={parts.button} aria-pressed={!table} onClick={() => setQuery({ view: 'map' }, true)}>Map</button>
          <button type="button" className={parts.button} aria-pressed={table} onClick={() => setQuery({ view: 'table' }, true)}>Table</button>
        </div>
      </div>
      <Split panel={selected && !table ? <Panel id={selected} map={map} close={() => setQuery({ sel: null })} /> : null}>
        {table ? <Table name="calls" caption="Calls" rows={shown.edges} columns={callColumns(shown.edges)} rowKey={edgeId} trouble={byTrouble} walk
          open={(e) => go(servicePath(e.server))} />
          : <Graph nodes={shown.nodes} edges={shown.edges} selected={selected} select={(sel) => setQuery({ sel })}
            open={(name) => map.nodes.some((n) => n.name === name && n.kind !== 'external') && go(servicePath(name))} />}
      </Split>
    </>
  );
}
