// SPDX-License-Identifier: Apache-2.0
// Opens every page in each of its five states, light and dark, 1440 and 400 px wide, and fails on a console error, a failed
// request, an axe violation or a page wider than its window. Screenshots go to build/screenshots.
import assert from 'node:assert/strict';
import { readFileSync, mkdirSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';

const ui = fileURLToPath(new URL('..', import.meta.url));
const built = join(ui, '../build/ui-stories');
const shots = join(ui, '../build/screenshots');
const axe = readFileSync(join(ui, 'node_modules/axe-core/axe.min.js'), 'utf8');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
let server, browser, base;

before(async () => {
  await build({ root: ui, mode: 'stories', logLevel: 'warn' });
  mkdirSync(shots, { recursive: true });
  // As strict as the console: whatever breaks this policy would break in the product.
  server = createServer((request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const file = join(built, path);
    const found = extname(path) && existsSync(file) ? file : join(built, 'index.html');
    response.writeHead(200, { 'Content-Type': types[extname(found)],
      'Content-Security-Policy': "default-src 'self'; style-src 'self'; frame-ancestors 'none'" });
    response.end(readFileSync(found));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking'] });
});

after(async () => {
  await browser?.close();
  server?.close();
});

async function open(path, { theme = 'light', width = 1440 } = {}) {
  const context = await browser.newContext({ colorScheme: theme, viewport: { width, height: 800 }, reducedMotion: 'reduce', timezoneId: 'UTC', bypassCSP: false });
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('response', (answer) => answer.status() >= 400 && wrong.push(`${answer.status()} ${answer.url()}`));
  await page.goto(base + path);
  await page.waitForSelector('h1');
  return { context, page, wrong };
}

async function violations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any.map((a) => a.message)}`).slice(0, 4).join(' | ')}`);
}

const pages = { services: '/services', service: '/services/orders', map: '/map', pipelines: '/pipelines' };
const states = ['loading', 'empty', 'full', 'partial', 'broken'];
const settle = (page, name, state) => page.waitForSelector({
  services: { full: 'tbody tr', partial: 'tbody tr' }, service: { full: '.uplot canvas', partial: '.uplot canvas' },
  map: { full: '.react-flow__node, tbody tr', partial: '.react-flow__node, tbody tr' },
  pipelines: { full: '.react-flow__node, tbody tr', partial: '.react-flow__node, tbody tr' } }[name]?.[state] ?? (state === 'loading' ? '[aria-busy]' : 'h2'));

for (const [name, path] of Object.entries(pages)) {
  for (const state of states) {
    for (const view of [{ theme: 'light' }, { theme: 'dark' }, { theme: 'light', width: 400 }]) {
      const label = `${name}-${state}-${view.width ?? view.theme}`;
      test(label, async () => {
        const { context, page, wrong } = await open(`${path}?story=${state}`, view);
        await settle(page, name, state);
        await page.waitForTimeout(150);
        await page.screenshot({ path: join(shots, `${label}.png`), fullPage: true });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `the page is ${wide} px wider than its window`);
        assert.equal(await page.locator('h1').count(), 1, 'one h1 a page');
        assert.deepEqual(await violations(page), []);
        assert.deepEqual(wrong, []);
        await context.close();
      });
    }
  }
}

test('keys walk the list, open a service and go back', async () => {
  const { context, page, wrong } = await open('/services?story=full');
  await page.waitForSelector('tbody tr');
  assert.match(await page.locator('tbody tr').first().innerText(), /payments/, 'the worst stands first');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.match(page.url(), /sel=orders/);
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/services/payments?**');
  await page.waitForSelector('.uplot canvas');
  await page.goBack();
  assert.match(page.url(), /\/services\?.*sel=payments/);
  await page.keyboard.press('Escape');
  assert.doesNotMatch(page.url(), /sel=/);
  await page.keyboard.press('/');
  await page.keyboard.type('cata');
  assert.equal(await page.locator('tbody tr').count(), 1);
  assert.match(page.url(), /q=cata/);
  assert.deepEqual(wrong, []);
  await context.close();
});

test('the palette and the list of keys open, are accessible and close', async () => {
  const { context, page, wrong } = await open('/services?story=full', { theme: 'dark' });
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  await page.screenshot({ path: join(shots, 'keys.png') });
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('ship');
  await page.waitForSelector('[role=option]');
  await page.screenshot({ path: join(shots, 'palette.png') });
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/services/shipping?**');
  assert.deepEqual(wrong, []);
  await context.close();
});

test('a click on the map opens the panel, a double click the page', async () => {
  const { context, page, wrong } = await open('/map?story=full');
  await page.locator('.react-flow__node[data-id=payments]').click();
  await page.waitForSelector('aside');
  assert.match(page.url(), /sel=payments/);
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(shots, 'map-panel.png') });
  assert.deepEqual(await violations(page), []);
  await page.goto(`${base}/map?story=full&view=table`);
  await page.waitForSelector('tbody tr');
  assert.match(await page.locator('tbody tr').first().innerText(), /payments/);
  await page.goto(`${base}/map?story=full`);
  await page.locator('.react-flow__node[data-id=orders]').dblclick();
  await page.waitForURL('**/services/orders?**');
  assert.deepEqual(wrong, []);
  await context.close();
});

test('callees that stand beside each other have colours of their own', async () => {
  const { context, page } = await open('/services/orders?story=full');
  await page.waitForSelector('.uplot canvas');
  const colours = await page.getByRole('img', { name: /^Where its time goes/ }).locator('span')
    .evaluateAll((parts) => parts.map((part) => getComputedStyle(part).backgroundColor));
  assert.equal(colours.length, 6);
  assert.equal(new Set(colours).size, colours.length);
  await context.close();
});

test('4xx are in sight and are not called errors', async () => {
  const { context, page } = await open('/services?story=full');
  const row = page.locator('tbody tr', { hasText: 'catalog' });
  await row.waitFor();
  const titles = await page.locator('thead th').allInnerTexts();
  const cell = (title) => row.locator('td').nth(titles.indexOf(title)).innerText();
  assert.equal(await cell('Errors'), '0 %');
  assert.equal(await cell('4xx'), '4.0 %');
  assert.equal(await cell('Requests'), '6,630');
  await context.close();
});

test('the edge of the panel moves by key and by pointer and its place is in the address', async () => {
  const { context, page, wrong } = await open('/map?story=full&sel=payments');
  const edge = page.getByRole('separator');
  const width = async () => Math.round((await page.locator('aside').boundingBox()).width);
  await edge.waitFor();
  const before = await width();
  await edge.focus();
  await page.keyboard.press('ArrowLeft');
  assert.match(page.url(), /panel=42/);
  assert.ok(await width() > before);
  const at = await edge.boundingBox();
  await page.mouse.move(at.x + at.width / 2, at.y + 40);
  await page.mouse.down();
  await page.mouse.move(at.x - 150, at.y + 40, { steps: 4 });
  await page.mouse.up();
  const dragged = await width();
  assert.ok(dragged > before + 120, `${before} to ${dragged}`);
  await page.reload();
  await edge.waitFor();
  assert.equal(await width(), dragged);
  await edge.focus();
  await page.keyboard.press('Enter');
  assert.doesNotMatch(page.url(), /panel=/);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(wrong, []);
  await context.close();
});

for (const view of [{ theme: 'light' }, { theme: 'dark' }, { theme: 'light', width: 400 }]) {
  for (const [tap, query, shown] of [['full', '', 'pre'], ['empty', '&quiet=1', 'p:has-text("No spans pass now")'], ['broken', '&tap=broken', '[role=alert]']]) {
    test(`pipelines-tap-${tap}-${view.width ?? view.theme}`, async () => {
      const edge = encodeURIComponent('processor/probabilistic_sampler@traces/otlp>exporter/otlp_grpc>traces/otlp');
      const { context, page, wrong } = await open(`/pipelines?story=partial&sel=${edge}${query}`, view);
      await page.waitForSelector(`aside ${shown}`);
      await page.waitForTimeout(600);
      await page.screenshot({ path: join(shots, `pipelines-tap-${tap}-${view.width ?? view.theme}.png`), fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `the page is ${wide} px wider than its window`);
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(wrong, []);
      await context.close();
    });
  }
}

test('the tap of an edge shows what passes, says what it leaves out, and pauses', async () => {
  const edge = encodeURIComponent('receiver/ebpf>exporter/rollup>traces');
  const { context, page, wrong } = await open(`/pipelines?story=full&sel=${edge}`);
  const tap = page.locator('section[aria-label="Live tap"]');
  await tap.locator('pre').first().waitFor();
  assert.match(await tap.locator('pre').first().innerText(), /name: "GET \/api\/orders\/\{id\}"/);
  assert.match(await tap.locator('li').first().innerText(), /103 spans.*the first 2.*12 batches with 1,236 spans before it not shown/s);
  await tap.locator('button').click();
  assert.match(await tap.innerText(), /Paused\./);
  assert.equal(await tap.locator('li').count(), 3, 'what was shown stays');
  assert.deepEqual(wrong, []);
  await context.close();
});

test('the pipelines tell which component fails and why', async () => {
  const { context, page, wrong } = await open('/pipelines?story=partial&view=table&pipeline=metrics/otlp&sel=exporter/otlp_grpc');
  await page.waitForSelector('aside');
  assert.match(await page.locator('aside').innerText(), /failing since .*connection refused/s);
  const row = page.locator('table[aria-label=Components] tbody tr, caption:has-text("Components") ~ tbody tr').first();
  assert.match(await row.innerText(), /otlp_grpc\s+exporter\s+failing/);
  assert.deepEqual(wrong, []);
  await context.close();
});

test('the pipelines tell what was lost, where and why, and lead from edge to component', async () => {
  const { context, page, wrong } = await open('/pipelines?story=partial');
  await page.locator('.react-flow__node').first().waitFor();
  assert.match(await page.locator('main').innerText(), /otlp_grpc: 1,800 spans lost, queue full/);
  await page.getByRole('button', { name: 'traces/otlp' }).click();
  assert.match(page.url(), /pipeline=traces%2Fotlp/);
  assert.equal(await page.locator('.react-flow__node').count(), 3);
  await page.locator('.react-flow__node[data-id="exporter/otlp_grpc"]').click();
  const panel = page.locator('aside');
  assert.match(await panel.innerText(), /93 % full[^]*1,800 spans lost/);
  await panel.getByRole('link', { name: 'probabilistic_sampler' }).first().click();
  assert.match(await panel.innerText(), /41\.3 spans\/s/);
  assert.match(page.url(), /pipeline=traces%2Fotlp/);
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(shots, 'pipelines-panel.png') });
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(wrong, []);
  await context.close();
});

test('a sort is held in the address and a range keeps it', async () => {
  const { context, page } = await open('/services?story=full');
  await page.getByRole('button', { name: 'Rate' }).click();
  assert.match(page.url(), /services\.sort=rate/);
  assert.match(await page.locator('tbody tr').first().innerText(), /gateway/);
  await page.getByRole('button', { name: '15m' }).click();
  assert.match(page.url(), /services\.sort=rate.*range=15m/);
  await page.reload();
  await page.waitForSelector('tbody tr');
  assert.match(await page.locator('tbody tr').first().innerText(), /gateway/);
  await context.close();
});
