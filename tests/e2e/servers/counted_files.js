// SPDX-License-Identifier: Apache-2.0
// Static files as Node servers send them: a head, then the file as a stream. counted_files.js PORT DIRECTORY
const fs = require('fs');
const names = { '/big': 'big', '/missing': null };
require('http').createServer((request, response) => {
  request.resume();
  const name = request.url in names ? names[request.url] : 'ok';
  if (!name || request.url === '/broken') {
    response.writeHead(name ? 500 : 404, { 'Content-Length': 0 });
    return response.end();
  }
  const path = `${process.argv[3]}/${name}`;
  response.writeHead(200, { 'Content-Length': fs.statSync(path).size });
  fs.createReadStream(path).pipe(response);
}).listen(Number(process.argv[2]), '127.0.0.1');
