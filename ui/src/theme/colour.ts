// SPDX-License-Identifier: Apache-2.0
// A service keeps one colour everywhere: the hash of its name picks it from the palette.
const palette = 8;

function place(name: string): number {
  let hash = 2166136261;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
  return (hash >>> 0) % palette;
}

export const colourAt = (i: number) => `var(--series-${i % palette})`;

/**
 * Colours for names that stand beside each other. Where two hash to one, the later by name takes the next that is free,
 * so that figures and their order never change a colour. More names than colours share.
 */
export function coloursOf(names: string[]): Map<string, string> {
  const taken = new Set<number>();
  const out = new Map<string, string>();
  for (const name of [...new Set(names)].sort()) {
    let at = place(name);
    if (taken.size < palette) while (taken.has(at)) at = (at + 1) % palette;
    taken.add(at);
    out.set(name, colourAt(at));
  }
  return out;
}

export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
