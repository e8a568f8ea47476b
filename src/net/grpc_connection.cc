// SPDX-License-Identifier: Apache-2.0
#include "net/internal/grpc_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/compression/compression.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

constexpr size_t kReadSize = 64 * 1024;
constexpr size_t kMaxWrite = 512 * 1024;
constexpr size_t kMaxTrailer = 8 * 1024;  // of one value that is kept

// One for the thread: a connection reads into it and has handed everything on before it waits.
char* read_buffer() {
  thread_local std::unique_ptr<char[]> buffer(new char[kReadSize]);
  return buffer.get();
}

Result<std::string> outcome_of(GrpcCall& call, uint32_t http2_error) {
  if (call.broken) return std::unexpected(*call.broken);
  if (call.trailers.status || http2_error == NGHTTP2_NO_ERROR) {
    if (auto status = grpc_outcome(call.trailers); !status) return std::unexpected(status.error());
    return call.reader.finish(call.trailers.encoding);
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
    GrpcCall* const call = self(user).call_of(frame->hd.stream_id);
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
    } else if (key == "grpc-encoding") {
      t.encoding = std::string(text);
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
    GrpcCall* const call = self(user).call_of(stream);
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
    auto at = c.calls_.extract(stream);
    if (at) c.closed_.emplace_back(std::move(at.mapped()), error);
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) self(user).goaway(frame->goaway);
    if (frame->hd.type == NGHTTP2_SETTINGS) self(user).greeted_ = true;
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (GrpcCall* const call = self(user).call_of(frame->hd.stream_id)) call->on_wire = true;
    return 0;
  }

  static int frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    GrpcConnection& c = self(user);
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    auto at = c.calls_.extract(frame->hd.stream_id);
    if (at) c.unsent_.push_back(std::move(at.mapped()));
    return 0;
  }

  static ssize_t body(nghttp2_session*, int32_t, uint8_t*, size_t size, uint32_t* flags,
                      nghttp2_data_source* source, void*) {
    const size_t left = static_cast<GrpcCall*>(source->ptr)->request.left();
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (left <= size) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(std::min(size, left));
  }
  // The largest frames the peer takes: each costs it, and us, a header.
  static ssize_t read_length(nghttp2_session*, uint8_t, int32_t, int32_t connection_window,
                             int32_t stream_window, uint32_t max_frame, void*) {
    const auto length = std::min({int64_t{connection_window}, int64_t{stream_window},
                                  int64_t{max_frame}, int64_t{kMaxWrite}});
    return static_cast<ssize_t>(length);
  }
  static ssize_t send(nghttp2_session*, const uint8_t* bytes, size_t size, int, void* user) {
    GrpcConnection& c = self(user);
    if (c.out_.size() > kMaxWrite) return NGHTTP2_ERR_WOULDBLOCK;
    c.out_.copy({reinterpret_cast<const char*>(bytes), size});
    return static_cast<ssize_t>(size);
  }
  static int send_data(nghttp2_session*, nghttp2_frame*, const uint8_t* head, size_t length,
                       nghttp2_data_source* source, void* user) {
    GrpcConnection& c = self(user);
    if (c.out_.size() > kMaxWrite) return NGHTTP2_ERR_WOULDBLOCK;
    c.out_.copy({reinterpret_cast<const char*>(head), 9});
    static_cast<GrpcCall*>(source->ptr)->request.move_to(c.out_, length);
    return 0;
  }
};

GrpcConnection::GrpcConnection(GrpcClient::Impl& owner)
    : owner_(owner.weak_from_this()),
      url_(*owner.url),
      authority_(owner.options.authority.empty() ? url_.authority() : owner.options.authority),
      user_agent_(owner.options.user_agent),
      connect_timeout_(owner.options.timeout),
      metadata_(owner.options.headers),
      loop_(owner.loop),
      tls_(owner.options.tls),
      proxy_(owner.options.proxy),
      dial_(owner.loop) {}

GrpcConnection::~GrpcConnection() {
  stop_pings();
  nghttp2_session_del(session_);
}

GrpcCall* GrpcConnection::call_of(int32_t stream) const {
  const auto found = calls_.find(stream);
  return found == calls_.end() ? nullptr : found->second.get();
}

asio::awaitable<void> GrpcConnection::run(std::shared_ptr<GrpcConnection> self) {
  GrpcConnection& c = *self;
  const TimerId timer = c.loop_.after(c.connect_timeout_, [weak = c.weak_from_this()] {
    if (const auto late = weak.lock()) late->dial_.abandon();
  });
  auto made = co_await c.dial_.connect(c.url_.address, c.tls_, c.proxy_);
  c.loop_.cancel(timer);
  if (!made) {
    if (!c.dead_) c.abort(std::move(made.error().message));
    co_return c.end();
  }
  if (c.dead_) co_return c.end();
  c.transport_ = std::move(*made);
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::stream_closed);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::frame_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::frame_not_sent);
  nghttp2_session_callbacks_set_send_callback(callbacks, Callbacks::send);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::send_data);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, Callbacks::read_length);
  nghttp2_session_client_new(&c.session_, callbacks, &c);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  nghttp2_submit_settings(c.session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  for (const auto& call : std::exchange(c.waiting_, {})) c.submit_now(call);
  c.flush();
  while (!c.dead_) {
    if (const auto error = co_await c.transport_->wait_readable(); error || c.dead_) {
      if (!c.dead_) c.lost(error);
      break;
    }
    char* const in = read_buffer();
    const auto [error, n] = c.transport_->read(asio::buffer(in, kReadSize));
    if (error == asio::error::would_block || error == asio::error::try_again) continue;
    if (error) {
      c.lost(error);
      break;
    }
    c.received_ += n;
    if (c.pinged_) c.heard();
    const ssize_t used =
        nghttp2_session_mem_recv(c.session_, reinterpret_cast<const uint8_t*>(in), n);
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
  flush_soon();
}

void GrpcConnection::submit_now(const GrpcCallPtr& call) {
  if (call->finished) return;
  const std::string path = url_.path.empty() ? std::string() : url_.path + call->path;
  std::vector<nghttp2_nv> head;
  head.reserve(10 + metadata_.size());
  head.assign({http2_field(":method", "POST"), http2_field(":scheme", tls_ ? "https" : "http"),
               http2_field(":path", url_.path.empty() ? call->path : path),
               http2_field(":authority", authority_), http2_field("te", "trailers"),
               http2_field("content-type", "application/grpc"),
               http2_field("grpc-timeout", call->timeout_header)});
  if (!user_agent_.empty()) head.push_back(http2_field("user-agent", user_agent_));
  if (!call->encoding.empty()) {
    head.push_back(http2_field("grpc-encoding", call->encoding));
    head.push_back(http2_field("grpc-accept-encoding", accepted_encodings(Carrier::Grpc)));
  }
  for (const Header& header : metadata_) head.push_back(http2_field(header.name, header.value));
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
  if (ping_timer_ == 0) {
    if (const auto owner = owner_.lock()) watch_silence(owner->options.ping_after);
  }
}

bool GrpcConnection::cancel(const GrpcCallPtr& call) {
  if (std::erase(waiting_, call) > 0) return true;
  // The entry stays until nghttp2 closes the stream: its body is still read from the call.
  if (call_of(call->stream) != call.get() || dead_) return false;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, call->stream, NGHTTP2_CANCEL);
  flush();
  settle();
  return true;
}

// Several calls within one turn of the loop become one write.
void GrpcConnection::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flush_posted_ = false;
    self->flush();
    self->settle();
  });
}

void GrpcConnection::flush() {
  if (writing_ || dead_ || session_ == nullptr) return;
  const Http2Flushed flushed = flush_http2(session_, out_, *transport_);
  if (flushed.session_error != 0) return abort(nghttp2_strerror(flushed.session_error));
  if (flushed.transport_error) return lost(flushed.transport_error);
  if (flushed.blocked) {
    writing_ = true;
    asio::co_spawn(loop_.impl().io, write_rest(shared_from_this()), asio::detached);
    return;
  }
  if (!dead_ && nghttp2_session_want_read(session_) == 0 &&
      nghttp2_session_want_write(session_) == 0) {
    abort(greeted_ ? "the peer ended the connection" : "the peer does not speak HTTP/2");
  }
}

asio::awaitable<void> GrpcConnection::write_rest(std::shared_ptr<GrpcConnection> self) {
  GrpcConnection& c = *self;
  const auto error = co_await c.transport_->write(c.out_.buffers());
  c.out_.clear();
  c.writing_ = false;
  if (error && !c.dead_) c.lost(error);
  c.flush();
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
  stop_pings();
  dial_.abandon();
  if (transport_) transport_->close();
}

void GrpcConnection::end() {
  dead_ = true;
  stop_pings();
  dial_.abandon();
  if (transport_) transport_->close();
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
