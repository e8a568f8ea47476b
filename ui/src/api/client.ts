// SPDX-License-Identifier: Apache-2.0
// Asks the console for JSON and keeps asking. A refresh keeps the old data until the new is there, and a failed refresh
// keeps it too, with the failure beside it.
import { useEffect, useRef, useState } from 'react';

export class ApiError extends Error {
  constructor(readonly what: string, readonly why: string, readonly advice: string, readonly status = 0) {
    super(what);
  }
}

export type Fetcher = (path: string, signal: AbortSignal) => Promise<unknown>;

const overHttp: Fetcher = async (path, signal) => {
  let response: Response;
  try {
    response = await fetch('/api/v1' + path, { signal, headers: { Accept: 'application/json' } });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError('Sonde does not answer', 'The connection to the agent failed.',
      'Start it again with: sonde up');
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  if (response.status === 401) {
    throw new ApiError('This browser is not signed in', 'The console shows its figures only to who holds its token.',
      'Open the address with ?token=… that sonde printed at its start.', 401);
  }
  const error = body?.error;
  throw new ApiError(error?.what ?? 'The answer could not be read', error?.why ?? `HTTP ${response.status} on ${path}`,
    error?.do ?? 'Try again; if it stays, look at the log of sonde.', response.status);
};

let fetcher = overHttp;
export function setFetcher(other: Fetcher) {
  fetcher = other;
}

export interface Live<T> {
  data: T | null;
  error: ApiError | null;
  fetchedAt: number | null;
  retry: () => void;
}

/** An agent that does not answer is asked less and less, down to twice a minute. */
export const pauseAfter = (failures: number, everyMs: number) => Math.max(everyMs, Math.min(30_000, everyMs * 2 ** failures));

/** `subject` names what is shown: while it stays, a new range keeps the old figures; when it changes, they go. */
export function useLive<T>(path: string, subject: string, everyMs: number, paused = false): Live<T> {
  const [state, setState] = useState<{ subject: string; data: T | null; error: ApiError | null; at: number | null }>(
    { subject, data: null, error: null, at: null });
  const [attempt, setAttempt] = useState(0);
  const first = useRef('');

  useEffect(() => {
    let timer: number | undefined;
    let controller: AbortController | undefined;
    let ended = false;
    let failures = 0;
    const ask = async () => {
      controller = new AbortController();
      const deadline = setTimeout(() => controller?.abort(), 15_000);
      try {
        const data = (await fetcher(path, controller.signal)) as T;
        failures = 0;
        if (!ended) setState({ subject, data, error: null, at: Date.now() });
      } catch (error) {
        if (ended) return;
        failures++;
        const told = error instanceof ApiError ? error
          : new ApiError('Sonde does not answer', 'No answer came within 15 s.', 'See whether the machine is overloaded.');
        setState((old) => ({ subject, data: old.subject === subject ? old.data : null, error: told,
          at: old.subject === subject ? old.at : null }));
      } finally {
        clearTimeout(deadline);
      }
      if (!ended && !paused) timer = window.setTimeout(next, pauseAfter(failures, everyMs));
    };
    // A hidden page asks nothing; it catches up the moment it is seen.
    const next = () => (document.hidden ? document.addEventListener('visibilitychange', next, { once: true }) : ask());
    if (!paused || first.current !== path + attempt) {
      first.current = path + attempt;
      void ask();
    }
    return () => {
      ended = true;
      clearTimeout(timer);
      controller?.abort();
      document.removeEventListener('visibilitychange', next);
    };
  }, [path, subject, everyMs, paused, attempt]);

  const own = state.subject === subject;
  return { data: own ? state.data : null, error: own ? state.error : null, fetchedAt: own ? state.at : null,
    retry: () => setAttempt((n) => n + 1) };
}
