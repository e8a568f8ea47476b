// SPDX-License-Identifier: Apache-2.0
// How often what was answered. 5xx and no answer are failures and red; 4xx are the caller's doing and stay grey, but
// they are always in sight.
import type { Answers as Row } from '../api/types';
import { count, digits } from './format';
import css from './parts.module.css';

export const failing = (code: string) => code.startsWith('5') || code === 'none';

/** The share of 4xx; unknown where nothing was asked. */
export function refusedShare(rows: Row[]): number | null {
  const all = rows.reduce((sum, row) => sum + row.count, 0);
  return all ? rows.reduce((sum, row) => sum + (row.code.startsWith('4') ? row.count : 0), 0) / all : null;
}

function byCode(rows: Row[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(row.code, (sums.get(row.code) ?? 0) + row.count);
  return [...sums].sort(([a], [b]) => a.localeCompare(b));
}

const short = (n: number) => (n < 10_000 ? count(n) : n < 1e6 ? `${digits(n / 1e3)} k` : `${digits(n / 1e6)} M`);

function Codes({ rows }: { rows: Row[] }) {
  return byCode(rows).map(([code, n]) => (
    <span key={code} className={`${css.answered} ${failing(code) ? css.trouble : ''}`} title={`${count(n)} answered ${code === 'none' ? 'with nothing' : code}`}>
      <span className={css.code}>{code === 'none' ? 'no answer' : code}</span> × {short(n)}
    </span>
  ));
}

/** With `methods`, the answers of each method apart, for rows that do not name one. */
export function Answers({ rows, methods }: { rows: Row[]; methods?: boolean }) {
  if (!methods) return <span className={css.answers}><Codes rows={rows} /></span>;
  const names = [...new Set(rows.map((row) => row.method))].sort();
  return (
    <span className={css.answers}>
      {names.map((name) => (
        <span key={name} className={css.answers}>
          <span className={css.muted}>{name === '_OTHER' ? 'other' : name}</span><Codes rows={rows.filter((row) => row.method === name)} />
        </span>
      ))}
    </span>
  );
}
