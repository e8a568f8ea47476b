// SPDX-License-Identifier: Apache-2.0
const statuses = { '/missing': 404, '/broken': 500 };
require('http').createServer((request, response) => {
  request.resume();
  response.writeHead(statuses[request.url] || 200, { 'Content-Length': 2 });
  response.end('ok');
}).listen(Number(process.argv[2]), '127.0.0.1');
