// SPDX-License-Identifier: Apache-2.0
// For tests: a loop on its own thread, and a blocking socket that sends what no decent client
// would.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/testing/eventually.h"
#include "net/loop.h"

namespace sonde::net {

class LoopThread {
 public:
  LoopThread() : thread_([this] { loop.run(); }) {}
  ~LoopThread() { join(); }
  // After this the test's thread may destroy what belongs to the loop.
  void join() {
    if (!thread_.joinable()) return;
    loop.stop();
    thread_.join();
  }
  // Runs fn on the loop and returns its value.
  template <class Fn>
  auto on_loop(Fn fn) {
    std::packaged_task<decltype(fn())()> task(std::move(fn));
    auto result = task.get_future();
    loop.post([&task] { task(); });
    return result.get();
  }
  // Whether the check, which is made on the loop, holds within half a minute.
  template <class Check>
  bool eventually(Check check) {
    return sonde::eventually([&] { return on_loop(check); });
  }
  Loop loop;

 private:
  std::thread thread_;
};

class RawClient {
 public:
  explicit RawClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // False when the peer closed before it took all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  // All bytes until the text has been seen, the peer closes, or ten seconds pass.
  std::string read_until(std::string_view text) {
    while (got_.find(text) == std::string::npos && read_some()) {
    }
    const size_t at = got_.find(text);
    const size_t end = at == std::string::npos ? got_.size() : at + text.size();
    std::string out = got_.substr(0, end);
    got_.erase(0, end);
    return out;
  }
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(got_, {});
  }
  // What comes next; empty when the peer has closed or ten seconds have passed.
  std::string read_some_bytes() {
    read_some();
    return std::exchange(got_, {});
  }
  bool connected = false;

 private:
  bool read_some() {
    char buffer[4096];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    got_.append(buffer, static_cast<size_t>(n));
    return true;
  }
  int fd_;
  std::string got_;
};

}  // namespace sonde::net
