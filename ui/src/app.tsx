// SPDX-License-Identifier: Apache-2.0
// The frame: rail, top bar, keys, and the page of the path. Pages are loaded when first opened.
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import css from './app.module.css';
import { useLive } from './api/client';
import type { StatusAnswer as Status } from './api/types';
import { FrameContext, ranges } from './parts/context';
import { clock, count, zone } from './parts/format';
import { KeysHelp, useKeys } from './parts/keys';
import { Palette } from './parts/palette';
import partsCss from './parts/parts.module.css';
import { Doubt } from './parts/states';
import { go, Link, usePath, useQuery } from './router';
import { setTheme, shownTheme, subscribeTheme } from './theme/theme';
import { ServicesPage } from './pages/services/view';

const ServicePage = lazy(() => import('./pages/service/view'));
const MapPage = lazy(() => import('./pages/map/view'));
const PipelinesPage = lazy(() => import('./pages/pipelines/view'));

const icons = {
  services: 'M4 5h16M4 12h16M4 19h10',
  map: 'M5 12h5M14 6l-4 6 4 6M3 12a2 2 0 1 0 4 0a2 2 0 1 0-4 0M14 6a2 2 0 1 0 4 0a2 2 0 1 0-4 0M14 18a2 2 0 1 0 4 0a2 2 0 1 0-4 0',
  pipelines: 'M3 7h6l4 10h8M3 17h6l1.500-3.700M13.500 9.500L14.500 7H21M18 4l3 3-3 3M18 14l3 3-3 3',
  keys: 'M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500v.1',
  sun: 'M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8M12 3v1M12 20v1M3 12h1M20 12h1M5.600 5.600l.7.7M17.700 17.700l.7.7M5.600 18.400l.7-.7M17.700 6.300l.7-.7',
  moon: 'M19 14A8 8 0 1 1 10 5a6.500 6.500 0 0 0 9 9z',
  wide: 'M4 5h16v14H4zM10 5v14',
};
const Icon = ({ name }: { name: keyof typeof icons }) => <svg viewBox="0 0 24 24" aria-hidden="true"><path d={icons[name]} /></svg>;

const titles: Record<string, string> = { services: 'Services', map: 'Map', pipelines: 'Pipelines' };

/** What is left out of the page, and one press to have it back. */
function Scope() {
  const [query, setQuery] = useQuery();
  const names = ['q', 'focus', 'pipeline'].filter((name) => query.get(name) && query.get(name) !== 'all');
  return names.map((name) => (
    <button key={name} type="button" className={`${partsCss.chip} ${css.scope}`} title="Show all again" onClick={() => setQuery({ [name]: null }, true)}>
      {name === 'focus' ? 'around ' : ''}{query.get(name)}<span aria-hidden="true"> ×</span></button>));
}

/** What the agent itself doubts: said once, above everything that rests on it. */
function Doubts() {
  const { data } = useLive<Status>('/status', 'status', 10_000);
  if (!data || (!data.lost_events && !data.series_overflow && !data.warnings.length)) return null;
  return (
    <Doubt>
      {data.lost_events > 0 && <span>{count(data.lost_events)} kernel events were lost: rates may be low.</span>}
      {data.series_overflow > 0 && <span>{count(data.series_overflow)} series were folded into others: some endpoints are not shown apart.</span>}
      {data.warnings.map((warning) => <span key={warning}>{warning}</span>)}
    </Doubt>
  );
}

export function App() {
  const path = usePath();
  const [query, setQuery] = useQuery();
  const [open, setOpen] = useState(false);
  const [dialog, setDialog] = useState<'keys' | 'palette' | null>(null);
  const [utc, setUtc] = useState(() => localStorage.getItem('sonde.utc') === '1');
  const shown = useSyncExternalStore(subscribeTheme, shownTheme);
  const wanted = query.get('range') ?? '5m';
  const range = (ranges as readonly string[]).includes(wanted) ? wanted : '5m';
  const paused = query.get('live') === 'off';
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const page = parts[0] ?? 'services';

  useEffect(() => {
    document.title = `${parts[1] ?? titles[page] ?? 'Not found'} · Sonde`;
  }, [path]);

  const switchTheme = () => setTheme(shown === 'dark' ? 'light' : 'dark');
  const switchUtc = () => {
    localStorage.setItem('sonde.utc', utc ? '0' : '1');
    setUtc(!utc);
  };
  const hold = () => setQuery({ live: paused ? null : 'off' });
  useKeys({
    '?': () => setDialog('keys'), 'ctrl+k': () => setDialog('palette'), t: switchTheme, u: switchUtc, p: hold,
    'g s': () => go('/services'), 'g m': () => go('/map'), 'g p': () => go('/pipelines'),
  });

  return (
    <FrameContext value={{ range, utc, paused, refreshMs: 2000 }}>
      <div className={css.frame}>
        <a className={css.skip} href="#main" onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}>Skip to content</a>
        <nav className={`${css.rail} ${open ? css.railOpen : ''}`} aria-label="Pages">
          <Link to="/services" className={css.railLink} aria-current={page === 'services' ? 'page' : undefined} title="Services (g s)">
            <Icon name="services" /><span className={css.railText}>Services</span></Link>
          <Link to="/map" className={css.railLink} aria-current={page === 'map' ? 'page' : undefined} title="Map (g m)">
            <Icon name="map" /><span className={css.railText}>Map</span></Link>
          <Link to="/pipelines" className={css.railLink} aria-current={page === 'pipelines' ? 'page' : undefined} title="Pipelines (g p)">
            <Icon name="pipelines" /><span className={css.railText}>Pipelines</span></Link>
          <button type="button" className={`${css.railLink} ${css.bottom} ${css.expand}`} aria-expanded={open} onClick={() => setOpen(!open)} title="Show names">
            <Icon name="wide" /><span className={css.railText}>{open ? 'Narrow' : 'Show names'}</span></button>
        </nav>
        <header className={css.bar}>
          <div className={css.crumbs}>
            <Link to="/services">Sonde</Link><span aria-hidden="true">/</span>
            {parts[1] ? <><Link to="/services">Services</Link><span aria-hidden="true">/</span><span>{parts[1]}</span></>
              : <span>{titles[page] ?? 'Not found'}</span>}
          </div>
          <Scope />
          <span className={css.push} />
          <button type="button" className={`${partsCss.button} ${css.search}`} onClick={() => setDialog('palette')}>
            Go to <kbd className={`${partsCss.kbd} ${css.searchKeys}`}>Ctrl K</kbd></button>
          <button type="button" className={`${partsCss.button} ${partsCss.bare}`} aria-label="Light or dark" title="Light or dark (t)" onClick={switchTheme}>
            <svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true"><path d={icons[shown === 'dark' ? 'sun' : 'moon']} /></svg></button>
          <button type="button" className={`${partsCss.button} ${partsCss.bare}`} aria-label="Keys" title="Keys (?)" onClick={() => setDialog('keys')}>?</button>
          <button type="button" className={`${partsCss.button} ${partsCss.bare} ${css.zone}`} title="Local or UTC (u)" onClick={switchUtc}>{zone(utc)}</button>
          <button type="button" className={partsCss.button} aria-pressed={paused} title="Hold the figures still (p)" onClick={hold}>{paused ? 'Held' : 'Live'}</button>
          <div className={partsCss.group} role="group" aria-label="Time range">
            {ranges.map((r) => (
              <button key={r} type="button" className={partsCss.button} aria-pressed={r === range} onClick={() => setQuery({ range: r, zoom: null }, true)}>{r}</button>
            ))}
          </div>
        </header>
        <main className={css.main} id="main" tabIndex={-1}>
          <Doubts />
          <Suspense fallback={<p role="status">Loading</p>}>
            {page === 'map' ? <MapPage /> : page === 'pipelines' ? <PipelinesPage /> : page !== 'services' ? <NotFound path={path} />
              : parts[1] ? <ServicePage key={parts[1]} name={parts[1]} /> : <ServicesPage />}
          </Suspense>
        </main>
      </div>
      {dialog === 'keys' && <KeysHelp close={() => setDialog(null)} />}
      {dialog === 'palette' && (
        <Palette close={() => setDialog(null)} actions={[
          { title: 'Services', hint: 'page', run: () => go('/services') },
          { title: 'Map', hint: 'page', run: () => go('/map') },
          { title: 'Pipelines', hint: 'page', run: () => go('/pipelines') },
          { title: shown === 'dark' ? 'Light theme' : 'Dark theme', hint: 'switch', run: switchTheme },
          { title: utc ? 'Local times' : `UTC times, now ${clock(Date.now(), true)}`, hint: 'switch', run: switchUtc },
          { title: paused ? 'Follow live figures' : 'Hold the figures', hint: 'switch', run: hold },
          { title: 'Keys', hint: 'help', run: () => setDialog('keys') }]} />
      )}
    </FrameContext>
  );
}

function NotFound({ path }: { path: string }) {
  return (
    <section className={partsCss.state}>
      <h1>There is no page at {path}</h1>
      <p>The address may be of a newer version. <Link to="/services">Open services</Link></p>
    </section>
  );
}
