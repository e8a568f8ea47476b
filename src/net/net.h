// SPDX-License-Identifier: Apache-2.0
// The manual of the net room: everything of Sonde that touches a socket.
//
//   loop.h         one event loop, one thread: the Scheduler of a shard, with fds and signals
//   address.h      "host:port" and "http://host:port/path" with errors that say what is wrong
//   http_server.h  HTTP/1.1 and HTTP/2 server: keep-alive, pipelining, limits, server-sent events
//   cors.h         which pages of browsers may use a server
//   http_client.h  HTTP/1.1 client: a few kept-alive connections, a timeout, a bounded answer
//   grpc_client.h  unary gRPC calls over HTTP/2
//   grpc_server.h  the same from the other side
//   proxy.h        proxies that clients go through, and when
//   tls.h          encryption, with certificates from files or text
//   compression/   gzip, zstd, snappy, zlib, lz4 under a bound
//   grpc_frame.h   the pure parts of gRPC: message framing, status mapping, message decoding
//   descriptors.h  how many connections a process may have
//   own_port.h     which ports this process holds, so that the probe leaves it out
//   port_owner.h   which process holds a port, so that "address in use" names the culprit
//
// Asio, Beast and nghttp2 appear only in .cc files and internal/: users of this room pay for none
// of their headers. Objects of this room belong to the thread of their loop; only Loop::post(),
// Loop::stop(), Responder and Stream may be used from other threads.
#pragma once

#include "net/address.h"
#include "net/grpc_client.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
