// SPDX-License-Identifier: Apache-2.0
// Ctrl-K: pages, services and switches by a few letters.
import { useEffect, useRef, useState } from 'react';
import { useLive } from '../api/client';
import type { ServicesAnswer as Services } from '../api/types';
import { go, servicePath } from '../router';
import { Language } from './marks';
import css from './parts.module.css';

export interface Action {
  title: string;
  language?: string;
  hint?: string;
  run: () => void;
}

/** Letters in order, not necessarily side by side; earlier and closer is better. */
export function score(text: string, wanted: string): number {
  let at = -1;
  let sum = 0;
  for (const letter of wanted.toLowerCase()) {
    const next = text.toLowerCase().indexOf(letter, at + 1);
    if (next < 0) return Infinity;
    sum += next - at;
    at = next;
  }
  return sum;
}

export function Palette({ close, actions }: { close: () => void; actions: Action[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const live = useLive<Services>('/services?range=15m', 'palette', 60_000);
  useEffect(() => dialog.current?.showModal(), []);
  const all: Action[] = [...actions, ...(live.data?.services ?? []).map((service) => (
    { title: service.name, language: service.language, hint: 'service', run: () => go(servicePath(service.name)) }))];
  const found = all.map((action) => ({ action, by: score(action.title, text) })).filter((f) => f.by < Infinity)
    .sort((a, b) => a.by - b.by).slice(0, 12);
  const chosen = Math.min(at, found.length - 1);
  const run = (action: Action) => {
    dialog.current?.close();
    action.run();
  };
  return (
    <dialog ref={dialog} className={`${css.scrim} ${css.palette}`} onClose={close} aria-label="Go anywhere"
      onClick={(event) => event.target === dialog.current && dialog.current.close()}>
      <input className={css.paletteInput} autoFocus role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Go to"
        aria-activedescendant={found.length ? `palette-${chosen}` : undefined} placeholder="Go to a service, a page, a switch" value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
          if (by) {
            event.preventDefault();
            setAt((chosen + by + found.length) % Math.max(1, found.length));
          }
          if (event.key === 'Enter' && found[chosen]) run(found[chosen].action);
        }} />
      <ul className={css.paletteList} id="palette-list" role="listbox" aria-label="Places">
        {found.map(({ action }, i) => (
          <li key={action.title + action.hint} id={`palette-${i}`} role="option" aria-selected={i === chosen}
            onPointerMove={() => setAt(i)} onClick={() => run(action)}>
            {action.language !== undefined && <Language language={action.language} />}
            <span>{action.title}</span><span className={`${css.muted} ${css.spacer}`}>{action.hint}</span>
          </li>
        ))}
      </ul>
    </dialog>
  );
}
