// SPDX-License-Identifier: Apache-2.0
// Keys: one listener, the newest binding first; typing in a field is never taken.
import { useEffect, useRef } from 'react';
import css from './parts.module.css';

type Bindings = Record<string, (event: KeyboardEvent) => void>;
const stack: { current: Bindings }[] = [];
let prefix = '';

addEventListener('keydown', (event) => {
  const target = event.target as HTMLElement;
  const command = event.ctrlKey || event.metaKey;
  const typing = target.closest?.('input,textarea,select,[contenteditable]');
  if (event.altKey || (typing && !command && event.key !== 'Escape') || document.querySelector('dialog[open]')) return;
  if (event.key === 'Enter' && target.closest?.('a,button,summary')) return;
  const name = (command ? 'ctrl+' : '') + event.key;
  const chord = prefix ? `${prefix} ${name}` : name;
  prefix = '';
  for (let i = stack.length - 1; i >= 0; i--) {
    const action = stack[i]!.current[chord];
    if (action) {
      if (event.key !== 'Escape') event.preventDefault();
      action(event);
      return;
    }
  }
  if (name === 'g') prefix = 'g';
});

export function useKeys(bindings: Bindings) {
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    stack.push(latest);
    return () => void stack.splice(stack.indexOf(latest), 1);
  }, []);
}

const list: [string[], string][] = [
  [['Ctrl', 'K'], 'Go anywhere'], [['/'], 'Search this page'], [['j'], 'Next row'], [['k'], 'Row before'],
  [['Enter'], 'Open the row'], [['Esc'], 'Close or clear'], [['g', 's'], 'Services'], [['g', 'm'], 'Map'], [['g', 'p'], 'Pipelines'],
  [['←', '→'], 'Move the edge of a panel'],
  [['p'], 'Hold or follow live figures'], [['u'], 'Times in UTC or local'], [['t'], 'Light or dark'], [['?'], 'This list']];

export function KeysHelp({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className={css.scrim} onClose={close} aria-labelledby="keys-title"
      onClick={(event) => event.target === dialog.current && dialog.current.close()}>
      <div className={css.dialogBody}>
        <h2 id="keys-title">Keys</h2>
        <dl className={css.keys}>
          {list.map(([keys, what]) => [
            <dt key={what}>{keys.map((key) => <kbd key={key} className={css.kbd}>{key}</kbd>)}</dt>, <dd key={what + '.'}>{what}</dd>])}
        </dl>
        <div><button type="button" className={css.button} onClick={() => dialog.current?.close()}>Close</button></div>
      </div>
    </dialog>
  );
}
