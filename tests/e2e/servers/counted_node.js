// SPDX-License-Identifier: Apache-2.0
// counted_node.js PORT [HOST], or a path in place of the port for a unix socket.
const statuses = { '/missing': 404, '/broken': 500 };
const [where, host] = process.argv.slice(2);
const server = require('http').createServer((request, response) => {
  request.resume();
  response.writeHead(statuses[request.url] || 200, { 'Content-Length': 2 });
  response.end('ok');
});
server.keepAliveTimeout = 0;  // A slow machine must not lose a connection for being slow.
server.listen(...(where.startsWith('/') ? [where] : [Number(where), host || '127.0.0.1']));
