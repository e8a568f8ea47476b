// SPDX-License-Identifier: Apache-2.0
// Answers of several messages.
#include <fmt/core.h>

#include <utility>

#include "net/grpc/grpc_frame.h"
#include "net/grpc/internal/grpc_server_connection.h"

namespace sonde::net {

bool GrpcServerConnection::begin_stream(uint32_t id) {
  Stream* const stream = session_.find(id);
  if (stream == nullptr || call_of(*stream).answered || dead_) return false;
  call_of(*stream).answered = true;
  keepalive_.answered();
  session_.begin_body(*stream, ok_head_);
  flush_soon();
  return true;
}

bool GrpcServerConnection::streams(uint32_t id) { return !dead_ && session_.find(id) != nullptr; }

bool GrpcServerConnection::stream_ready(uint32_t id) {
  Stream* const stream = session_.find(id);
  return !dead_ && stream != nullptr && session_.body_sent(*stream);
}

void GrpcServerConnection::stream_message(uint32_t id, Bytes message) {
  if (!stream_ready(id)) return;
  const std::string prefix = grpc_prefix(message.size());
  session_.add_body(*session_.find(id), {prefix, std::move(message)});
  flush_soon();
}

void GrpcServerConnection::end_stream(uint32_t id, const GrpcStatus& status) {
  Stream* const stream = session_.find(id);
  if (stream == nullptr || dead_) return;
  http2::HeaderBlock trailers{{{"grpc-status", fmt::format("{}", static_cast<int>(status.code))}}};
  if (!status.message.empty()) {
    trailers.fields.push_back({"grpc-message", grpc_percent_encode(status.message)});
  }
  session_.end_body(*stream, trailers);
  flush_soon();
}

GrpcStream GrpcResponder::start_stream() {
  const uint32_t stream = std::exchange(stream_, 0);
  const auto connection = connection_.lock();
  if (stream == 0 || !connection || !connection->begin_stream(stream)) return {};
  return {connection_, stream};
}

GrpcStream::GrpcStream(GrpcStream&& other) noexcept
    : connection_(std::move(other.connection_)), stream_(std::exchange(other.stream_, 0)) {}

GrpcStream& GrpcStream::operator=(GrpcStream&& other) noexcept {
  if (this == &other) return *this;
  finish({});
  connection_ = std::move(other.connection_);
  stream_ = std::exchange(other.stream_, 0);
  return *this;
}

GrpcStream::~GrpcStream() { finish({}); }

bool GrpcStream::open() const {
  const auto connection = connection_.lock();
  return stream_ != 0 && connection && connection->streams(stream_);
}

bool GrpcStream::ready() const {
  const auto connection = connection_.lock();
  return stream_ != 0 && connection && connection->stream_ready(stream_);
}

void GrpcStream::send(Bytes message) {
  const auto connection = connection_.lock();
  if (stream_ != 0 && connection) connection->stream_message(stream_, std::move(message));
}

void GrpcStream::finish(const GrpcStatus& status) {
  const uint32_t stream = std::exchange(stream_, 0);
  const auto connection = connection_.lock();
  if (stream != 0 && connection) connection->end_stream(stream, status);
}

}  // namespace sonde::net
