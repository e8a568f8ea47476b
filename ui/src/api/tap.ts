// SPDX-License-Identifier: Apache-2.0
// Follows the batches that pass one edge, for as long as somebody looks: a paused or hidden page asks for nothing.
import { useEffect, useState } from 'react';
import { ApiError } from './client';
import type { TapBatch } from './types';

export interface TapEvents {
  open: () => void;
  batch: (batch: TapBatch) => void;
  gone: () => void;
  failed: (error: ApiError) => void;
}
/** Begins to follow an edge; what it returns ends it. */
export type TapSource = (edge: string, on: TapEvents) => () => void;

const unreachable = () => new ApiError('The tap ended', 'The connection to the agent failed.', 'It is opened again by itself.');

/** An event source says that it failed but not why: the same address, asked once more, does. */
async function why(url: string, signal: AbortSignal): Promise<ApiError> {
  try {
    const response = await fetch(url, { signal });
    const error = response.ok ? null : (await response.json().catch(() => null))?.error;
    return error ? new ApiError(error.what, error.why, error.do, response.status) : unreachable();
  } catch {
    return unreachable();
  }
}

const overHttp: TapSource = (edge, on) => {
  const url = `/api/v1/pipelines/tap?edge=${encodeURIComponent(edge)}`;
  const source = new EventSource(url);
  const asking = new AbortController();
  source.addEventListener('open', on.open);
  source.addEventListener('batch', (event) => on.batch(JSON.parse((event as MessageEvent<string>).data) as TapBatch));
  source.addEventListener('gone', () => {
    source.close();
    on.gone();
  });
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return on.failed(unreachable());
    void why(url, asking.signal).then((error) => asking.signal.aborted || on.failed(error)).finally(() => asking.abort());
  };
  return () => {
    source.close();
    asking.abort();
  };
};

let source = overHttp;
export function setTapSource(other: TapSource) {
  source = other;
}

const kept = 20;

export interface Tap {
  state: 'opening' | 'open' | 'gone' | 'failed';
  error: ApiError | null;
  batches: TapBatch[]; // The newest first.
}
const fresh: Tap = { state: 'opening', error: null, batches: [] };

export function useTap(edge: string, paused: boolean): Tap {
  const [{ of, tap }, setTap] = useState({ of: edge, tap: fresh });
  useEffect(() => {
    const put = (change: (old: Tap) => Tap) => setTap((old) => ({ of: edge, tap: change(old.of === edge ? old.tap : fresh) }));
    let end: (() => void) | null = null;
    const follow = () => {
      end?.();
      end = paused || document.hidden ? null : source(edge, {
        open: () => put((old) => ({ ...old, state: 'open', error: null })),
        batch: (batch) => put((old) => ({ state: 'open', error: null, batches: [batch, ...old.batches].slice(0, kept) })),
        gone: () => put((old) => ({ ...old, state: 'gone' })),
        failed: (error) => put((old) => ({ ...old, state: 'failed', error })) });
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      end?.();
    };
  }, [edge, paused]);
  return of === edge ? tap : fresh;
}
