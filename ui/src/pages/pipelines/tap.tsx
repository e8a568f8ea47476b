// SPDX-License-Identifier: Apache-2.0
// The live tap of an edge: the first records of a few of the batches that pass, as text, the newest on top.
import { useState } from 'react';
import { useTap, type Tap } from '../../api/tap';
import type { PipelineEdge, TapBatch } from '../../api/types';
import { useFrame } from '../../parts/context';
import { bytes, clock, count } from '../../parts/format';
import parts from '../../parts/parts.module.css';
import css from './pipelines.module.css';
import { edgeId, itemsOf } from './words';

function Batch({ batch, utc }: { batch: TapBatch; utc: boolean }) {
  const items = itemsOf(batch.signal);
  return (
    <li className={css.batch}>
      <p className={css.batchHead}>
        <time dateTime={new Date(batch.time).toISOString()}>{clock(batch.time, utc)}</time>
        <span>{count(batch.items)} {items}, {bytes(batch.bytes)}</span>
        {(batch.shown < batch.items || batch.cut) && <span className={parts.muted}>the first {count(batch.shown)}{batch.cut && ', cut'}</span>}
        {batch.skipped_batches > 0 && <span className={parts.muted}>{count(batch.skipped_batches)} batches with {count(batch.skipped_items)} {items} before it not shown</span>}
      </p>
      <pre className={css.batchText} tabIndex={0}>{batch.text}</pre>
    </li>
  );
}

function State({ tap, edge, paused }: { tap: Tap; edge: PipelineEdge; paused: boolean }) {
  if (tap.state === 'gone') return <p className={css.warn}>This edge runs no more: the configuration has changed.</p>;
  if (tap.state === 'failed') return <p className={`${parts.notice} ${parts.noticeError}`} role="alert">{tap.error!.what}. {tap.error!.why} {tap.error!.advice}</p>;
  if (paused) return <p className={parts.muted}>{tap.batches.length ? 'Paused.' : 'Paused. Nothing is read from the edge.'}</p>;
  if (tap.batches.length) return null;
  return <p className={parts.muted}>{tap.state === 'opening' ? 'Opening the tap…' : `No ${itemsOf(edge.signal)} pass now. They are shown when they come.`}</p>;
}

export function TapView({ edge }: { edge: PipelineEdge }) {
  const [paused, setPaused] = useState(false);
  const { utc } = useFrame();
  const tap = useTap(edgeId(edge), paused);
  return (
    <section className={css.section} aria-label="Live tap">
      <div className={parts.panelHead}>
        <h3>Live tap</h3>
        <button type="button" className={`${parts.button} ${parts.spacer}`} aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? 'Go on' : 'Pause'}</button>
      </div>
      <State tap={tap} edge={edge} paused={paused} />
      <ol className={css.batches}>
        {tap.batches.map((batch) => <Batch key={`${batch.time} ${batch.items} ${batch.bytes}`} batch={batch} utc={utc} />)}
      </ol>
    </section>
  );
}
