// SPDX-License-Identifier: Apache-2.0
// How a connection reads its socket. A large message would otherwise be copied once more than it
// need be: the kernel writes what is left of a frame straight into the message.
#include <algorithm>
#include <utility>

#include "net/grpc/internal/grpc_server_connection.h"

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
  const size_t left = session_.data_left();
  if (left < kWorthDirect) return {};
  const Stream* const stream = session_.find(session_.data_stream());
  if (stream == nullptr || stream->user == nullptr) return {};
  Call& call = call_of(*stream);
  if (call.answered || call.ended || !call.has_prefix()) return {};
  // There is room for all of it only where the sender is known and the message was admitted.
  const Buffer& message = call.message;
  const size_t wanted =
      std::min({left, call.length - message.size(), message.capacity() - message.size()});
  if (wanted < kWorthDirect) return {};
  direct_ = std::move(call.message);
  direct_stream_ = stream->id;
  return {direct_.data() + direct_.size(), wanted};
}

void GrpcServerConnection::end_direct() {
  const Stream* const stream = session_.find(std::exchange(direct_stream_, 0));
  if (stream != nullptr && !call_of(*stream).answered) {
    call_of(*stream).message = std::move(direct_);
  }
  direct_ = {};
}

// One read and what the session makes of it: an error of the socket, or false when the session is
// over.
std::pair<error_code, bool> GrpcServerConnection::receive() {
  const asio::mutable_buffer place = begin_direct();
  const asio::mutable_buffer general = asio::buffer(read_buffer(), kReadSize);
  const auto [error, n] =
      place.size() > 0 ? transport_->read(place, general) : transport_->read(general);
  bool ok = true;
  if (!error) {
    const auto parse = [this](const asio::mutable_buffer& from, size_t size) {
      return session_.receive({static_cast<const char*>(from.data()), size});
    };
    const size_t direct = std::min(n, place.size());
    if (direct > 0) ok = parse(place, direct);
    if (ok && n > direct) ok = parse(general, n - direct);
  }
  if (place.size() > 0) end_direct();
  return {error, ok};
}

}  // namespace sonde::net
