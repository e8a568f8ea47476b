// SPDX-License-Identifier: Apache-2.0
// The page is served from the binary at the root; `vite` alone proxies the API to a Sonde on this machine.
// Mode `stories` adds the fixtures the browser test opens; the normal build leaves them out.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  build: {
    target: 'es2022',
    outDir: mode === 'stories' ? '../build/ui-stories' : 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': process.env.SONDE ?? 'http://127.0.0.1:4400' } },
}));
