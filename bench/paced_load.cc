// SPDX-License-Identifier: Apache-2.0
// Sends GET requests over keep-alive connections at a fixed rate, whatever the server does: a
// request is due by the clock, not by the previous answer, and a late one is sent as soon as a
// connection is free. Prints one JSON line. usage: paced_load PORT PATH RATE SECONDS CONNECTIONS
// It is a load, not a measurement of latency; it needs nothing but the C library.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Connection {
  int socket = -1;
  std::string answer;
};

// Whether the answer is whole: the servers of the benchmarks all send Content-Length.
bool whole(std::string_view answer) {
  const size_t head = answer.find("\r\n\r\n");
  if (head == std::string_view::npos) return false;
  const size_t field = answer.find("Content-Length: ");
  const size_t body =
      field < head ? strtoul(std::string(answer.substr(field + 16, 12)).c_str(), nullptr, 10) : 0;
  return answer.size() >= head + 4 + body;
}

[[noreturn]] void die(const char* what) {
  perror(what);
  exit(1);
}

int open_connection(int poll, uint16_t port, size_t number) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) die("connect");
  const int one = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  fcntl(socket, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number;
  epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
  return socket;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: paced_load PORT PATH RATE SECONDS CONNECTIONS\n");
    return 2;
  }
  const std::string request =
      "GET " + std::string(argv[2]) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  const double rate = atof(argv[3]);
  const double seconds = atof(argv[4]);
  std::vector<Connection> connections(static_cast<size_t>(std::max(1, atoi(argv[5]))));
  std::vector<size_t> idle;
  const int poll = epoll_create1(0);
  const auto port = static_cast<uint16_t>(atoi(argv[1]));
  for (size_t i = 0; i < connections.size(); ++i) {
    connections[i].socket = open_connection(poll, port, i);
    idle.push_back(i);
  }
  const double begin = now();
  uint64_t sent = 0;
  uint64_t answered = 0;
  uint64_t failed = 0;
  double end = begin;
  while (true) {
    end = now();
    const double elapsed = end - begin;
    // The answers of the last requests are waited for, but not for ever.
    if (elapsed >= seconds && (answered + failed == sent || elapsed >= seconds + 5)) break;
    const auto due = static_cast<uint64_t>(std::min(elapsed, seconds) * rate);
    while (elapsed < seconds && sent < due && !idle.empty()) {
      const size_t i = idle.back();
      idle.pop_back();
      if (write(connections[i].socket, request.data(), request.size()) !=
          static_cast<ssize_t>(request.size()))
        die("write");
      ++sent;
    }
    epoll_event events[64];
    const int count = epoll_wait(poll, events, 64, 1);
    for (int e = 0; e < count; ++e) {
      Connection& of = connections[events[e].data.u64];
      char buffer[4096];
      const ssize_t size = read(of.socket, buffer, sizeof(buffer));
      if (size == 0) die("the server closed a connection");
      if (size < 0) continue;
      of.answer.append(buffer, static_cast<size_t>(size));
      if (!whole(of.answer)) continue;
      (of.answer.starts_with("HTTP/1.1 200") ? answered : failed)++;
      if (of.answer.find("Connection: close") != std::string::npos) {
        // Servers end a connection after so many requests.
        close(of.socket);
        of.socket = open_connection(poll, port, events[e].data.u64);
      }
      of.answer.clear();
      idle.push_back(events[e].data.u64);
    }
  }
  printf("{\"sent\": %llu, \"answered\": %llu, \"failed\": %llu, \"per_second\": %.0f}\n",
         static_cast<unsigned long long>(sent), static_cast<unsigned long long>(answered),
         static_cast<unsigned long long>(failed),
         static_cast<double>(sent) / std::min(seconds, end - begin));
  return 0;
}
