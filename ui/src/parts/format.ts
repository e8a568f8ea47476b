// SPDX-License-Identifier: Apache-2.0
// Numbers as the page says them: three significant digits, one unit a column, and a dash for what is unknown.
export const unknown = '–';
type Maybe = number | null | undefined;
const missing = (value: Maybe): value is null | undefined => value === null || value === undefined || !Number.isFinite(value);

export function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export interface DurationUnit {
  name: string;
  seconds: number;
}
const units: DurationUnit[] = [
  { name: 'ns', seconds: 1e-9 }, { name: 'µs', seconds: 1e-6 }, { name: 'ms', seconds: 1e-3 }, { name: 's', seconds: 1 },
  { name: 'm', seconds: 60 }, { name: 'h', seconds: 3600 }];

export function unitFor(values: Maybe[]): DurationUnit {
  const known = values.filter((v): v is number => !missing(v) && v > 0).sort((a, b) => a - b);
  const middle = known.length ? known[known.length >> 1]! : 1e-3;
  return units.findLast((unit) => middle >= unit.seconds) ?? units[0]!;
}

export function duration(seconds: Maybe, unit?: DurationUnit): string {
  if (missing(seconds)) return unknown;
  const by = unit ?? unitFor([seconds]);
  return `${digits(seconds / by.seconds)} ${by.name}`;
}

export const rate = (value: Maybe) => (missing(value) ? unknown : `${digits(value)} /s`);
export const count = (value: Maybe) => (missing(value) ? unknown : Math.round(value).toLocaleString('en-US'));

/** Bytes, or bytes a second with `suffix`. */
export function bytes(value: Maybe, suffix = ''): string {
  if (missing(value)) return unknown;
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = value < 1024 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(value) / 10));
  return `${step || suffix ? digits(value / 1024 ** step) : Math.round(value)} ${names[step]}${suffix}`;
}

export function share(value: Maybe): string {
  if (missing(value)) return unknown;
  const percent = value * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.01) return '< 0.01 %';
  return percent < 1 ? `${percent.toFixed(2)} %` : percent < 10 ? `${percent.toFixed(1)} %` : `${percent.toFixed(0)} %`;
}

export function clock(ms: number, utc: boolean): string {
  return new Date(ms).toLocaleTimeString('en-GB', { timeZone: utc ? 'UTC' : undefined });
}

export function ago(ms: Maybe, now: number): string {
  if (missing(ms)) return unknown;
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 3) return 'now';
  if (s < 90) return `${s} s ago`;
  if (s < 5400) return `${Math.round(s / 60)} m ago`;
  return `${Math.round(s / 3600)} h ago`;
}

export const zone = (utc: boolean) =>
  utc ? 'UTC' : (new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(new Date())
    .find((part) => part.type === 'timeZoneName')?.value ?? 'local');

/** A container's name, or the start of its id where it has none. */
export const containerName = (container: string) => (/^[0-9a-f]{20,}$/.test(container) ? container.slice(0, 12) : container);

/** Where trouble begins. Below these a page stays grey. */
export const errorTrouble = 0.005;
export const inTrouble = (s: { error_share: number | null }) => (s.error_share ?? 0) >= errorTrouble;
