// SPDX-License-Identifier: Apache-2.0
// A Transport whose bytes are encrypted. A server shakes hands with the first read or write; a
// client does so beforehand, so that it can say what failed.
#pragma once

#include <memory>
#include <string_view>

#include "net/internal/transport.h"
#include "net/tls/tls.h"

namespace sonde::net {

class TlsTransport : public Transport {
 public:
  // Of a client. Unavailable with what failed: the peer's certificate, a version, an alert.
  virtual asio::awaitable<Result<>> handshake(std::string_view host) = 0;
};

std::unique_ptr<TlsTransport> make_tls_transport(Socket socket, TlsContextPtr context,
                                                 OwnPort near_end = {});

// The name that a client asks for instead of its peer's host; empty where there is none.
std::string_view name_override(const TlsContext& context);

}  // namespace sonde::net
