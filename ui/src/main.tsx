// SPDX-License-Identifier: Apache-2.0
import './theme/tokens.css';
import './theme/base.css';
import './theme/theme';
import { createRoot } from 'react-dom/client';
import { App } from './app';

async function begin() {
  if (import.meta.env.DEV || import.meta.env.MODE === 'stories') {
    const { tell } = await import('./stories/fixtures');
    tell();
  }
  createRoot(document.getElementById('root')!).render(<App />);
}
void begin();
