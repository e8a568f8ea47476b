// SPDX-License-Identifier: Apache-2.0
// gRPC calls of one message over HTTP/2, encrypted or not, from the receiving side. A call is given
// to the handler when its message is whole. What a peer can spend is bounded: header bytes, message
// bytes, calls, connections and time; room for a message is asked for (admit) before its first byte
// is kept, and a call that gets none is refused at once. Compressed messages are handed on as they
// came. An answer may be one message or several. It is not a general gRPC: clients stream nothing,
// and there is no reflection.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/admission.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http/http_types.h"
#include "net/loop.h"
#include "net/socket/accepting.h"
#include "net/tls/tls.h"

namespace sonde::net {

// The canonical codes that a server answers with (google.rpc.Code).
enum class GrpcCode : uint8_t {
  Ok = 0,
  Cancelled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
};

struct GrpcStatus {
  GrpcCode code = GrpcCode::Ok;
  std::string message;
  std::string details;  // A serialized google.rpc.Status for grpc-status-details-bin, or empty.
};

// As gRPC's own servers keep connections, with their defaults. 0 is never unless said otherwise.
struct GrpcServerKeepalive {
  Duration max_idle{};       // without a call; then the peer is sent away
  Duration max_age{};        // a tenth more or less; then the same
  Duration max_age_grace{};  // for calls in progress; then the connection is closed. 0: for ever
  Duration ping_after = std::chrono::hours(2);  // of silence
  Duration ping_timeout = std::chrono::seconds(20);
  // A peer that pings more often, three times without an answer to a call between, is closed. 0:
  // it may.
  Duration min_ping_interval = std::chrono::minutes(5);
  bool pings_without_calls = false;
};
struct GrpcRequest;
// What a server says before it keeps a byte of a message.
using GrpcAdmitted = std::expected<Admission, GrpcStatus>;
// Who sent a call, or why nobody is let in.
using GrpcIdentified = std::expected<Sender, GrpcStatus>;
using GrpcIdentifiedLater = std::move_only_function<void(GrpcIdentified)>;

struct GrpcServerOptions {
  size_t max_message = size_t{4} << 20;  // bytes of one message as sent
  size_t max_header = 16 * 1024;
  uint32_t max_concurrent_streams = 1024;  // of one connection
  size_t max_connections = 10'000;
  bool keep_metadata = true;  // whether requests carry their metadata, which costs strings
  Duration message_timeout = std::chrono::seconds(60);  // from the head of a call to its end
  Duration hello_timeout = std::chrono::seconds(10);    // for the first bytes of a connection
  Accepting accepting = {};
  GrpcServerKeepalive keepalive = {};
  TlsContextPtr tls = nullptr;  // of make_tls_server(); none: in the clear
  // Asked first, with the head of a call: who sent it. Where it gives nothing it calls `later` once
  // on the loop, not within this call; until then no more of the message is kept than the window
  // of its stream and the memory limit allow. The handler finds the sender in the request.
  std::function<std::optional<GrpcIdentified>(const GrpcRequest&, GrpcIdentifiedLater later)>
      identify = {};
  // Asked before the first byte of a message of so many bytes is kept, or the first more where the
  // sender became known later. A status refuses the call at once; else the handler finds the
  // admission in the request.
  std::function<GrpcAdmitted(const GrpcRequest&, size_t bytes)> admit = {};
};

struct GrpcRequest {
  std::string_view path;      // "/package.Service/Method"; valid during the call
  std::string_view encoding;  // of the message: empty when it is not compressed
  std::string_view peer;
  const Headers& metadata;  // without the pseudo-headers
  Bytes message;
  Admission admission;
  Sender sender = {};
};

class GrpcServerConnection;  // internal

// An answer of several messages, on the loop's thread. Safe when the peer or the server is gone.
// Destroying it ends the answer with OK.
class GrpcStream {
 public:
  GrpcStream() = default;
  GrpcStream(GrpcStream&&) noexcept;
  GrpcStream& operator=(GrpcStream&&) noexcept;
  ~GrpcStream();

  // Whether the peer still listens.
  bool open() const;
  // Whether the last message has gone out; send() does nothing before.
  bool ready() const;
  void send(Bytes message);
  void finish(const GrpcStatus& status);

 private:
  friend class GrpcResponder;
  GrpcStream(std::weak_ptr<GrpcServerConnection> connection, uint32_t stream)
      : connection_(std::move(connection)), stream_(stream) {}
  std::weak_ptr<GrpcServerConnection> connection_;
  uint32_t stream_ = 0;  // 0 once it has ended
};

// The right to answer one call, once, on the loop's thread. Safe when the peer or the server is
// gone: the answer then goes nowhere. Destroying it unanswered answers INTERNAL.
class GrpcResponder {
 public:
  GrpcResponder(GrpcResponder&&) noexcept;
  GrpcResponder& operator=(GrpcResponder&&) noexcept;
  ~GrpcResponder();

  void respond(Bytes message);
  void fail(const GrpcStatus& status);
  // An answer of several messages; the head goes out now.
  GrpcStream start_stream();

 private:
  friend class GrpcServerConnection;
  GrpcResponder(std::weak_ptr<GrpcServerConnection> connection, uint32_t stream)
      : connection_(std::move(connection)), stream_(stream) {}
  std::weak_ptr<GrpcServerConnection> connection_;
  uint32_t stream_ = 0;  // 0 once it is answered
};

class GrpcServer {
 public:
  using Handler = std::move_only_function<void(GrpcRequest, GrpcResponder)>;

  // "host:port" or "unix:PATH". Binds and listens at once.
  static Result<std::unique_ptr<GrpcServer>> listen(Loop& loop, std::string_view address,
                                                    Handler handler,
                                                    GrpcServerOptions options = {});
  // Closes the listener and all connections. On the loop's thread, or while it does not run.
  ~GrpcServer();
  // Takes no new connections. Those that there are go on with the server that listens on the same
  // socket now, if there is one on this loop and both are in the clear; else they are told GOAWAY,
  // and what was on its way until they heard of it is still answered.
  void drain();
  // Whether no call is in progress any more, and none can begin.
  bool drained() const;
  uint16_t port() const;
  size_t connections() const;

  struct Impl;  // internal

 private:
  explicit GrpcServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace sonde::net
