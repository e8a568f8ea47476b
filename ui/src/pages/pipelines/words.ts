// SPDX-License-Identifier: Apache-2.0
// What the pipelines' page says in more than one place.
import type { PipelineComponent, PipelineEdge } from '../../api/types';
import { digits, unknown } from '../../parts/format';
import { colourAt } from '../../theme/colour';

export const signals = ['traces', 'metrics', 'logs'];
const items: Record<string, string> = { traces: 'spans', metrics: 'points', logs: 'records' };

/** "1,240 spans/s" */
export function itemsRate(rate: number | null, signal: string): string {
  return rate === null ? unknown : `${digits(rate)} ${itemsOf(signal)}/s`;
}
export const itemsOf = (signal: string) => items[signal] ?? 'items';
export const signalColour = (signal: string) => colourAt([0, 2, 4][signals.indexOf(signal)] ?? 5);

export const edgeId = (e: PipelineEdge) => `${e.from}>${e.to}>${e.pipeline}`;
/** "batch" of "processor/batch@traces": what stands in a sentence. */
export const idOf = (key: string) => key.replace(/^[a-z]+\//, '').replace(/@.*$/, '');

export const fill = (c: PipelineComponent) => (c.queue && c.queue.capacity > 0 ? c.queue.used / c.queue.capacity : null);
/** From here on a queue is about to refuse. */
export const queueTrouble = 0.8;
const states: Record<PipelineComponent['status']['state'], string> = { none: 'not started', starting: 'starting', ok: 'ok', recoverable_error: 'failing',
  permanent_error: 'broken', fatal_error: 'fatal', stopping: 'stopping', stopped: 'stopped' };
export const stateOf = (c: PipelineComponent) => states[c.status.state];
/** How much is wrong: 2 needs a person, 1 may pass. */
export const troubleOf = (c: PipelineComponent) => (['permanent_error', 'fatal_error'].includes(c.status.state) ? 2 : c.status.state === 'recoverable_error' ? 1 : 0);

export const lossy = (e: PipelineEdge) => e.errors > 0;
export const byTrouble = (a: PipelineEdge, b: PipelineEdge) => b.errors - a.errors || (b.items_rate ?? -1) - (a.items_rate ?? -1);
