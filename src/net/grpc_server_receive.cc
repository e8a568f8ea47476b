// SPDX-License-Identifier: Apache-2.0
// How a connection reads its socket. A large message would otherwise be copied once more than it
// need be: the kernel writes what is left of a frame straight into the message.
#include <algorithm>
#include <utility>

#include "net/internal/grpc_server_connection.h"

namespace sonde::net {
namespace {

// Small enough to stay in the processor's cache. What is left of a large message goes straight into
// its own buffer.
constexpr size_t kReadSize = 64 * 1024;
constexpr size_t kWorthDirect = 4 * 1024;  // of a message still to come

// One for the thread: a connection reads into it and has handed everything on before it waits.
char* read_buffer() {
  thread_local std::unique_ptr<char[]> buffer(new char[kReadSize]);
  return buffer.get();
}

}  // namespace

// Where the socket's next bytes belong if they are the rest of a message: empty when they may be
// anything else.
asio::mutable_buffer GrpcServerConnection::begin_direct() {
  Call* const call = frame_left_ > 0 ? call_of(frame_stream_) : nullptr;
  if (call == nullptr || call->answered || !call->has_prefix()) return {};
  const size_t wanted = std::min(frame_left_, call->length - call->message.size());
  if (wanted < kWorthDirect) return {};
  direct_ = std::move(call->message);
  direct_stream_ = frame_stream_;
  return {direct_.data() + direct_.size(), wanted};
}

void GrpcServerConnection::end_direct() {
  Call* const call = call_of(std::exchange(direct_stream_, 0));
  if (call != nullptr && !call->answered) {
    call->message = std::move(direct_);
  }
  direct_ = {};
}

// One read and what nghttp2 makes of it: an error of the socket, or a negative number of nghttp2's.
std::pair<error_code, ssize_t> GrpcServerConnection::receive() {
  const asio::mutable_buffer place = begin_direct();
  const asio::mutable_buffer general = asio::buffer(read_buffer(), kReadSize);
  const auto [error, n] =
      place.size() > 0 ? transport_->read(place, general) : transport_->read(general);
  ssize_t used = 0;
  if (!error) {
    const auto parse = [this](const asio::mutable_buffer& from, size_t size) {
      return nghttp2_session_mem_recv(session_, static_cast<const uint8_t*>(from.data()), size);
    };
    const size_t direct = std::min(n, place.size());
    if (direct > 0) used = parse(place, direct);
    if (used >= 0 && n > direct) used = parse(general, n - direct);
  }
  if (place.size() > 0) end_direct();
  return {error, used};
}

}  // namespace sonde::net
