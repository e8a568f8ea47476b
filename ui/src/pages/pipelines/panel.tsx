// SPDX-License-Identifier: Apache-2.0
// What is known of one component or one edge: how much passes, what waits, what was lost and why.
import type { PipelineComponent, PipelineEdge, PipelinesAnswer } from '../../api/types';
import { useFrame } from '../../parts/context';
import { ago, bytes, clock, count, duration, share } from '../../parts/format';
import { Dot, Sparkline } from '../../parts/marks';
import parts from '../../parts/parts.module.css';
import { hereWith, Link } from '../../router';
import css from './pipelines.module.css';
import { TapView } from './tap';
import { edgeId, fill, idOf, itemsOf, itemsRate, queueTrouble, signalColour, stateOf, troubleOf } from './words';

export const selecting = (id: string) => hereWith({ sel: id });

/** "failing since 14:02:11 (3 min ago)", and what it says. */
function State({ component, now }: { component: PipelineComponent; now: number }) {
  const { utc } = useFrame();
  const { error, since } = component.status;
  const tone = ['', css.warn, css.error][troubleOf(component)];
  return (
    <>
      <span className={tone}>{stateOf(component)}</span>
      {since !== null && <span className={parts.muted}> since {clock(since, utc)}, {ago(since, now)}</span>}
      {error && <span className={css.said}>{error}</span>}
    </>
  );
}

function Queue({ component }: { component: PipelineComponent }) {
  const full = fill(component)!;
  return (
    <>
      <span className={full >= queueTrouble ? css.warn : ''}>{share(full)} full, {count(component.queue!.used)} of {count(component.queue!.capacity)}</span>
      {!!component.queue!.oldest_s && <span className={parts.muted}>, the oldest waits for {duration(component.queue!.oldest_s)}</span>}
      <span className={`${parts.meter} ${full >= queueTrouble ? parts.meterFull : ''}`}><span style={{ width: `${Math.min(100, full * 100)}%` }} /></span>
    </>
  );
}

function Drops({ component }: { component: PipelineComponent }) {
  if (!component.dropped.length) return <p className={parts.muted}>It lost nothing since the start.</p>;
  return (
    <dl className={parts.facts}>
      {component.dropped.map((d) => [
        <dt key={d.signal + d.reason}>{d.reason.replaceAll('_', ' ')}</dt>,
        <dd key={d.signal + d.reason + '.'} className={css.warn}>{count(d.count)} {itemsOf(d.signal)} lost</dd>])}
    </dl>
  );
}

function Flows({ title, edges, side }: { title: string; edges: PipelineEdge[]; side: 'from' | 'to' }) {
  if (!edges.length) return null;
  return (
    <section className={css.section}>
      <h3>{title}</h3>
      <dl className={parts.facts}>
        {edges.map((e) => [
          <dt key={edgeId(e)}><Dot colour={signalColour(e.signal)} /> <Link to={selecting(edgeId(e))}>{idOf(e[side])}</Link></dt>,
          <dd key={edgeId(e) + '.'}>{itemsRate(e.items_rate, e.signal)}, {bytes(e.bytes_rate, '/s')}</dd>])}
      </dl>
    </section>
  );
}

function Component({ component, data }: { component: PipelineComponent; data: PipelinesAnswer }) {
  const full = fill(component);
  return (
    <>
      <dl className={parts.facts}>
        <dt>Kind</dt><dd>{component.kind} of type {component.type}</dd>
        <dt>Pipelines</dt><dd>{component.pipelines.join(', ') || 'none: it stands beside them'}</dd>
        <dt>Status</dt><dd><State component={component} now={data.now} /></dd>
        {full !== null && <><dt>Queue</dt><dd><Queue component={component} /></dd></>}
        {component.retries > 0 && <><dt>Retries</dt><dd>{count(component.retries)}</dd></>}
      </dl>
      <Flows title="Takes from" side="from" edges={data.edges.filter((e) => e.to === component.key)} />
      <Flows title="Gives to" side="to" edges={data.edges.filter((e) => e.from === component.key)} />
      {component.kind !== 'extension' && <section className={css.section}><h3>Losses</h3><Drops component={component} /></section>}
    </>
  );
}

function EdgeFacts({ edge, data }: { edge: PipelineEdge; data: PipelinesAnswer }) {
  const [source, target] = [edge.from, edge.to].map((key) => data.components.find((c) => c.key === key));
  return (
    <>
      <dl className={parts.facts}>
        <dt>Pipeline</dt><dd>{edge.pipeline}</dd>
        <dt>Signal</dt><dd><Dot colour={signalColour(edge.signal)} /> {edge.signal}</dd>
        <dt>Rate</dt><dd>{itemsRate(edge.items_rate, edge.signal)}</dd>
        <dt>Bytes</dt><dd>{bytes(edge.bytes_rate, '/s')}</dd>
        <dt>In this range</dt><dd>{count(edge.items)} {itemsOf(edge.signal)}, {bytes(edge.bytes)}</dd>
        {[source, target].map((c) => c && [<dt key={c.key}>{idOf(c.key)}</dt>, <dd key={c.key + '.'}><State component={c} now={data.now} /></dd>])}
        {target && fill(target) !== null && <><dt>Queue</dt><dd><Queue component={target} /></dd></>}
        <dt>Lost</dt><dd className={edge.errors ? css.warn : ''}>{count(edge.errors)}</dd>
      </dl>
      {edge.trend.length > 1 && <Sparkline values={[...edge.trend, null]} width={280} height={40} label={`${itemsOf(edge.signal)} a second`} />}
      {edge.errors > 0 && target && <section className={css.section}><h3>Why</h3><Drops component={target} /></section>}
      <TapView key={edgeId(edge)} edge={edge} />
    </>
  );
}

export function Panel({ id, data, close }: { id: string; data: PipelinesAnswer; close: () => void }) {
  const component = data.components.find((c) => c.key === id);
  const edge = data.edges.find((e) => edgeId(e) === id);
  if (!component && !edge) return null;
  return (
    <aside className={parts.panel} aria-label={component ? component.id : `${idOf(edge!.from)} to ${idOf(edge!.to)}`}>
      <div className={parts.panelHead}>
        <h2>{component ? component.id : <><Link to={selecting(edge!.from)}>{idOf(edge!.from)}</Link> → <Link to={selecting(edge!.to)}>{idOf(edge!.to)}</Link></>}</h2>
        <button type="button" className={`${parts.button} ${parts.spacer}`} onClick={close} aria-label="Close the panel">Close</button>
      </div>
      {component ? <Component component={component} data={data} /> : <EdgeFacts edge={edge!} data={data} />}
    </aside>
  );
}
