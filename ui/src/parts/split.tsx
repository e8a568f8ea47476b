// SPDX-License-Identifier: Apache-2.0
// A page and the panel beside it. The bar between them is dragged or moved by the arrow keys; its place is in the
// address, so that a shared link opens as it was left.
import { useRef, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { useQuery } from '../router';
import css from './parts.module.css';

const usual = 40;
const [least, most] = [20, 70];
const within = (width: number) => Math.min(most, Math.max(least, Math.round(width)));

export function Split({ panel, children }: { panel: ReactNode; children: ReactNode }) {
  const [query, setQuery] = useQuery();
  const frame = useRef<HTMLDivElement>(null);
  const given = Number(query.get('panel') ?? usual);
  const width = Number.isFinite(given) ? within(given) : usual;
  const put = (to: number) => setQuery({ panel: within(to) === usual ? null : String(within(to)) });

  if (!panel) return <div className={css.split}>{children}</div>;
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = frame.current!.getBoundingClientRect();
    put(((box.right - event.clientX) / box.width) * 100);
  };
  const key = (event: KeyboardEvent) => {
    const to = { ArrowLeft: width + 2, ArrowRight: width - 2, Home: most, End: least, Enter: usual }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    put(to);
  };
  return (
    <div ref={frame} className={`${css.split} ${css.withPanel}`} style={{ '--panel': `${width}%` } as CSSProperties}>
      {children}
      <div className={css.splitter} role="separator" tabIndex={0} aria-orientation="vertical" aria-label="Width of the panel" aria-valuenow={width}
        aria-valuemin={least} aria-valuemax={most} title="Drag, or use the arrow keys" onKeyDown={key} onDoubleClick={() => put(usual)}
        onPointerDown={(event) => {
          event.preventDefault();
          event.currentTarget.focus();
          event.currentTarget.setPointerCapture(event.pointerId);
        }} onPointerMove={drag} />
      {panel}
    </div>
  );
}
