// SPDX-License-Identifier: Apache-2.0
// A listening socket and what happens to the connections it accepts, for every server of this room:
// "host:port", or "unix:PATH", or a share of a socket that another listens on: see listen_scope.h.
// It says who holds a taken port, and survives running out of descriptors.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

#include "base/result.h"
#include "net/internal/asio.h"
#include "net/internal/transport.h"
#include "net/loop.h"
#include "net/socket/accepting.h"

namespace sonde::net {

class Listener {
 public:
  using Accept = std::move_only_function<void(Socket)>;
  // Binds and listens at once. `accept` and `accepting`, which may be empty, run on the loop until
  // the listener is destroyed.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, std::string_view address, Accept accept,
                                                Accepting accepting = {});
  ~Listener();
  uint16_t port() const;
  // The server that this listens for, for successor() of one that it takes the place of.
  void offer(std::weak_ptr<void> server, const std::type_info& kind);
  // The server of this kind that has begun, on the same loop, to listen on the same socket.
  std::shared_ptr<void> successor(const std::type_info& kind) const;

  struct Impl;

 private:
  explicit Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace sonde::net
