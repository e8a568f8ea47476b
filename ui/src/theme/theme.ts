// SPDX-License-Identifier: Apache-2.0
// Light or dark: the system's choice unless the reader made one. The choice stays on this machine and is never in a link.
export type Theme = 'light' | 'dark' | 'system';
const key = 'sonde.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

export function theme(): Theme {
  try {
    const stored = localStorage.getItem(key);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

export function shownTheme(): 'light' | 'dark' {
  const chosen = theme();
  return chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen;
}

function apply() {
  document.documentElement.dataset.theme = shownTheme();
  listeners.forEach((listener) => listener());
}

export function setTheme(chosen: Theme) {
  try {
    localStorage.setItem(key, chosen);
  } catch {
    // A page without storage still switches, until it is closed.
  }
  apply();
}

export function subscribeTheme(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

dark.addEventListener('change', apply);
apply();
