// SPDX-License-Identifier: Apache-2.0
// What OpenSSL keeps for a TlsContext, and how its errors are read.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "net/internal/asio.h"
#include "net/tls.h"

namespace sonde::net {

struct TlsContext {
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> openssl;
  std::string server_name_override;
  std::string protocols;  // for ALPN: each name after its length
  bool client = false;
  bool verify = true;
};

// Whether ALPN names the protocol.
bool offers(const TlsContext& context, std::string_view protocol);

// The oldest of OpenSSL's queued errors, of which the rest are forgotten.
error_code take_openssl_error();

}  // namespace sonde::net
