// SPDX-License-Identifier: Apache-2.0
// One time series chart over uPlot. Charts of a page share a crosshair; dragging zooms all through the URL; the last,
// unfinished step is drawn faded; a gap stays a gap; a click on the legend isolates a series.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useFrame } from '../parts/context';
import { clock } from '../parts/format';
import { shownTheme, subscribeTheme } from '../theme/theme';
import { token } from '../theme/colour';
import css from './charts.module.css';

export interface Line {
  name: string;
  colour: string;
  values: (number | null)[];
  fill?: boolean;
}

interface Props {
  title: string;
  time: number[];
  step: number;
  lines: Line[];
  format: (value: number | null) => string;
  zoom: [number, number] | null;
  onZoom: (zoom: [number, number] | null) => void;
  log?: boolean;
}

const last = (values: (number | null)[]) => values.slice(0, -1).findLast((v) => v !== null) ?? null;
const largest = (values: (number | null)[]) => values.reduce<number | null>((m, v) => (v !== null && (m === null || v > m) ? v : m), null);

export function TimeChart({ title, time, step, lines, format, zoom, onZoom, log }: Props) {
  const { utc } = useFrame();
  const theme = useSyncExternalStore(subscribeTheme, shownTheme);
  const [only, setOnly] = useState<string | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ format, onZoom, step });
  latest.current = { format, onZoom, step };
  const shape = lines.map((l) => `${l.name} ${l.colour}`).join() + only + theme + utc + log;

  // The chart is rebuilt only when its shape changes; figures flow into the one that is there.
  useEffect(() => {
    const element = host.current!;
    const colourOf = (name: string) => token(name);
    const grid = { stroke: token('line'), width: 1 };
    const axis = { stroke: token('muted'), grid, ticks: { show: false }, font: `12px ${token('sans')}` };
    const chart = new uPlot({
      width: Math.max(120, element.clientWidth), height: element.clientHeight || 184,
      legend: { show: false }, padding: [8, 4, 0, 0],
      tzDate: utc ? (ts) => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC') : undefined,
      cursor: { sync: { key: 'page' }, drag: { x: true, y: false, setScale: false }, y: false, points: { size: 6 } },
      scales: { x: { time: true }, y: { distr: log ? 3 : 1, range: log ? undefined : (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes: [
        { ...axis, size: 24, space: (_u, _i, min, max) => (max - min <= 150 ? 80 : 52), values: (_u, splits, _i, _s, incr) => splits.map((t) => clock(t * 1000, utc).slice(0, incr < 60 ? 8 : 5)) },
        { ...axis, size: 64, values: (_u, splits) => splits.map((v) => (v === null ? '' : latest.current.format(v))) },
      ],
      series: [{}, ...lines.map((line) => ({
        label: line.name, stroke: colourOf(line.colour), width: 1.5, points: { show: false }, spanGaps: false,
        fill: line.fill ? colourOf(line.colour) + '22' : undefined, show: only === null || only === line.name,
      }))],
      hooks: {
        setSelect: [(u) => {
          if (u.select.width > 4) {
            latest.current.onZoom([Math.round(u.posToVal(u.select.left, 'x')), Math.round(u.posToVal(u.select.left + u.select.width, 'x'))]);
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          }
        }],
        setCursor: [(u) => setAt(u.cursor.idx ?? null)],
        draw: [(u) => {
          const times = u.data[0];
          const end = times[times.length - 1];
          if (end === undefined || times.length < 2) return;
          const x = u.valToPos(end - latest.current.step, 'x', true);
          u.ctx.save();
          u.ctx.fillStyle = token('raised');
          u.ctx.globalAlpha = 0.7;
          if (x >= u.bbox.left) u.ctx.fillRect(x, u.bbox.top, u.bbox.left + u.bbox.width - x, u.bbox.height);
          u.ctx.restore();
        }],
      },
    }, [time, ...lines.map((l) => l.values)], element);
    plot.current = chart;
    const watch = new ResizeObserver(() => chart.setSize({ width: Math.max(120, element.clientWidth), height: element.clientHeight || 184 }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    const chart = plot.current;
    if (!chart) return;
    chart.setData([time, ...lines.map((l) => l.values)], false);
    chart.setScale('x', zoom ? { min: zoom[0], max: zoom[1] } : { min: time[0] ?? 0, max: time.at(-1) ?? 1 });
  });

  const words = lines.map((l) => `${l.name} last ${format(last(l.values))}, maximum ${format(largest(l.values))}`).join('; ');
  return (
    <figure className={css.figure}>
      <div className={css.caption}>
        <h2>{title}</h2>
        {lines.map((line) => (
          <button key={line.name} type="button" className={css.key} aria-pressed={only === line.name} title="Show only this"
            onClick={() => setOnly(only === line.name ? null : line.name)}>
            <span className={css.swatch} style={{ background: `var(--${line.colour})` }} />
            {line.name} {at !== null ? format(line.values[at] ?? null) : `${format(last(line.values))}, max ${format(largest(line.values))}`}
          </button>
        ))}
      </div>
      <div ref={host} className={css.plot} role="img" aria-label={`${title}: ${words}`} onDoubleClick={() => onZoom(null)} />
    </figure>
  );
}
