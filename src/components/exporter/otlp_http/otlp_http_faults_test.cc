// SPDX-License-Identifier: Apache-2.0
// A back end that ends HTTP/1.1 exchanges, by seeded chance, in every way a server can, and a
// ledger over it: what was sent is what was delivered and what was refused for good, to the
// request; twice arrives only what a retry explains.
#include <gtest/gtest.h>

#include <cstdio>
#include <list>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "base/log.h"
#include "config/yaml.h"
#include "net/testing/raw_client.h"
#include "pipeline/component.h"
#include "pipeline/testing/loop_host.h"
#include "pipeline/testing/numbered_batches.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_otlp_http();

namespace sonde {
namespace {

class WaywardServer {
 public:
  struct Entry {
    int answered = 0, refused = 0, unanswered = 0;
  };
  WaywardServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    ::listen(listener_, 128);
    acceptor_ = std::thread([this] {
      for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        const timeval limit{20, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        threads_.emplace_back([this, fd] { serve(fd); });
      }
    });
  }
  ~WaywardServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }
  uint16_t port = 0;
  std::mutex mutex;
  std::map<int, Entry> entries;

 private:
  unsigned chance(unsigned of) {
    const std::lock_guard lock(mutex);
    return static_cast<unsigned>(random_() % of);
  }
  // The body of the next request; nothing where the peer has left.
  static std::optional<std::string> read_request(int fd, std::string& got) {
    char buffer[65536];
    for (;;) {
      const size_t end = got.find("\r\n\r\n");
      const size_t length = got.find("Content-Length: ");
      if (end != std::string::npos && length < end) {
        const size_t whole = end + 4 + std::strtoul(got.c_str() + length + 16, nullptr, 10);
        if (got.size() >= whole) {
          std::string body = got.substr(end + 4, whole - end - 4);
          got.erase(0, whole);
          return body;
        }
      }
      const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return std::nullopt;
      got.append(buffer, static_cast<size_t>(n));
    }
  }
  static void say(int fd, std::string_view text) {
    [[maybe_unused]] const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }
  void serve(int fd) {
    std::string got;
    while (chance(40) != 0) {  // else it hangs up between two requests, or before the first
      const auto body = read_request(fd, got);
      if (!body) break;
      if (!answer(fd, pipeline::number_in(*body))) break;
    }
    ::close(fd);
  }
  void count(int number, int Entry::* what) {
    const std::lock_guard lock(mutex);
    ++(entries[number].*what);
  }
  // Whether the connection goes on.
  bool answer(int fd, int number) {
    switch (chance(16)) {
      case 0:
        say(fd, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy");
        return true;
      case 1:
        say(fd, "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>");
        return false;
      case 2:
        count(number, &Entry::refused);
        say(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        return true;
      case 3:  // taken, and not a word
        count(number, &Entry::unanswered);
        return false;
      case 4:
        count(number, &Entry::unanswered);
        say(fd, "HTTP/1.1 20");
        return false;
      case 5:  // less than was promised
        count(number, &Entry::unanswered);
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
        return false;
      case 6: {
        count(number, &Entry::unanswered);
        const linger at_once{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return false;
      }
      case 7:
        say(fd, "\x16\x03\x01 this is no HTTP\r\n\r\n");
        return false;
      case 8:
        count(number, &Entry::answered);
        say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
        return true;
      case 9:
        count(number, &Entry::answered);
        say(fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        return true;
      case 10:
        count(number, &Entry::answered);
        say(fd, "HTTP/1.0 200 OK\r\n\r\n");
        return false;
      default:
        count(number, &Entry::answered);
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
  }

  int listener_;
  std::mt19937 random_{20261121};
  std::thread acceptor_;
  std::list<std::thread> threads_;
};

TEST(Exporter_otlp_http_faults, LoseNothingAndRepeatOnlyWhatWasNotAnswered) {
  constexpr int kRequests = 1500;
  set_log_level(LogLevel::Off);  // each refusal is a line
  WaywardServer server;
  pipeline::LoopHost host("otlp_http");
  const auto settings =
      config::parse_yaml("{endpoint: 'http://127.0.0.1:" + std::to_string(server.port) + "', " +
                             std::string(pipeline::kNumberedBatchSettings) + "}",
                         "test");
  ASSERT_TRUE(settings);
  auto exporter = sonde_component_exporter_otlp_http().create(*settings, "otlp_http", {});
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_TRUE((*exporter)->start(host));

  const auto outcomes = pipeline::send_numbered(host, **exporter, kRequests);
  set_log_level(LogLevel::Info);
  ASSERT_EQ(outcomes.size(), static_cast<size_t>(kRequests));
  exporter->reset();

  const std::lock_guard lock(server.mutex);
  int delivered = 0;
  int refused = 0;
  int twice = 0;
  for (const auto& [number, kind] : outcomes) {
    const auto& entry = server.entries[number];
    (kind == Outcome::Delivered ? delivered : refused) += 1;
    EXPECT_EQ(entry.answered, kind == Outcome::Delivered ? 1 : 0) << number;
    EXPECT_EQ(entry.refused, kind == Outcome::Delivered ? 0 : 1) << number;
    twice += entry.answered + entry.unanswered > 1 ? 1 : 0;
  }
  EXPECT_EQ(delivered + refused, kRequests);
  EXPECT_GT(refused, 0);
  EXPECT_GT(twice, 0) << "the back end never hung up after it had taken something";
  std::printf("sent %d = delivered %d + refused %d; %d arrived twice\n", kRequests, delivered,
              refused, twice);
}

}  // namespace
}  // namespace sonde
