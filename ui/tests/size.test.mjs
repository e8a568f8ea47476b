// SPDX-License-Identifier: Apache-2.0
// What a browser must fetch before the first page shows stays small: the built index and what it names.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

test('the first page is at most 300 KB compressed', { skip: existsSync(join(dist, 'index.html')) ? false : 'dist is not built' }, () => {
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const files = ['index.html', ...[...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((match) => match[1])];
  assert.ok(files.some((file) => file.endsWith('.js')));
  const sizes = files.map((file) => gzipSync(readFileSync(join(dist, file))).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 300_000, `${total} bytes: ${files.map((file, i) => `${file} ${sizes[i]}`).join(', ')}`);
});
