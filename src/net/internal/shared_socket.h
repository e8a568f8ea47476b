// SPDX-License-Identifier: Apache-2.0
// The listening sockets of this process, each with those who accept from it: one, but for the time
// in which one server takes the place of another. It closes with the last of them. Any thread, but
// for what is said.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "net/internal/listener.h"

namespace sonde::net {

class SharedSocket {
 public:
  // `name` is the address as bound. Keeps a descriptor of its own. `unix_path` goes with it.
  static std::shared_ptr<SharedSocket> make(std::string name, int descriptor,
                                            std::string unix_path);
  // The one of this name, where the ListenScope allows a share of it; else nullptr.
  static std::shared_ptr<SharedSocket> find(std::string_view name);
  ~SharedSocket();
  SharedSocket(const SharedSocket&) = delete;
  SharedSocket& operator=(const SharedSocket&) = delete;

  // Another descriptor of it, the caller's, or -1.
  int duplicate() const;
  void join(Listener::Impl& listener, Loop& loop);
  void leave(const Listener::Impl& listener);
  // The server that the listener serves, for offers to those that leave.
  void offer(const Listener::Impl& listener, std::weak_ptr<void> server,
             const std::type_info& kind);
  // The newest other server of this kind on the loop.
  std::shared_ptr<void> successor(const Listener::Impl& listener, const Loop& loop,
                                  const std::type_info& kind) const;
  // Another listener on the loop, or nullptr. On the loop's thread.
  Listener::Impl* other(const Listener::Impl& listener, const Loop& loop) const;

 private:
  struct Seat {
    Listener::Impl* listener;
    const Loop* loop;
    const void* owner;
    std::weak_ptr<void> server;
    const std::type_info* kind;
  };
  SharedSocket(std::string name, int descriptor, std::string unix_path);

  const std::string name_;
  const int descriptor_;
  const std::string unix_path_;
  std::vector<Seat> seats_;
};

}  // namespace sonde::net
