// SPDX-License-Identifier: Apache-2.0
// A service keeps one colour everywhere: the hash of its name picks it from the palette.
export function serviceColour(name: string): string {
  let hash = 2166136261;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
  return `var(--series-${(hash >>> 0) % 8})`;
}

export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
