// SPDX-License-Identifier: Apache-2.0
// counted.js PORT express|fastify|koa
const port = Number(process.argv[2]);
const statuses = { '/missing': 404, '/broken': 500 };
const status = (path) => statuses[path] || 200;

const servers = {
  express() {
    const app = require('express')();
    app.use((request, response) => response.status(status(request.path)).send('ok'));
    app.listen(port, '127.0.0.1');
  },
  fastify() {
    const app = require('fastify')();
    app.addContentTypeParser('*', (request, payload, done) => payload.resume().on('end', () => done(null)));
    app.all('/*', (request, reply) => reply.code(status(request.url)).send('ok'));
    app.listen({ port, host: '127.0.0.1' });
  },
  koa() {
    const Koa = require('koa');
    const app = new Koa();
    app.use((context) => { context.status = status(context.path); context.body = 'ok'; });
    app.listen(port, '127.0.0.1');
  },
};
servers[process.argv[3]]();
