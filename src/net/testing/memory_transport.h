// SPDX-License-Identifier: Apache-2.0
// For tests and fuzzing: a Transport whose peer sends what it is given, in pieces of a size, and
// then ends. Not part of the library.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "net/internal/transport.h"

namespace sonde::net {

class MemoryTransport final : public Transport {
 public:
  MemoryTransport(std::string_view bytes, size_t piece) : left_(bytes), piece_(piece) {}

  asio::awaitable<error_code> wait_readable() override { co_return error_code(); }
  using Transport::read;
  Io read(asio::mutable_buffer into) override {
    if (left_.empty()) return {asio::error::eof, 0};
    const size_t n = std::min({into.size(), piece_, left_.size()});
    std::memcpy(into.data(), left_.data(), n);
    left_.remove_prefix(n);
    return {{}, n};
  }
  Io write_some(std::span<const asio::const_buffer> buffers) override {
    size_t n = 0;
    for (const auto& buffer : buffers) {
      written.append(static_cast<const char*>(buffer.data()), buffer.size());
      n += buffer.size();
    }
    return {{}, n};
  }
  asio::awaitable<error_code> write(std::span<const asio::const_buffer> buffers) override {
    co_return write_some(buffers).first;
  }
  void shutdown_send() override {}
  void cancel() override {}
  void close() override { left_ = {}; }
  bool quiet() override { return left_.empty(); }
  const std::string& peer() const override { return peer_; }

  std::string written;

 private:
  std::string_view left_;
  size_t piece_;
  std::string peer_ = "memory";
};

}  // namespace sonde::net
