// SPDX-License-Identifier: Apache-2.0
// A loopback connection of which a test holds both ends.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

namespace sonde::probe::testing {

// One loopback connection; both ends are ours.
struct Pair {
  int client = -1, server = -1, listener = -1;
  Pair() {
    listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(a);
    auto* address = reinterpret_cast<sockaddr*>(&a);
    EXPECT_EQ(bind(listener, address, size), 0);
    EXPECT_EQ(listen(listener, 8), 0);
    getsockname(listener, address, &size);
    client = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(client, address, size), 0);
    no_delay(client);
  }
  void accept_now() {
    server = accept(listener, nullptr, nullptr);
    EXPECT_GE(server, 0);
    no_delay(server);
  }
  ~Pair() {
    for (const int fd : {client, server, listener})
      if (fd >= 0) close(fd);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  static void no_delay(int fd) {
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  }
};

inline void send_all(int fd, std::string_view bytes) {
  ASSERT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

inline void receive_all(int fd, size_t n) {
  char buffer[8192];
  for (size_t have = 0; have < n;) {
    const ssize_t r = recv(fd, buffer, sizeof(buffer), 0);
    ASSERT_GT(r, 0);
    have += static_cast<size_t>(r);
  }
}

}  // namespace sonde::probe::testing
