// SPDX-License-Identifier: Apache-2.0
// Accepts any upgrade and then answers each message with two bytes, as a WebSocket peer would.
const server = require('http').createServer((request, response) => response.end('ok'));
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  socket.on('data', () => socket.write('ok'));
  socket.on('error', () => {});
});
server.listen(Number(process.argv[2]), '127.0.0.1');
