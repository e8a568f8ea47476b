// SPDX-License-Identifier: Apache-2.0
// The inventory: which service is in trouble, then every service with its rate, errors and latency.
import { useMemo, useRef } from 'react';
import { useLive } from '../../api/client';
import type { Service, ServicesAnswer as Services } from '../../api/types';
import { refusedShare } from '../../parts/answers';
import { useFrame } from '../../parts/context';
import { ago, clock, containerName, count, duration, inTrouble, rate, share, unitFor, unknown } from '../../parts/format';
import { useKeys } from '../../parts/keys';
import { ServiceName, Sparkline } from '../../parts/marks';
import parts from '../../parts/parts.module.css';
import { Bone, Broken, Empty, Loading, Stale } from '../../parts/states';
import { Table, type Column } from '../../parts/table';
import { go, Link, servicePath, useQuery } from '../../router';
import css from './services.module.css';

const byTrouble = (a: Service, b: Service) =>
  Number(inTrouble(b)) - Number(inTrouble(a)) ||
  (inTrouble(a) ? (b.error_share ?? 0) - (a.error_share ?? 0) : 0) || (b.p95 ?? -1) - (a.p95 ?? -1);
const keyOf = (s: Service) => s.name;
const placeOf = (s: Service) => (s.container ? containerName(s.container) : s.unit ?? '');

function Answer({ services }: { services: Service[] }) {
  const bad = services.filter(inTrouble).toSorted(byTrouble);
  if (!bad.length) {
    const slowest = services.toSorted((a, b) => (b.p95 ?? -1) - (a.p95 ?? -1))[0];
    return (
      <p className={css.answer}>
        No service fails{slowest?.p95 != null && <>; <Link to={servicePath(slowest.name)}>{slowest.name}</Link> is slowest, p95 {duration(slowest.p95)}</>}
      </p>
    );
  }
  return (
    <p className={css.answer}>
      <Link to={servicePath(bad[0]!.name)}>{bad[0]!.name}</Link>: <span className={css.bad}>{share(bad[0]!.error_share)} errors</span>
      {bad.length > 1 && <>, and {bad.length - 1} more of {services.length} {bad.length > 2 ? 'fail' : 'fails'}</>}
    </p>
  );
}

export function ServicesPage() {
  const { range, utc, paused, refreshMs } = useFrame();
  const [query, setQuery] = useQuery();
  const search = useRef<HTMLInputElement>(null);
  const live = useLive<Services>(`/services?range=${range}`, 'services', refreshMs, paused);
  useKeys({ '/': () => search.current?.focus() });
  const filter = query.get('q') ?? '';
  const data = live.data;
  const rows = useMemo(() => (data?.services ?? []).filter((s) =>
    `${s.name} ${s.namespace} ${s.language} ${s.unit ?? ''} ${s.container ?? ''} ${s.instrumented_by}`.toLowerCase().includes(filter.toLowerCase())), [data, filter]);

  const columns = useMemo((): Column<Service>[] => {
    const unit = unitFor(rows.flatMap((s) => [s.p50, s.p95]));
    const now = data?.now ?? 0;
    return [
      { id: 'name', title: 'Service', sort: (s) => s.name, wide: true, cell: (s) => (
        <ServiceName name={s.name} language={s.language} note={<>
          {s.namespace && <span className={`${parts.muted} ${parts.roomy}`}>{s.namespace}</span>}
          {s.instrumented_by && <span className={`${parts.chip} ${parts.roomy}`} title="Another agent or an SDK reports of it as well">{s.instrumented_by}</span>}
          {s.count === 0 && <span className={`${parts.muted} ${parts.roomy}`} title="It answered nothing in this range; it only asked others">only calls</span>}
        </>} />) },
      { id: 'place', title: 'Runs in', roomy: true, sort: placeOf, cell: (s) => (
        <span className={parts.muted} title={s.container ? `Container ${s.container}` : s.unit ? 'systemd unit' : undefined}>{placeOf(s) || unknown}</span>) },
      { id: 'traces', title: 'Traces', roomy: true, hint: 'Whether a call can be tied to the request that caused it', sort: (s) => s.trust, cell: (s) => (
        <span className={parts.muted}>{s.trust === 'thread' ? 'go on' : s.trust === 'none' ? 'end here' : unknown}</span>) },
      { id: 'trend', title: 'Trend', roomy: true, cell: (s) => s.count === 0 ? <span className={parts.muted}>{unknown}</span> : <Sparkline values={s.sparkline} label={`Requests of ${s.name} over ${range}`} /> },
      { id: 'count', title: 'Requests', right: true, sort: (s) => s.count, cell: (s) => <Link to={servicePath(s.name)}>{count(s.count)}</Link> },
      { id: 'rate', title: 'Rate', right: true, sort: (s) => s.rate, cell: (s) => <Link to={servicePath(s.name)}>{rate(s.rate)}</Link> },
      { id: 'errors', title: 'Errors', right: true, hint: '5xx and no answer', sort: (s) => s.error_share, cell: (s) => <span className={inTrouble(s) ? parts.trouble : ''}>{share(s.rate ? s.error_share : null)}</span> },
      { id: 'refused', title: '4xx', right: true, roomy: true, hint: 'The caller asked for what is not there or not allowed', sort: (s) => refusedShare(s.answers), cell: (s) => share(refusedShare(s.answers)) },
      { id: 'p50', title: 'p50', right: true, roomy: true, sort: (s) => s.p50, cell: (s) => duration(s.p50, unit) },
      { id: 'p95', title: 'p95', right: true, sort: (s) => s.p95, cell: (s) => duration(s.p95, unit) },
      { id: 'p99', title: 'p99', right: true, sort: (s) => s.p99, cell: (s) => duration(s.p99, unit) },
      { id: 'instances', title: 'Instances', right: true, roomy: true, sort: (s) => s.instances, cell: (s) => s.instances },
      { id: 'seen', title: 'Last seen', right: true, sort: (s) => s.last_seen, cell: (s) => (
        <time title={s.last_seen === null ? undefined : clock(s.last_seen, utc)}>{ago(s.last_seen, now)}</time>) },
    ];
  }, [rows, data, utc, range]);

  if (live.error && !data) return <><h1>Services</h1><Broken error={live.error} retry={live.retry} /></>;
  if (data && !data.services.length) {
    return (
      <>
        <h1>Services</h1>
        <Empty title="No service has answered a request yet"
          why={`Sonde watches every process of this machine that speaks HTTP. In the last ${range} none did.`}
          command="./dev demo start --load 20" />
      </>
    );
  }
  return (
    <>
      <Stale live={live} />
      <div className={css.head}>
        <div className={css.title}>
          <h1>Services</h1>
          {data ? <Answer services={data.services} /> : <p className={css.answer}><Bone width="16em" height="1em" /></p>}
        </div>
        <input ref={search} className={`${parts.input} ${css.filter}`} type="search" aria-label="Filter services" placeholder="Filter  /"
          value={filter} onChange={(event) => setQuery({ q: event.target.value })}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()} />
      </div>
      {data ? (
        <Table name="services" caption="Services" rows={rows} columns={columns} rowKey={keyOf} trouble={byTrouble} walk
          open={(s) => go(servicePath(s.name))} empty={`No service matches “${filter}”.`} />
      ) : (
        <Loading what="services">
          <div className={parts.tableWrap}><table className={parts.table}><tbody>
            {Array.from({ length: 8 }, (_, i) => (
              <tr key={i}><td className={parts.wide}><Bone width={120 + (i * 37) % 80} height={12} /></td>
                {[96, 48, 40, 48, 48, 48].map((w, j) => <td key={j}><Bone width={w} height={12} /></td>)}</tr>))}
          </tbody></table></div>
        </Loading>
      )}
    </>
  );
}
