// SPDX-License-Identifier: Apache-2.0
// The one table. Sort and selection live in the URL; j, k and Enter walk it; its rows keep their places under the pointer
// and a chip offers the new order.
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useQuery } from '../router';
import { useKeys } from './keys';
import css from './parts.module.css';

export interface Column<Row> {
  id: string;
  title: string;
  cell: (row: Row) => ReactNode;
  sort?: (row: Row) => number | string | null;
  right?: boolean;
  wide?: boolean;
  /** Left out where there is no room. */
  roomy?: boolean;
  hint?: string;
}

interface Props<Row> {
  name: string;
  caption: string;
  rows: Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  trouble?: (a: Row, b: Row) => number;
  open?: (row: Row) => void;
  walk?: boolean;
  empty?: string;
}

function compare(a: number | string | null, b: number | string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return typeof a === 'string' || typeof b === 'string' ? String(b).localeCompare(String(a)) : a - b;
}

export function Table<Row>({ name, caption, rows, columns, rowKey, trouble, open, walk, empty }: Props<Row>) {
  const [query, setQuery] = useQuery();
  const sortName = `${name}.sort`;
  const sort = query.get(sortName) ?? '';
  const selected = walk ? query.get('sel') : null;
  const [hover, setHover] = useState(false);
  const held = useRef<{ sort: string; keys: string[] }>({ sort: '', keys: [] });
  const body = useRef<HTMLTableSectionElement>(null);

  const wanted = useMemo(() => {
    const up = sort.startsWith('-');
    const column = columns.find((c) => c.id === sort.replace('-', ''));
    const by = column?.sort
      ? (a: Row, b: Row) => compare(column.sort!(b), column.sort!(a)) * (up ? -1 : 1)
      : trouble ?? (() => 0);
    return rows.toSorted((a, b) => by(a, b) || rowKey(a).localeCompare(rowKey(b)));
  }, [rows, sort, columns, trouble, rowKey]);

  let shown = wanted;
  let moved = 0;
  if ((hover || selected) && held.current.sort === sort && held.current.keys.length) {
    const place = new Map(held.current.keys.map((key, i) => [key, i]));
    shown = wanted.toSorted((a, b) => (place.get(rowKey(a)) ?? 1e9) - (place.get(rowKey(b)) ?? 1e9));
    moved = shown.filter((row, i) => rowKey(row) !== rowKey(wanted[i]!)).length;
  }
  useEffect(() => {
    held.current = { sort, keys: shown.map(rowKey) };
  });
  const update = () => {
    held.current = { sort: '', keys: [] };
    setQuery({ sel: null });
    setHover(false);
  };

  const step = (by: number) => {
    const keys = shown.map(rowKey);
    const at = selected === null ? (by > 0 ? -1 : keys.length) : keys.indexOf(selected);
    const next = keys[Math.min(keys.length - 1, Math.max(0, at + by))];
    if (next === undefined) return;
    setQuery({ sel: next });
    body.current?.querySelectorAll('tr')[keys.indexOf(next)]?.scrollIntoView({ block: 'nearest' });
  };
  useKeys(walk ? {
    j: () => step(1), k: () => step(-1),
    Enter: () => {
      const row = shown.find((r) => rowKey(r) === selected);
      if (row) open?.(row);
    },
    Escape: () => selected !== null && setQuery({ sel: null }),
  } : {});

  return (
    <div>
      <div className={`${css.tableWrap}`} tabIndex={0} role="region" aria-label={caption}
        onPointerEnter={() => setHover(true)} onPointerLeave={() => setHover(false)}>
        <table className={`${css.table} ${open ? css.clickable : ''}`}>
          <caption className="sr">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => {
                const on = sort.replace('-', '') === column.id;
                return (
                  <th key={column.id} scope="col" className={`${column.right ? css.right : ''} ${column.wide ? css.wide : ''} ${column.roomy ? css.roomy : ''}`}
                    aria-sort={on ? (sort.startsWith('-') ? 'ascending' : 'descending') : undefined}>
                    {column.sort ? (
                      <button type="button" className={`${css.sortButton} ${on ? css.sorted : ''}`} title={column.hint}
                        onClick={() => setQuery({ [sortName]: !on ? column.id : sort.startsWith('-') ? null : '-' + column.id })}>
                        {column.title}{on ? (sort.startsWith('-') ? ' ↑' : ' ↓') : ''}
                      </button>
                    ) : column.title}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody ref={body}>
            {shown.map((row) => (
              <tr key={rowKey(row)} aria-selected={walk ? rowKey(row) === selected : undefined}
                onClick={open && ((event) => !(event.target as HTMLElement).closest('a,button') && open(row))}>
                {columns.map((column) => (
                  <td key={column.id} className={`${column.right ? css.right : ''} ${column.wide ? css.wide : ''} ${column.roomy ? css.roomy : ''}`}>{column.cell(row)}</td>
                ))}
              </tr>
            ))}
            {!shown.length && <tr><td colSpan={columns.length} className={css.muted}>{empty ?? 'Nothing here.'}</td></tr>}
          </tbody>
        </table>
      </div>
      {moved > 0 && (
        <button type="button" className={`${css.button}`} onClick={update}>{moved} moved · update</button>
      )}
    </div>
  );
}
