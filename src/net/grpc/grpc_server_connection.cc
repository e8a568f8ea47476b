// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/internal/grpc_server_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/memory_ledger.h"
#include "net/grpc/grpc_frame.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

// Windows only pace peers whose messages were admitted: memory is bounded by `admit`.
constexpr uint32_t kStreamWindow = 4 << 20;
constexpr uint32_t kConnectionWindow = 64 << 20;
constexpr uint32_t kMaxFrame = 1 << 20;
constexpr size_t kAlwaysCalls = 16;  // of a connection, however little memory there is
const GrpcStatus kNoMemory{GrpcCode::Unavailable, "the memory limit is reached", {}};

}  // namespace

GrpcServerConnection::GrpcServerConnection(std::shared_ptr<GrpcServer::Impl> server,
                                           std::unique_ptr<Transport> transport)
    : server_(std::move(server)),
      transport_(std::move(transport)),
      ok_head_{{{":status", "200"}, {"content-type", "application/grpc"}}},
      ok_trailers_{{{"grpc-status", "0"}}},
      keepalive_(server_->options.keepalive, server_->loop.clock().monotonic_ns(),
                 static_cast<double>(reinterpret_cast<uintptr_t>(this) / 64 % 1024) / 1023),
      session_({.role = http2::Role::Server,
                .max_streams = server_->options.max_concurrent_streams,
                .stream_window = kStreamWindow,
                .connection_window = kConnectionWindow,
                .max_frame = kMaxFrame,
                .max_header = server_->options.max_header},
               *this) {
  hello_by_ns_ = server_->loop.clock().monotonic_ns() + server_->options.hello_timeout.count();
}

GrpcServerConnection::Call* GrpcServerConnection::begin(Stream& stream) {
  constexpr size_t kCallBytes = sizeof(Call) + sizeof(Stream) + 64;
  // A head of a few bytes begins a call, which then has a minute for its message.
  if (session_.streams() > kAlwaysCalls && !MemoryLedger::process().has_room(kCallBytes)) {
    return nullptr;
  }
  if (free_.empty()) {
    free_.push_back(&calls_.emplace_back());
    calls_charge_ = MemoryCharge(calls_.size() * kCallBytes);
  }
  Call& call = *free_.back();
  free_.pop_back();
  stream.user = &call;
  keepalive_.called();
  call.deadline_ns =
      server_->loop.clock().monotonic_ns() + server_->options.message_timeout.count();
  return &call;
}

std::shared_ptr<const GrpcServerConnection::Head> GrpcServerConnection::head_of(
    const http2::FieldsPtr& fields) {
  if (fields == last_fields_) return last_head_;
  auto head = std::make_shared<Head>();
  for (const auto& [name, value] : fields->list) {
    if (name == ":path") {
      head->path = value;
    } else if (name == "content-type") {
      head->grpc = value.starts_with("application/grpc");
    } else if (name == "grpc-encoding") {
      if (value != "identity") head->encoding = value;
    } else if (server_->options.keep_metadata && !name.starts_with(':')) {
      head->metadata.push_back({name, value});
    }
  }
  size_t bytes = sizeof(Head) + head->path.size() + head->encoding.size();
  for (const Header& field : head->metadata) {
    bytes += sizeof(Header) + field.name.size() + field.value.size();
  }
  head->charge = MemoryCharge(bytes);
  last_fields_ = fields;
  last_head_ = std::move(head);
  return last_head_;
}

void GrpcServerConnection::on_fields(Stream& stream, const http2::FieldsPtr& fields, bool last) {
  if (stream.user == nullptr) {
    Call* const begun = begin(stream);
    if (begun == nullptr) return submit_status(stream, kNoMemory);
    Call& call = *begun;
    if (fields->too_large) {
      return submit_status(
          stream, {GrpcCode::ResourceExhausted,
                   fmt::format("the metadata is larger than {} bytes", server_->options.max_header),
                   {}});
    }
    call.head = head_of(fields);
    if (!call.head->grpc) {
      // Not gRPC: as its HTTP/2 mapping says, an HTTP status and no trailers.
      call.answered = true;
      http2::HeaderBlock refusal{{{":status", "415"}}};
      return session_.respond(stream, refusal);
    }
    call.compressed = !call.head->encoding.empty();
    const uint32_t id = stream.id;
    identify(stream);
    const Stream* const still = session_.find(id);  // A refusal may have ended it.
    if (still == nullptr || call_of(*still).answered) return;
  }
  if (last) on_end(stream);
}

void GrpcServerConnection::on_data(Stream& stream, std::string_view bytes) {
  Call& call = call_of(stream);
  if (call.answered) return;
  if (!call.has_prefix()) {
    const size_t n = std::min(call.prefix.size() - call.prefix_size, bytes.size());
    std::ranges::copy(bytes.substr(0, n), call.prefix.begin() + call.prefix_size);
    call.prefix_size += n;
    bytes.remove_prefix(n);
    if (!call.has_prefix()) return;
    take_prefix(stream);
    if (session_.find(session_.data_stream()) != &stream || call.answered) return;
  }
  if (bytes.empty()) return;
  Buffer& message = message_of(stream);
  if (call.unknown && bytes.size() > message.capacity() - message.size() &&
      !MemoryLedger::process().has_room(2 * Buffer::block_size(message.size() + bytes.size()))) {
    return submit_status(stream, kNoMemory);
  }
  if (bytes.size() > call.length - message.size()) {
    return submit_status(stream,
                         {GrpcCode::InvalidArgument, "more than one message in a unary call", {}});
  }
  if (bytes.data() == message.data() + message.size()) {
    message.resize(message.size() + bytes.size());  // They were received in their place.
  } else {
    message.append(bytes);
  }
}

void GrpcServerConnection::take_prefix(Stream& stream) {
  Call& call = call_of(stream);
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(call.prefix[i]); };
  call.length = size_t{byte(1)} << 24 | size_t{byte(2)} << 16 | size_t{byte(3)} << 8 | byte(4);
  if (byte(0) > 1) {
    return submit_status(stream, {GrpcCode::Internal, "the message prefix is damaged", {}});
  }
  if (byte(0) == 0) call.compressed = false;
  if (byte(0) == 1 && !call.compressed) {
    return submit_status(stream,
                         {GrpcCode::Internal, "a compressed message without a grpc-encoding", {}});
  }
  const size_t limit = server_->options.max_message;
  if (call.length > limit) {
    return submit_status(
        stream, {GrpcCode::ResourceExhausted,
                 fmt::format("received message larger than max ({} vs. {})", call.length, limit),
                 {}});
  }
  if (!call.unknown) admit(stream);
}

bool GrpcServerConnection::admit(Stream& stream) {
  Call& call = call_of(stream);
  if (server_->options.admit) {
    auto admitted = server_->options.admit(request_of(call), call.length);
    if (!admitted) {
      submit_status(stream, admitted.error());
      return false;
    }
    call.admission = std::move(*admitted);
  }
  call.message.reserve(call.length);
  return true;
}

void GrpcServerConnection::identify(Stream& stream) {
  Call& call = call_of(stream);
  if (!server_->options.identify) return;
  auto found = server_->options.identify(
      request_of(call), [weak = weak_from_this(), id = stream.id](GrpcIdentified identified) {
        if (const auto self = weak.lock()) self->identified(id, std::move(identified));
      });
  if (!found) {
    call.unknown = true;
    return http2::Session::hold(stream);
  }
  if (!*found) return submit_status(stream, found->error());
  call.sender = std::move(**found);
}

void GrpcServerConnection::identified(uint32_t id, GrpcIdentified identified) {
  Stream* const stream = session_.find(id);
  if (stream == nullptr || dead_ || !call_of(*stream).unknown || call_of(*stream).answered) return;
  Call& call = call_of(*stream);
  call.unknown = false;
  flush_soon();
  if (!identified) return submit_status(*stream, identified.error());
  call.sender = std::move(*identified);
  if (call.has_prefix() && !admit(*stream)) return;
  session_.release(*stream);
  if (!call.ended) return;
  ready_.push_back(id);
  give_out();
}

GrpcRequest GrpcServerConnection::request_of(const Call& call) const {
  return {.path = call.head->path,
          .encoding = call.compressed ? std::string_view(call.head->encoding) : std::string_view(),
          .peer = transport_->peer(),
          .metadata = call.head->metadata,
          .message = {},
          .admission = {},
          .sender = {}};
}

void GrpcServerConnection::on_end(Stream& stream) {
  Call& call = call_of(stream);
  if (call.answered) return;
  call.ended = true;
  if (!call.has_prefix() || message_of(stream).size() < call.length) {
    return submit_status(stream, {GrpcCode::Internal, "the message was cut short", {}});
  }
  if (!call.unknown) ready_.push_back(stream.id);
}

void GrpcServerConnection::on_closed(Stream& stream, http2::Code) {
  if (stream.user == nullptr) return;  // It was refused before it was a call.
  Call& call = call_of(stream);
  call = {};
  free_.push_back(&call);
}

void GrpcServerConnection::on_ping() {
  const int64_t now = server_->loop.clock().monotonic_ns();
  if (!keepalive_.pinged(now, session_.streams())) refuse_pings();
}

void GrpcServerConnection::answer(uint32_t id, Bytes message) {
  Stream* const stream = session_.find(id);
  if (stream == nullptr || call_of(*stream).answered || dead_) return;
  call_of(*stream).answered = true;
  keepalive_.answered();
  const std::string prefix = grpc_prefix(message.size());
  session_.respond(*stream, ok_head_, {prefix, std::move(message)}, ok_trailers_);
  flush_soon();
}

void GrpcServerConnection::refuse(uint32_t id, const GrpcStatus& status) {
  Stream* const stream = session_.find(id);
  if (stream == nullptr || call_of(*stream).answered || dead_) return;
  submit_status(*stream, status);
  flush_soon();
}

void GrpcServerConnection::submit_status(Stream& stream, const GrpcStatus& status) {
  if (stream.user != nullptr) {
    Call& call = call_of(stream);
    call.answered = true;
    call.message = {};
    call.admission.end();
  }
  http2::HeaderBlock head{{{":status", "200"},
                           {"content-type", "application/grpc"},
                           {"grpc-status", fmt::format("{}", static_cast<int>(status.code))}}};
  if (!status.message.empty()) {
    head.fields.push_back({"grpc-message", grpc_percent_encode(status.message)});
  }
  if (!status.details.empty()) {
    head.fields.push_back({"grpc-status-details-bin", grpc_base64(status.details)});
  }
  session_.respond(stream, head);
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
  const http2::Flushed flushed = http2::flush(session_, *transport_);
  if (flushed.error) return close();
  if (flushed.blocked) {
    writing_ = true;
    asio::co_spawn(server_->loop.impl().io, write_rest(shared_from_this()), asio::detached);
    return;
  }
  if (session_.finished()) close();
}

asio::awaitable<void> GrpcServerConnection::write_rest(std::shared_ptr<GrpcServerConnection> self) {
  GrpcServerConnection& c = *self;
  // Taken out: what the session says meanwhile must not move what is being written.
  const auto error =
      co_await http2::write_all(std::exchange(c.session_.output(), {}), *c.transport_);
  c.writing_ = false;
  if (error) {
    c.close();
  } else {
    c.flush();
  }
}

// Calls are given out after the session has returned: a handler may answer at once.
void GrpcServerConnection::give_out() {
  std::swap(ready_, giving_);
  for (const uint32_t id : giving_) {
    const Stream* const stream = session_.find(id);
    if (stream == nullptr || dead_) continue;
    Call& call = call_of(*stream);
    if (call.answered) continue;
    const auto head = call.head;  // The request has views of it, and the call may end meanwhile.
    GrpcRequest request = request_of(call);
    request.message = std::move(call.message).take();
    request.admission = std::move(call.admission);
    request.sender = std::move(call.sender);
    server_->handler(std::move(request), GrpcResponder(weak_from_this(), id));
  }
  giving_.clear();
}

asio::awaitable<void> GrpcServerConnection::serve(std::shared_ptr<GrpcServerConnection> self) {
  GrpcServerConnection& c = *self;
  // Our settings go out with the first answer. A write before the first read would have to wait for
  // the peer's part of a handshake that the reader takes away from it.
  while (!c.dead_) {
    if (const auto error = co_await c.transport_->wait_readable(); error || c.dead_) break;
    const auto [error, ok] = c.receive();
    if (error == asio::error::would_block || error == asio::error::try_again) continue;
    if (error) break;
    c.keepalive_.heard();
    if (c.session_.greeted()) c.hello_by_ns_ = 0;
    c.give_out();
    c.flush();  // Where the session is over, a GOAWAY says why.
    if (!ok) break;
  }
  c.close();
}

void GrpcServerConnection::move_to(const std::shared_ptr<GrpcServer::Impl>& server) {
  if (dead_) return;
  const auto self = shared_from_this();
  server_->connections.erase(this);
  server_ = server;
  // What is kept of a head is the new server's to say.
  last_fields_ = {};
  last_head_.reset();
  server_->connections.emplace(this, self);
}

void GrpcServerConnection::close() {
  if (std::exchange(dead_, true)) return;
  transport_->close();
  server_->connections.erase(this);
}

}  // namespace sonde::net
