// SPDX-License-Identifier: Apache-2.0
// Paths and query parameters over the history API. The query is the state of a page: range, sort, filter, selection,
// so back works and a link shows the same.
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react';

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());
addEventListener('popstate', tell);
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** What every page shares and a link between pages keeps. */
const kept = ['range', 'story'];

export function hrefOf(path: string): string {
  const [bare, own = ''] = path.split('?');
  const query = new URLSearchParams(own);
  const now = new URLSearchParams(location.search);
  for (const name of kept) {
    const value = now.get(name);
    if (value !== null && !query.has(name)) query.set(name, value);
  }
  const text = query.toString();
  return text ? `${bare}?${text}` : bare!;
}

/** This page with some of its state changed: what a link to a selection is. */
export function hereWith(patch: Record<string, string | null>): string {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  return `${location.pathname}?${query}`;
}

export function go(path: string) {
  history.pushState(null, '', hrefOf(path));
  tell();
  scrollTo(0, 0);
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** Selections and filters replace the entry, so that back leaves the page and not the last key press. */
export function useQuery() {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const query = new URLSearchParams(search);
  const set = (patch: Record<string, string | null>, push = false) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(patch)) {
      if (value === null || value === '') next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    const url = location.pathname + (text ? '?' + text : '');
    if (push) history.pushState(null, '', url);
    else history.replaceState(null, '', url);
    tell();
  };
  return [query, set] as const;
}

export function Link({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return <a {...rest} href={hrefOf(to)} onClick={follow} />;
}

export const servicePath = (name: string) => `/services/${encodeURIComponent(name)}`;
