// SPDX-License-Identifier: Apache-2.0
// The manual of the net room: everything of Sonde that touches a socket.
//
//   loop.h         one event loop, one thread: the Scheduler of a shard, with fds and signals
//   socket/        addresses with errors that say what is wrong, listeners, dialling, proxies;
//   which
//                  ports this process holds and who holds a port that is taken
//   tls/           encryption, with certificates from files or text
//   http/          HTTP/1.1 and HTTP/2 server: keep-alive, pipelining, limits, server-sent events;
//                  HTTP/1.1 client: a few kept-alive connections, a timeout, a bounded answer
//   http2/         HTTP/2 without a socket: frames, streams, flow control; what gRPC and http/ use
//   grpc/          unary gRPC calls from both sides; framing, statuses, keepalive
//   compression/   gzip, zstd, snappy, zlib, lz4 under a bound
//
// Asio, Beast and nghttp2 appear only in .cc files and internal/: users of this room pay for none
// of their headers. Objects of this room belong to the thread of their loop; only Loop::post(),
// Loop::stop(), Responder and Stream may be used from other threads.
#pragma once

#include "net/grpc/grpc_client.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/loop.h"
#include "net/socket/address.h"
