// SPDX-License-Identifier: Apache-2.0
// The judge of the count benchmark: sends HTTP/1.1 requests at a fixed rate, whatever the server
// does (an open loop), and counts what came back by method, path class and status. It shares no
// code with Sonde, keeps no pool behind the bench's back and never sends a request twice, so its
// numbers are the truth that the captured ones are held against. One thread: it must leave the
// server a core.
//
// usage: counting_load PORT RATE SECONDS CONNECTIONS keep_alive|fresh [ADDRESS]
// RATE 0 sends as fast as the connections allow. Prints one JSON object.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Kind {
  std::string_view method;
  std::string_view path;    // What the answer is counted under.
  std::string_view target;  // "#" is replaced by a number.
  std::string_view body;
};

// Of every ten requests: seven found, one posted, one missing, one broken.
constexpr Kind kFound{"GET", "/items", "/items/#", ""};
constexpr Kind kPosted{"POST", "/items", "/items/#", "name=sonde&count=1"};
constexpr Kind kMissing{"GET", "/missing", "/missing", ""};
constexpr Kind kBroken{"GET", "/broken", "/broken", ""};

const Kind& kind_of(uint64_t number) {
  switch (number % 10) {
    case 3:
      return kPosted;
    case 6:
      return kMissing;
    case 9:
      return kBroken;
    default:
      return kFound;
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The value of a header in `head`, or an empty view. `name` is lower case.
std::string_view header(std::string_view head, std::string_view name) {
  size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    at += 2;
    std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        std::equal(name.begin(), name.end(), line.begin(),
                   [](char a, char b) { return a == lower(b); })) {
      line.remove_prefix(name.size() + 1);
      while (line.starts_with(' ')) line.remove_prefix(1);
      return line;
    }
    at = head.find("\r\n", at);
  }
  return {};
}

bool says(std::string_view value, std::string_view word) {
  return value.size() == word.size() && std::equal(word.begin(), word.end(), value.begin(),
                                                   [](char a, char b) { return a == lower(b); });
}

struct Peer {
  int fd = -1;
  bool connecting = false;
  bool busy = false;      // A request is under way.
  bool has_work = false;  // One was taken and waits for the connection to open.
  uint64_t number = 0;
  std::string in;
};

// What of `in` is one whole response: its length, 0 while it is incomplete. `ended` says that the
// peer closed. Interim responses are cut off `in` first.
struct Answer {
  size_t length = 0;
  int status = 0;
  bool close = false;
};

Answer whole_answer(std::string& in, bool ended) {
  Answer answer;
  for (;;) {
    const size_t end = in.find("\r\n\r\n");
    if (end == std::string::npos) return answer;
    const std::string_view head = std::string_view(in).substr(0, end + 2);
    int status = 0;
    if (head.size() < 12 || !head.starts_with("HTTP/1.")) std::abort();
    std::from_chars(head.data() + 9, head.data() + 12, status);
    if (status / 100 == 1) {
      in.erase(0, end + 4);
      continue;
    }
    const size_t body = end + 4;
    const std::string_view length = header(head, "content-length");
    const std::string_view connection = header(head, "connection");
    bool close = says(connection, "close") ||
                 (head.starts_with("HTTP/1.0") && !says(connection, "keep-alive"));
    size_t total = 0;
    if (status == 204 || status == 304) {
      total = body;
    } else if (says(header(head, "transfer-encoding"), "chunked")) {
      size_t at = body;
      for (;;) {
        const size_t line = in.find("\r\n", at);
        if (line == std::string::npos) return answer;
        size_t size = 0;
        std::from_chars(in.data() + at, in.data() + line, size, 16);
        at = line + 2 + size + 2;
        if (at > in.size()) return answer;
        if (size == 0) break;
      }
      total = at;
    } else if (!length.empty()) {
      size_t size = 0;
      std::from_chars(length.data(), length.data() + length.size(), size);
      total = body + size;
      if (total > in.size()) return answer;
    } else {
      if (!ended) return answer;
      total = in.size();
      close = true;
    }
    return {total, status, close};
  }
}

class Load {
 public:
  Load(sockaddr_storage to, socklen_t to_length, double rate, double seconds, size_t connections,
       bool keep_alive)
      : to_(to),
        to_length_(to_length),
        rate_(rate),
        seconds_(seconds),
        keep_alive_(keep_alive),
        peers_(connections) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
  }

  void run() {
    begin_ = Clock::now();
    for (;;) {
      const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
      const bool over = elapsed >= seconds_;
      if (rate_ > 0) {
        const auto due = static_cast<uint64_t>(std::min(elapsed, seconds_) * rate_);
        for (Peer& peer : peers_) {
          if (issued_ >= due) break;
          if (idle(peer)) give(peer);
        }
      } else if (!over) {
        for (Peer& peer : peers_)
          if (idle(peer)) give(peer);
      }
      const auto planned = static_cast<uint64_t>(seconds_ * rate_);
      const bool all_sent = rate_ > 0 ? issued_ >= planned || elapsed > 2 * seconds_ + 5 : over;
      if (all_sent && std::none_of(peers_.begin(), peers_.end(),
                                   [](const Peer& p) { return p.busy || p.has_work; }))
        break;
      if (elapsed > 2 * seconds_ + 20) {
        stuck_ = true;
        break;
      }
      wait(rate_ > 0 && !all_sent
               ? std::max(0.0, static_cast<double>(issued_ + 1) / rate_ - elapsed)
               : 0.05);
    }
    took_ = std::chrono::duration<double>(Clock::now() - begin_).count();
    for (Peer& peer : peers_) {
      if (peer.busy) unanswered(peer);
      shut(peer);
    }
  }

  void print() const {
    std::printf(
        "{\"sent\": %lu, \"seconds\": %.3f, \"connections\": %lu, \"refused\": %lu, \"stuck\": %s, "
        "\"answers\": [",
        sent_, took_, opened_, refused_, stuck_ ? "true" : "false");
    const char* comma = "";
    for (const auto& [key, count] : answers_) {
      std::printf("%s[\"%s\", \"%s\", %d, %lu]", comma, std::string(std::get<0>(key)).c_str(),
                  std::string(std::get<1>(key)).c_str(), std::get<2>(key), count);
      comma = ", ";
    }
    std::printf("]}\n");
  }

 private:
  static bool idle(const Peer& peer) { return !peer.busy && !peer.has_work; }

  // Takes the next request. A request that finds the server refusing a connection was never sent.
  void give(Peer& peer) {
    peer.number = issued_++;
    peer.has_work = true;
    if (peer.fd < 0) {
      open(peer);
    } else if (!peer.connecting) {
      send_request(peer);
    }
  }

  void open(Peer& peer) {
    peer.fd = socket(to_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (to_.ss_family != AF_UNIX) {
      const int on = 1;
      setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (connect(peer.fd, reinterpret_cast<const sockaddr*>(&to_), to_length_) != 0 &&
        errno != EINPROGRESS) {
      refuse(peer);
      return;
    }
    peer.connecting = true;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
    event.data.u64 = static_cast<uint64_t>(&peer - peers_.data());
    epoll_ctl(epoll_, EPOLL_CTL_ADD, peer.fd, &event);
  }

  void refuse(Peer& peer) {
    ++refused_;
    peer.has_work = false;
    shut(peer);
  }

  void send_request(Peer& peer) {
    const Kind& kind = kind_of(peer.number);
    std::string target(kind.target);
    if (const size_t hash = target.find('#'); hash != std::string::npos)
      target.replace(hash, 1, std::to_string(peer.number % 1000));
    std::string out =
        std::string(kind.method) + " " + target + " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n";
    if (!keep_alive_) out += "Connection: close\r\n";
    if (!kind.body.empty())
      out += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
             std::to_string(kind.body.size()) + "\r\n";
    out += "\r\n";
    out += kind.body;
    peer.has_work = false;
    peer.busy = true;
    ++sent_;
    if (send(peer.fd, out.data(), out.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(out.size())) {
      unanswered(peer);
      shut(peer);
    }
  }

  void unanswered(Peer& peer) {
    const Kind& kind = kind_of(peer.number);
    ++answers_[{kind.method, kind.path, 0}];
    peer.busy = false;
  }

  void shut(Peer& peer) {
    if (peer.fd >= 0) close(peer.fd);
    peer.fd = -1;
    peer.connecting = false;
    peer.in.clear();
  }

  void wait(double seconds) {
    epoll_event events[64];
    timespec timeout{};
    timeout.tv_sec = static_cast<time_t>(seconds);
    timeout.tv_nsec = static_cast<long>((seconds - static_cast<double>(timeout.tv_sec)) * 1e9);
    const int n = epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
    for (int i = 0; i < n; ++i) ready(peers_[events[i].data.u64], events[i].events);
  }

  void ready(Peer& peer, uint32_t events) {
    if (peer.fd < 0) return;
    if (peer.connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(peer.fd, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error != 0) {
        refuse(peer);
        return;
      }
      peer.connecting = false;
      ++opened_;
      epoll_event event{};
      event.events = EPOLLIN | EPOLLRDHUP;
      event.data.u64 = static_cast<uint64_t>(&peer - peers_.data());
      epoll_ctl(epoll_, EPOLL_CTL_MOD, peer.fd, &event);
      if (peer.has_work) send_request(peer);
      return;
    }
    bool ended = false;
    char buffer[16384];
    for (;;) {
      const ssize_t n = recv(peer.fd, buffer, sizeof buffer, 0);
      if (n > 0) {
        peer.in.append(buffer, static_cast<size_t>(n));
        continue;
      }
      ended = n == 0 || (errno != EAGAIN && errno != EINTR);
      break;
    }
    if (peer.busy) {
      const Answer answer = whole_answer(peer.in, ended);
      if (answer.length != 0) {
        const Kind& kind = kind_of(peer.number);
        ++answers_[{kind.method, kind.path, answer.status}];
        peer.busy = false;
        peer.in.erase(0, answer.length);
        // A server that says nothing of closing may still do it: the next connection is a new one.
        if (!keep_alive_ || answer.close || ended) shut(peer);
        return;
      }
      if (ended) unanswered(peer);
    }
    if (ended) shut(peer);
  }

  sockaddr_storage to_{};
  socklen_t to_length_;
  double rate_;
  double seconds_;
  bool keep_alive_;
  std::vector<Peer> peers_;
  int epoll_ = -1;
  Clock::time_point begin_;
  double took_ = 0;
  uint64_t issued_ = 0, sent_ = 0, opened_ = 0, refused_ = 0;
  bool stuck_ = false;
  std::map<std::tuple<std::string_view, std::string_view, int>, uint64_t> answers_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: counting_load PORT RATE SECONDS CONNECTIONS keep_alive|fresh [ADDRESS]\n");
    return 2;
  }
  const char* address = argc > 6 ? argv[6] : "127.0.0.1";
  const auto port = static_cast<uint16_t>(std::atoi(argv[1]));
  sockaddr_storage to{};
  socklen_t length = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&to);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&to);
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    length = sizeof *v4;
  } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    length = sizeof *v6;
  } else {
    std::fprintf(stderr, "counting_load: %s is no address\n", address);
    return 2;
  }
  const long connections = std::atol(argv[4]);
  const double seconds = std::atof(argv[3]);
  if (connections < 1 || connections > 1024 || seconds <= 0 || seconds > 600) return 2;
  Load load(to, length, std::atof(argv[2]), seconds, static_cast<size_t>(connections),
            std::strcmp(argv[5], "fresh") != 0);
  load.run();
  load.print();
}
