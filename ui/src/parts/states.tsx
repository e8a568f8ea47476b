// SPDX-License-Identifier: Apache-2.0
// Loading, empty, broken and partial: what a page is when it is not full. None of them changes its size.
import { useState, type ReactNode } from 'react';
import type { ApiError, Live } from '../api/client';
import { useFrame } from './context';
import { clock } from './format';
import css from './parts.module.css';

export function Bone({ width, height }: { width: number | string; height: number | string }) {
  return <span className={css.bone} style={{ width, height }} />;
}

export function Loading({ what, children }: { what: string; children: ReactNode }) {
  return <div aria-busy="true"><p className="sr" role="status">Loading {what}</p><div aria-hidden="true">{children}</div></div>;
}

export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard?.writeText(text).then(() => setCopied(true), () => setCopied(false));
  return (
    <div className={css.command}>
      <code tabIndex={0}>{text}</code>
      <button type="button" className={css.button} onClick={copy}>{copied ? 'Copied' : 'Copy'}</button>
    </div>
  );
}

export function Empty({ title, why, command }: { title: string; why: string; command: string }) {
  return <section className={css.state}><h2>{title}</h2><p>{why}</p><Command text={command} /></section>;
}

export function Broken({ error, retry }: { error: ApiError; retry: () => void }) {
  return (
    <section className={css.state} role="alert">
      <h2>{error.what}</h2>
      <p>{error.why}</p>
      <p>{error.advice}</p>
      <div><button type="button" className={css.button} onClick={retry}>Try again</button></div>
      <details>
        <summary>Technical text</summary>
        <Command text={`${error.status ? `HTTP ${error.status}: ` : ''}${error.what}: ${error.why}`} />
      </details>
    </section>
  );
}

/** Old figures stay when a refresh fails; this says since when they are old. */
export function Stale({ live }: { live: Live<unknown> }) {
  const { utc } = useFrame();
  if (!live.error || !live.data) return null;
  return (
    <div className={`${css.notice} ${css.noticeError}`} role="status">
      <span>{live.error.what}. These figures are from {live.fetchedAt ? clock(live.fetchedAt, utc) : 'before'}. {live.error.advice}</span>
      <button type="button" className={css.button} onClick={live.retry}>Try again</button>
    </div>
  );
}

export function Doubt({ children }: { children: ReactNode }) {
  return <div className={css.notice} role="status">{children}</div>;
}
