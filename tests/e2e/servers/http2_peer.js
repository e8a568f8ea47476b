// SPDX-License-Identifier: Apache-2.0
// Node's own HTTP/2, as a peer of Sonde's. `send URL COUNT` posts so many OTLP requests over one connection and prints the
// statuses; `serve PORT` answers gRPC calls and prints how many came over each connection. An error of the session ends it.
const http2 = require('http2');
const [, , role, at, count] = process.argv;
const fatal = (error) => { console.log(`session: ${error.message}`); process.exit(1); };

if (role === 'send') {
  const session = http2.connect(at);
  session.on('error', fatal);
  const statuses = [];
  const next = () => {
    const request = session.request({ ':method': 'POST', ':path': '/v1/traces', 'content-type': 'application/json' });
    request.on('response', (headers) => statuses.push(headers[':status']));
    request.on('error', fatal);
    request.resume();
    request.on('end', () => (statuses.length < Number(count) ? next() : (console.log(statuses.join(' ')), session.close())));
    request.end('{"resourceSpans":[]}');
  };
  next();
} else {
  const server = http2.createServer();
  server.on('sessionError', fatal);
  server.on('session', (session) => {
    let calls = 0;
    session.on('stream', (stream) => {
      stream.resume();
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => { stream.sendTrailers({ 'grpc-status': '0' }); console.log(`call ${++calls}`); });
        stream.end(Buffer.alloc(5));
      });
    });
  });
  server.listen(Number(at), '127.0.0.1', () => console.log('listening'));
}
