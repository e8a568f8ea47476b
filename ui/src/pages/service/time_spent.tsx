// SPDX-License-Identifier: Apache-2.0
// Where its time goes: waiting before it began, its own work, and each service it waited for, as one bar and one table.
import type { Callee, ServiceAnswer as ServicePage, TimeSplit } from '../../api/types';
import { count, duration, share, unitFor } from '../../parts/format';
import { Dot, ServiceName, StackedBar, type Part } from '../../parts/marks';
import { Table, type Column } from '../../parts/table';
import { coloursOf } from '../../theme/colour';
import css from './service.module.css';

/** More callees than the palette has colours are shown as others. */
const most = 8;

interface Row {
  name: string;
  peer: string | null;
  seconds: number | null;
  /** Of the whole. Those of callees are scaled where calls ran side by side, so that all sum to one. */
  part: number | null;
  calls: number | null;
  colour: string;
  before: number | null;
}

const partOf = (seconds: number | null | undefined, split: TimeSplit | null) =>
  split && split.total_s > 0 && seconds != null ? seconds / split.total_s : null;

export function TimeSpent({ data }: { data: ServicePage }) {
  const split = data.time_spent;
  const base = split.baseline;
  const shown = split.callees.length > most ? split.callees.slice(0, most - 1) : split.callees;
  const rest = split.callees.slice(shown.length);
  const colours = coloursOf(shown.map((c) => c.peer));
  const sumOf = (callees: Callee[]) => callees.reduce((sum, c) => sum + c.share, 0);
  const before = (callees: Callee[]) => (base ? sumOf(callees.flatMap((c) => base.callees.find((b) => b.peer === c.peer) ?? [])) : null);
  const rows: Row[] = [
    { name: 'Own work', peer: null, seconds: split.own_s, part: partOf(split.own_s, split), calls: null, colour: 'var(--accent)', before: partOf(base?.own_s, base) },
    ...shown.map((c) => ({ name: c.peer, peer: c.peer, seconds: c.seconds, part: c.share, calls: c.calls, colour: colours.get(c.peer)!, before: before([c]) })),
    ...(rest.length ? [{ name: `${rest.length} others`, peer: null, seconds: rest.reduce((sum, c) => sum + c.seconds, 0), part: sumOf(rest),
      calls: rest.reduce((sum, c) => sum + c.calls, 0), colour: 'var(--line-strong)', before: before(rest) }] : []),
    { name: 'Waiting to begin', peer: null, seconds: split.queue_s, part: partOf(split.queue_s, split), calls: null, colour: 'var(--faint)', before: partOf(base?.queue_s, base) },
  ];
  const unit = unitFor(rows.map((r) => r.seconds));
  const bar: Part[] = rows.map((r) => ({ name: r.name, value: r.part ?? 0, colour: r.colour, text: share(r.part) }));
  const columns: Column<Row>[] = [
    { id: 'what', title: 'Part', wide: true, cell: (r) => (
      <span style={{ display: 'inline-flex', alignItems: 'center', gap: 'var(--s2)' }}><Dot colour={r.colour} />{r.peer ? <ServiceName name={r.peer} /> : r.name}</span>) },
    { id: 'share', title: 'Share', right: true, sort: (r) => r.part, cell: (r) => {
      const grown = r.part !== null && r.before !== null && r.part - r.before > 0.1;
      return <span className={grown ? css.more : ''} title={grown ? 'Much more than in the range before' : undefined}>{grown ? '▲ ' : ''}{share(r.part)}</span>;
    } },
    { id: 'before', title: 'Before', right: true, sort: (r) => r.before, cell: (r) => <span className={css.note}>{share(r.before)}</span> },
    { id: 'time', title: 'Time', right: true, sort: (r) => r.seconds, cell: (r) => duration(r.seconds, unit) },
    { id: 'calls', title: 'Calls', right: true, sort: (r) => r.calls, cell: (r) => count(r.calls) },
  ];
  return (
    <section className={css.section}>
      <h2>Where its time goes</h2>
      <StackedBar parts={bar} label="Where its time goes" />
      <Table name="spent" caption="Where its time goes" rows={rows} columns={columns} rowKey={(r) => r.name}
        trouble={(a, b) => (b.part ?? -1) - (a.part ?? -1)} />
      <p className={css.note}>
        Of {duration(split.total_s)} spent on requests in this range{base ? '; before is the range before it.' : '; nothing is known of the range before.'}
        {' '}Calls made side by side share the time they took together.
      </p>
    </section>
  );
}
