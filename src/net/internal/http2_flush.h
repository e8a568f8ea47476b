// SPDX-License-Identifier: Apache-2.0
// How an HTTP/2 session's output reaches a transport.
#pragma once

#include "net/http2/session.h"
#include "net/internal/transport.h"

namespace sonde::net::http2 {

struct Flushed {
  error_code error;      // The transport is of no use any more.
  bool blocked = false;  // It takes no more for now; the rest is in the session's output.
};
// Moves what a session has to send to a transport, for as long as that takes it.
Flushed flush(Session& session, Transport& transport);

// Writes all of an output, waiting where the transport does not take it at once.
asio::awaitable<error_code> write_all(Output output, Transport& transport);

}  // namespace sonde::net::http2
