// SPDX-License-Identifier: Apache-2.0
// Unary gRPC calls over HTTP/2, encrypted or not, for the OTLP exporter. Calls share one connection
// and run at once up to the peer's stream limit. A lost connection fails its calls as Unavailable
// and the next call connects again; a peer's GOAWAY moves new calls to a new connection while old
// ones end. Messages are sent as they are given, compressed or not; answers are decompressed. It is
// not a general gRPC: no streaming calls, no balancing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http/http_types.h"
#include "net/loop.h"
#include "net/socket/proxy.h"
#include "net/tls/tls.h"

namespace sonde::net {

struct GrpcClientOptions {
  std::string endpoint;                        // "host:port" or "http://host:port"
  Duration timeout = std::chrono::seconds(5);  // one call, connecting included
  Headers headers;                             // metadata sent with each call
  size_t max_response = 4 * 1024 * 1024;
  // A connection with calls that is silent for so long is asked whether its peer is still there;
  // one that does not answer in time is given up. 0: never.
  Duration ping_after{};
  Duration ping_timeout = std::chrono::seconds(20);
  bool ping_without_calls = false;
  std::string authority;             // the name of the server; empty: as the endpoint says
  std::string user_agent = "sonde";  // nothing is sent where it is empty
  std::optional<Proxy> proxy = std::nullopt;
  TlsContextPtr tls = nullptr;  // of make_tls_client(); none: in the clear
};

class GrpcClient {
 public:
  using Callback = std::move_only_function<void(Result<std::string>)>;

  GrpcClient(Loop& loop, GrpcClientOptions options);
  GrpcClient(Loop& loop, std::string_view endpoint, Duration timeout);
  ~GrpcClient();  // as close()
  GrpcClient(const GrpcClient&) = delete;
  GrpcClient& operator=(const GrpcClient&) = delete;

  // path is "/package.Service/Method". The callback runs exactly once, on the loop, never inside
  // this call, with the response message or the mapped grpc-status (see grpc_frame.h).
  // `encoding` is the grpc-encoding that the message already has, if any; `metadata` is sent with
  // this call alone.
  void unary(std::string_view path, Bytes message, Callback done, std::string_view encoding = {},
             Headers metadata = {});
  // Ends every running call with Unavailable, inside this call. Later calls fail as well.
  void close();

  struct Impl;  // internal

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace sonde::net
