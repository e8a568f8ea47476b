// SPDX-License-Identifier: Apache-2.0
// Catalog: Node's own http with a kept-alive agent. A product page asks inventory and reviews at the same time and
// counts the view in Redis over a few lines of RESP. It knows nothing of telemetry.
'use strict';
const fs = require('fs');
const http = require('http');
const net = require('net');

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function drag() {
  let ms = 0;
  try { ms = parseFloat(fs.readFileSync(process.env.DEMO_SLOW_FILE, 'utf8')) || 0; } catch { /* not slow */ }
  if (ms > 0) await sleep(ms);
}

function get(service, path) {
  const port = process.env[service.toUpperCase() + '_PORT'];
  return new Promise((done) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent, timeout: 10000 }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => {
        try { done({ status: answer.statusCode, body: JSON.parse(text) }); } catch { done({ status: 502 }); }
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done({ status: 503 }));
  });
}

let redis;
const waiting = [];
function count(key) {
  if (!redis) {
    redis = net.connect({ host: '127.0.0.1', port: process.env.REDIS_PORT, noDelay: true });
    redis.on('data', (data) => {
      for (const line of data.toString().split('\r\n')) if (line) waiting.shift()?.(line);
    });
    redis.on('error', () => {});
    redis.on('close', () => { redis = undefined; while (waiting.length) waiting.shift()(''); });
  }
  return new Promise((done) => {
    waiting.push(done);
    redis.write(`*2\r\n$4\r\nINCR\r\n$${key.length}\r\n${key}\r\n`);
  });
}

function answer(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

const server = http.createServer(async (request, response) => {
  if (request.url === '/healthz') return answer(response, 200, 'ok');
  await drag();
  if (request.url === '/api/catalog') {
    await count('lists');
    return answer(response, 200, Array.from({ length: 40 }, (_, i) => ({ sku: i + 1, name: 'thing ' + (i + 1) })));
  }
  const match = /^\/api\/catalog\/(\d+)$/.exec(request.url);
  if (!match) return answer(response, 404, { error: 'no such page' });
  const [stock, reviews] = await Promise.all([
    get('inventory', '/stock/' + match[1]), get('reviews', '/reviews/' + match[1]), count('views')]);
  if (stock.status === 404) return answer(response, 404, { error: 'no such product' });
  if (stock.status !== 200) return answer(response, 503, { error: 'no stock figure' });
  return answer(response, 200, { sku: Number(match[1]), stock: stock.body.count, reviews: reviews.body ?? null });
});
server.keepAliveTimeout = 60000;
server.listen(Number(process.env.PORT), '127.0.0.1');
