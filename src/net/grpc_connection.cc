// SPDX-License-Identifier: Apache-2.0
#include "net/internal/grpc_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <cstring>

#include "net/internal/connect.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

constexpr size_t kMaxWrite = 128 * 1024;
constexpr size_t kMaxTrailer = 8 * 1024;  // of one value that is kept

nghttp2_nv pair(std::string_view name, std::string_view value) {
  nghttp2_nv nv{};
  // nghttp2 takes mutable pointers but copies the bytes unless told otherwise.
  nv.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
  nv.value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
  nv.namelen = name.size();
  nv.valuelen = value.size();
  return nv;
}

Result<std::string> outcome_of(GrpcCall& call, uint32_t http2_error) {
  if (call.broken) return std::unexpected(*call.broken);
  if (call.trailers.status || http2_error == NGHTTP2_NO_ERROR) {
    if (auto status = grpc_outcome(call.trailers); !status) return std::unexpected(status.error());
    return call.reader.finish();
  }
  const bool retryable = http2_error == NGHTTP2_CANCEL ||
                         http2_error == NGHTTP2_ENHANCE_YOUR_CALM ||
                         http2_error == NGHTTP2_REFUSED_STREAM;
  return fail(retryable ? ErrorKind::Unavailable : ErrorKind::Invalid,
              fmt::format("the peer reset the call: {}", nghttp2_http2_strerror(http2_error)));
}

}  // namespace

struct GrpcConnection::Callbacks {
  static GrpcConnection& self(void* user) { return *static_cast<GrpcConnection*>(user); }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                    size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                    void* user) {
    const auto call = self(user).call_of(frame->hd.stream_id);
    if (!call) return 0;
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    const std::string_view text(reinterpret_cast<const char*>(value),
                                std::min(value_size, kMaxTrailer));
    GrpcTrailers& t = call->trailers;
    if (key == ":status") {
      t.http_status = 0;
      for (const char c : text.substr(0, 3)) t.http_status = t.http_status * 10 + (c - '0');
    } else if (key == "grpc-status") {
      t.status = std::string(text);
    } else if (key == "grpc-message") {
      t.message = std::string(text);
    } else if (key == "grpc-retry-pushback-ms") {
      t.pushback = std::string(text);
    } else if (key == "grpc-status-details-bin") {
      t.details = std::string(text);
    }
    return 0;
  }

  static int data(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* bytes,
                  size_t size, void* user) {
    const auto call = self(user).call_of(stream);
    // The body of an answer that is not gRPC, such as a proxy's error page, says nothing to us.
    if (!call || call->broken || call->trailers.http_status != 200) return 0;
    auto fed = call->reader.feed({reinterpret_cast<const char*>(bytes), size});
    if (!fed) {
      call->broken = std::move(fed.error());
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
    }
    return 0;
  }

  static int stream_closed(nghttp2_session*, int32_t stream, uint32_t error, void* user) {
    GrpcConnection& c = self(user);
    const auto call = c.call_of(stream);
    if (!call) return 0;
    c.calls_.erase(stream);
    c.closed_.emplace_back(call, error);
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) self(user).draining_ = true;
    if (frame->hd.type == NGHTTP2_SETTINGS) self(user).greeted_ = true;
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (const auto call = self(user).call_of(frame->hd.stream_id)) call->on_wire = true;
    return 0;
  }

  static int frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    GrpcConnection& c = self(user);
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (const auto call = c.call_of(frame->hd.stream_id)) {
      c.calls_.erase(frame->hd.stream_id);
      c.unsent_.push_back(call);
    }
    return 0;
  }

  static ssize_t body(nghttp2_session*, int32_t, uint8_t* out, size_t size, uint32_t* flags,
                      nghttp2_data_source* source, void*) {
    auto& call = *static_cast<GrpcCall*>(source->ptr);
    size_t written = 0;
    for (const std::string_view part : {std::string_view(call.prefix), call.message.view()}) {
      const size_t skipped = part.data() == call.prefix.data() ? 0 : call.prefix.size();
      if (call.sent < skipped || call.sent >= skipped + part.size()) continue;
      const std::string_view rest = part.substr(call.sent - skipped);
      const size_t n = std::min(rest.size(), size - written);
      std::memcpy(out + written, rest.data(), n);
      written += n;
      call.sent += n;
    }
    if (call.sent == call.prefix.size() + call.message.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(written);
  }
};

GrpcConnection::GrpcConnection(GrpcClient::Impl& owner)
    : owner_(owner.weak_from_this()),
      url_(*owner.url),
      connect_timeout_(owner.options.timeout),
      metadata_(owner.options.headers),
      loop_(owner.loop),
      stream_(owner.loop.impl().io) {}

GrpcConnection::~GrpcConnection() { nghttp2_session_del(session_); }

GrpcCallPtr GrpcConnection::call_of(int32_t stream) const {
  const auto found = calls_.find(stream);
  return found == calls_.end() ? nullptr : found->second;
}

asio::awaitable<void> GrpcConnection::run(std::shared_ptr<GrpcConnection> self) {
  GrpcConnection& c = *self;
  c.stream_.expires_after(c.connect_timeout_);
  if (auto made = co_await connect(c.stream_, c.url_.address); !made) {
    if (!c.dead_) c.abort(std::move(made.error().message));
    co_return c.end();
  }
  if (c.dead_) co_return c.end();
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::stream_closed);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::frame_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::frame_not_sent);
  nghttp2_session_client_new(&c.session_, callbacks, &c);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  nghttp2_submit_settings(c.session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  for (const auto& call : std::exchange(c.waiting_, {})) c.submit_now(call);
  c.stream_.expires_never();
  c.flush();
  std::array<char, 16384> in;
  while (!c.dead_) {
    const auto [error, n] = co_await c.stream_.async_read_some(asio::buffer(in), kAwait);
    if (c.dead_) break;
    if (error) {
      c.lost(error);
      break;
    }
    c.received_ += n;
    const ssize_t used =
        nghttp2_session_mem_recv(c.session_, reinterpret_cast<const uint8_t*>(in.data()), n);
    if (used < 0) {
      c.abort(fmt::format("the peer does not speak HTTP/2: {}",
                          nghttp2_strerror(static_cast<int>(used))));
      break;
    }
    c.flush();
    c.settle();
  }
  c.end();
}

void GrpcConnection::submit(const GrpcCallPtr& call) {
  call->connection = weak_from_this();
  call->received_before = received_;
  if (session_ == nullptr) {
    waiting_.push_back(call);
    return;
  }
  submit_now(call);
  flush();
  settle();
}

void GrpcConnection::submit_now(const GrpcCallPtr& call) {
  if (call->finished) return;
  const std::string authority = url_.address.to_string();
  const std::string path = url_.path + call->path;
  std::vector<nghttp2_nv> head = {
      pair(":method", "POST"),     pair(":scheme", "http"),
      pair(":path", path),         pair(":authority", authority),
      pair("te", "trailers"),      pair("content-type", "application/grpc"),
      pair("user-agent", "sonde"), pair("grpc-timeout", call->timeout_header)};
  for (const Header& header : metadata_) head.push_back(pair(header.name, header.value));
  nghttp2_data_provider body{};
  body.source.ptr = call.get();
  body.read_callback = Callbacks::body;
  const int32_t id =
      nghttp2_submit_request(session_, nullptr, head.data(), head.size(), &body, nullptr);
  if (id < 0) {  // stream ids are used up
    draining_ = true;
    unsent_.push_back(call);
    return;
  }
  call->stream = id;
  calls_.emplace(id, call);
}

bool GrpcConnection::cancel(const GrpcCallPtr& call) {
  if (std::erase(waiting_, call) > 0) return true;
  // The entry stays until nghttp2 closes the stream: its body is still read from the call.
  if (call_of(call->stream) != call || dead_) return false;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, call->stream, NGHTTP2_CANCEL);
  flush();
  settle();
  return true;
}

void GrpcConnection::flush() {
  if (writing_ || dead_ || session_ == nullptr) return;
  writing_ = true;
  asio::co_spawn(loop_.impl().io, write_all(shared_from_this()), asio::detached);
}

asio::awaitable<void> GrpcConnection::write_all(std::shared_ptr<GrpcConnection> self) {
  GrpcConnection& c = *self;
  std::string out;
  while (!c.dead_) {
    out.clear();
    while (out.size() < kMaxWrite) {
      const uint8_t* bytes = nullptr;
      const ssize_t n = nghttp2_session_mem_send(c.session_, &bytes);
      if (n < 0) c.abort(nghttp2_strerror(static_cast<int>(n)));
      if (n <= 0) break;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(n));
    }
    if (out.empty() || c.dead_) break;
    const auto [error, n] = co_await asio::async_write(c.stream_, asio::buffer(out), kAwait);
    if (error && !c.dead_) c.lost(error);
  }
  c.writing_ = false;
  if (c.dead_) co_return;
  if (nghttp2_session_want_read(c.session_) == 0 && nghttp2_session_want_write(c.session_) == 0) {
    c.abort(c.greeted_ ? "the peer ended the connection" : "the peer does not speak HTTP/2");
  }
  c.settle();
}

// Finishes what the callbacks collected. A user's callback may close the client, which only marks
// this connection dead; `self` keeps it in memory.
void GrpcConnection::settle() {
  const auto self = shared_from_this();
  const auto owner = owner_.lock();
  const auto closed = std::exchange(closed_, {});
  const auto unsent = std::exchange(unsent_, {});
  if (!owner) return;
  for (const auto& call : unsent) owner->retry(call, why_);
  for (const auto& [call, error] : closed) {
    if (error == NGHTTP2_REFUSED_STREAM && !call->trailers.status) {
      owner->retry(call, "the peer refused the call");
    } else {
      owner->finish(call, outcome_of(*call, error));
    }
  }
}

void GrpcConnection::lost(error_code error) {
  const bool closed = error == asio::error::eof;
  abort(fmt::format("lost the connection to {}: {}", url_.address.to_string(),
                    closed ? "closed by the peer" : error.message()));
}

void GrpcConnection::abort(std::string why) {
  if (std::exchange(dead_, true)) return;
  why_ = std::move(why);
  error_code ignored;
  stream_.socket().close(ignored);
  stream_.cancel();
}

void GrpcConnection::end() {
  dead_ = true;
  error_code ignored;
  stream_.socket().close(ignored);
  settle();
  const auto owner = owner_.lock();
  if (!owner) return;
  if (owner->connection.get() == this) owner->connection.reset();
  const bool connected = session_ != nullptr;
  auto calls = std::exchange(calls_, {});
  for (const auto& call : std::exchange(waiting_, {})) {
    owner->finish(call, fail(ErrorKind::Unavailable, why_));
  }
  for (const auto& [id, call] : calls) {
    if (connected && !call->on_wire) {
      owner->retry(call, why_);
    } else {
      owner->finish(call, fail(ErrorKind::Unavailable, why_));
    }
  }
}

}  // namespace sonde::net
