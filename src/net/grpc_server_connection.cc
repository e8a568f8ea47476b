// SPDX-License-Identifier: Apache-2.0
#include "net/internal/grpc_server_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "net/grpc_frame.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

constexpr size_t kMaxWrite = 512 * 1024;
constexpr size_t kPrefix = 5;
// Windows only pace peers whose messages were admitted: memory is bounded by `admit`.
constexpr int32_t kStreamWindow = 4 << 20;
constexpr int32_t kConnectionWindow = 64 << 20;
constexpr uint32_t kMaxFrame = 1 << 20;

}  // namespace

struct GrpcServerConnection::Callbacks {
  static GrpcServerConnection& self(void* user) {
    return *static_cast<GrpcServerConnection*>(user);
  }
  static std::string_view text(const uint8_t* bytes, size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).begin(frame->hd.stream_id);
    return 0;
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                    size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                    void* user) {
    GrpcServerConnection& c = self(user);
    Call* const call = c.call_of(frame->hd.stream_id);
    if (call && !call->answered) {
      c.header(*call, text(name, name_size), text(value, value_size));
    }
    return 0;
  }
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    GrpcServerConnection& c = self(user);
    c.hello_by_ns_ = 0;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
      const int64_t now = c.server_->loop.clock().monotonic_ns();
      if (!c.keepalive_.pinged(now, c.calls_.size())) c.refuse_pings();
      return 0;
    }
    Call* const call = c.call_of(frame->hd.stream_id);
    if (!call || call->answered) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST &&
        !c.check_head(*call)) {
      return 0;
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
      c.finish(*call);
    }
    return 0;
  }
  static int data(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* bytes, size_t size,
                  void* user) {
    GrpcServerConnection& c = self(user);
    c.frame_left_ -= std::min(c.frame_left_, size);
    Call* const call = c.call_of(stream);
    if (call && !call->answered) c.data(*call, text(bytes, size));
    return 0;
  }
  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    GrpcServerConnection& c = self(user);
    const bool plain = head->type == NGHTTP2_DATA && (head->flags & NGHTTP2_FLAG_PADDED) == 0;
    c.frame_stream_ = head->stream_id;
    c.frame_left_ = plain ? head->length : 0;
    return 0;
  }
  static int stream_closed(nghttp2_session*, int32_t stream, uint32_t, void* user) {
    self(user).calls_.erase(stream);
    return 0;
  }
  // An answer before the end of the request: the peer may stop sending (RFC 9113 section 8.1).
  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type != NGHTTP2_HEADERS || !last) return 0;
    Call* const call = self(user).call_of(frame->hd.stream_id);
    if (call && !call->ended) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static ssize_t send(nghttp2_session*, const uint8_t* bytes, size_t size, int, void* user) {
    GrpcServerConnection& c = self(user);
    if (c.out_.size() > kMaxWrite) return NGHTTP2_ERR_WOULDBLOCK;
    c.out_.copy(text(bytes, size));
    return static_cast<ssize_t>(size);
  }
  static ssize_t body(nghttp2_session* session, int32_t stream, uint8_t*, size_t size,
                      uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& call = *static_cast<Call*>(source->ptr);
    const size_t n = std::min(size, call.reply.left());
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == call.reply.left()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const nghttp2_nv trailer = http2_field("grpc-status", "0");
      nghttp2_submit_trailer(session, stream, &trailer, 1);
    }
    return static_cast<ssize_t>(n);
  }
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t length,
                       nghttp2_data_source* source, void* user) {
    GrpcServerConnection& c = self(user);
    (void)frame;
    c.out_.copy(text(head, 9));
    static_cast<Call*>(source->ptr)->reply.move_to(c.out_, length);
    return 0;
  }
};

GrpcServerConnection::GrpcServerConnection(std::shared_ptr<GrpcServer::Impl> server,
                                           std::unique_ptr<Transport> transport)
    : server_(std::move(server)),
      transport_(std::move(transport)),
      keepalive_(server_->options.keepalive, server_->loop.clock().monotonic_ns(),
                 static_cast<double>(reinterpret_cast<uintptr_t>(this) / 64 % 1024) / 1023) {
  hello_by_ns_ = server_->loop.clock().monotonic_ns() + server_->options.hello_timeout.count();
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Callbacks::begin_frame);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::stream_closed);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::frame_sent);
  nghttp2_session_callbacks_set_send_callback(callbacks, Callbacks::send);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::send_data);
  nghttp2_session_server_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server_->options.max_concurrent_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMaxFrame},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(server_->options.max_header)}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

GrpcServerConnection::~GrpcServerConnection() { nghttp2_session_del(session_); }

GrpcServerConnection::Call* GrpcServerConnection::call_of(int32_t stream) {
  const auto at = calls_.find(stream);
  return at == calls_.end() ? nullptr : &at->second;
}

void GrpcServerConnection::begin(int32_t stream) {
  Call& call = calls_[stream];
  keepalive_.called();
  call.stream = stream;
  call.deadline_ns =
      server_->loop.clock().monotonic_ns() + server_->options.message_timeout.count();
}

void GrpcServerConnection::header(Call& call, std::string_view name, std::string_view value) {
  call.header_bytes += name.size() + value.size() + 32;  // As RFC 9113 counts a header list.
  if (call.header_bytes > server_->options.max_header) {
    return submit_status(
        call, {GrpcCode::ResourceExhausted,
               fmt::format("the metadata is larger than {} bytes", server_->options.max_header),
               {}});
  }
  if (name == ":path") {
    if (!last_path_ || *last_path_ != value) {
      last_path_ = std::make_shared<const std::string>(value);
    }
    call.path = last_path_;
  } else if (name == "content-type") {
    call.grpc = value.starts_with("application/grpc");
  } else if (name == "grpc-encoding") {
    if (value != "identity") call.encoding = value;
  } else if (server_->options.keep_metadata && !name.starts_with(':')) {
    call.metadata.push_back({std::string(name), std::string(value)});
  }
}

bool GrpcServerConnection::check_head(Call& call) {
  if (call.grpc) return true;
  // Not gRPC: as its HTTP/2 mapping says, an HTTP status and no trailers.
  call.answered = true;
  const nghttp2_nv head[] = {http2_field(":status", "415")};
  nghttp2_submit_response(session_, call.stream, head, std::size(head), nullptr);
  return false;
}

void GrpcServerConnection::data(Call& call, std::string_view bytes) {
  if (call.prefix.size() < kPrefix) {
    const size_t n = std::min(kPrefix - call.prefix.size(), bytes.size());
    call.prefix.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    if (call.prefix.size() == kPrefix) take_prefix(call);
  }
  if (bytes.empty() || call.answered) return;
  Buffer& message = message_of(call);
  if (bytes.size() > call.length - message.size()) {
    return submit_status(call,
                         {GrpcCode::InvalidArgument, "more than one message in a unary call", {}});
  }
  if (bytes.data() == message.data() + message.size()) {
    message.resize(message.size() + bytes.size());  // They were received in their place.
  } else {
    message.append(bytes);
  }
}

void GrpcServerConnection::take_prefix(Call& call) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(call.prefix[i]); };
  call.length = size_t{byte(1)} << 24 | size_t{byte(2)} << 16 | size_t{byte(3)} << 8 | byte(4);
  if (byte(0) > 1) {
    return submit_status(call, {GrpcCode::Internal, "the message prefix is damaged", {}});
  }
  if (byte(0) == 0) call.encoding.clear();
  if (byte(0) == 1 && call.encoding.empty()) {
    return submit_status(call,
                         {GrpcCode::Internal, "a compressed message without a grpc-encoding", {}});
  }
  const size_t limit = server_->options.max_message;
  if (call.length > limit) {
    return submit_status(
        call, {GrpcCode::ResourceExhausted,
               fmt::format("received message larger than max ({} vs. {})", call.length, limit),
               {}});
  }
  if (server_->options.admit) {
    auto admitted = server_->options.admit(call.length);
    if (!admitted) {
      const Error& error = admitted.error();
      const GrpcCode code =
          error.kind == ErrorKind::Exhausted ? GrpcCode::ResourceExhausted : GrpcCode::Unavailable;
      std::string details;
      if (server_->options.details) {
        details = server_->options.details(code, error.message, error.retry_after);
      }
      return submit_status(call, {code, error.message, std::move(details)});
    }
    call.admitted = std::move(*admitted);
  }
  call.message.reserve(call.length);
}

void GrpcServerConnection::finish(Call& call) {
  call.ended = true;
  if (call.prefix.size() < kPrefix || message_of(call).size() < call.length) {
    return submit_status(call, {GrpcCode::Internal, "the message was cut short", {}});
  }
  ready_.push_back(call.stream);
}

void GrpcServerConnection::answer(int32_t stream, Bytes message) {
  Call* const call = call_of(stream);
  if (!call || call->answered || dead_) return;
  call->answered = true;
  keepalive_.answered();
  call->reply.prefix = grpc_prefix(message.size());
  call->reply.bytes = std::move(message);
  const nghttp2_nv head[] = {http2_field(":status", "200"),
                             http2_field("content-type", "application/grpc")};
  nghttp2_data_provider body{};
  body.source.ptr = call;
  body.read_callback = Callbacks::body;
  nghttp2_submit_response(session_, stream, head, std::size(head), &body);
  flush_soon();
}

void GrpcServerConnection::refuse(int32_t stream, const GrpcStatus& status) {
  Call* const call = call_of(stream);
  if (!call || call->answered || dead_) return;
  submit_status(*call, status);
  flush_soon();
}

void GrpcServerConnection::submit_status(Call& call, const GrpcStatus& status) {
  call.answered = true;
  call.message = {};
  call.admitted.reset();
  const std::string code = fmt::format("{}", static_cast<int>(status.code));
  const std::string message = grpc_percent_encode(status.message);
  const std::string details = grpc_base64(status.details);
  std::vector<nghttp2_nv> head = {http2_field(":status", "200"),
                                  http2_field("content-type", "application/grpc"),
                                  http2_field("grpc-status", code)};
  if (!message.empty()) head.push_back(http2_field("grpc-message", message));
  if (!details.empty()) head.push_back(http2_field("grpc-status-details-bin", details));
  nghttp2_submit_response(session_, call.stream, head.data(), head.size(), nullptr);
}

// Several answers within one turn of the loop become one write.
void GrpcServerConnection::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  server_->loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->flush_posted_ = false;
      self->flush();
    }
  });
}

void GrpcServerConnection::flush() {
  if (writing_ || dead_) return;
  const Http2Flushed flushed = flush_http2(session_, out_, *transport_);
  if (flushed.session_error != 0 || flushed.transport_error) return close();
  if (flushed.blocked) {
    writing_ = true;
    asio::co_spawn(server_->loop.impl().io, write_rest(shared_from_this()), asio::detached);
    return;
  }
  if (!dead_ && nghttp2_session_want_read(session_) == 0 &&
      nghttp2_session_want_write(session_) == 0) {
    close();
  }
}

asio::awaitable<void> GrpcServerConnection::write_rest(std::shared_ptr<GrpcServerConnection> self) {
  GrpcServerConnection& c = *self;
  const auto error = co_await c.transport_->write(c.out_.buffers());
  c.out_.clear();
  c.writing_ = false;
  if (error) {
    c.close();
  } else {
    c.flush();
  }
}

asio::awaitable<void> GrpcServerConnection::serve(std::shared_ptr<GrpcServerConnection> self) {
  GrpcServerConnection& c = *self;
  c.flush();
  while (!c.dead_) {
    if (const auto error = co_await c.transport_->wait_readable(); error || c.dead_) break;
    const auto [error, used] = c.receive();
    if (error == asio::error::would_block || error == asio::error::try_again) continue;
    if (error) break;
    c.keepalive_.heard();
    // Calls are given out after nghttp2 has returned: a handler may answer at once.
    for (const int32_t stream : std::exchange(c.ready_, {})) {
      Call* const call = c.call_of(stream);
      if (!call || call->answered || c.dead_) continue;
      call->given = true;
      Bytes message = std::move(call->message).take(std::move(call->admitted));
      GrpcRequest request{call->path ? *call->path : std::string_view(), call->encoding,
                          c.transport_->peer(), call->metadata, std::move(message)};
      c.server_->handler(std::move(request), GrpcResponder(self, stream));
    }
    if (used < 0) {  // Says why in a GOAWAY, where the session still can.
      c.flush();
      break;
    }
    c.flush();
  }
  c.close();
}

void GrpcServerConnection::close() {
  if (std::exchange(dead_, true)) return;
  transport_->close();
  server_->connections.erase(this);
}

}  // namespace sonde::net
