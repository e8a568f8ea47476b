// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/ebpf/container_names.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/hex.h"

namespace sonde {
namespace {

bool is_id(std::string_view id) {
  return id.size() == 64 && id.find_first_not_of(kHexDigits) == std::string_view::npos;
}

}  // namespace

ContainerNames::ContainerNames(std::vector<std::string> sockets, Named named)
    : sockets_(std::move(sockets)), named_(std::move(named)) {}

ContainerNames::~ContainerNames() {
  if (fd_ >= 0) close(fd_);
}

const ContainerName* ContainerNames::find(const std::string& id, int64_t now_ns) {
  now_ns_ = now_ns;
  // An id becomes part of a request, so it is nothing but one.
  if (sockets_.empty() || !is_id(id)) return nullptr;
  const auto place = known_.find(id);
  if (place != known_.end()) return &place->second;
  if (tries_.contains(id)) return nullptr;
  if (tries_.size() >= kMaxWaiting) {
    ++stats_.refused;
    return nullptr;
  }
  tries_.emplace(id, 0);
  due_.emplace(now_ns, id);
  return nullptr;
}

void ContainerNames::remember(const std::string& id, const ContainerName& name) {
  tries_.erase(id);
  if (known_.size() >= kMaxKnown) {
    known_.erase(ages_.front());
    ages_.pop_front();
  }
  ages_.push_back(id);
  known_.emplace(id, name);
}

bool ContainerNames::ask(int64_t now_ns) {
  const std::string& path = sockets_[socket_];
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  // HTTP/1.0, so that the answer comes in one piece and ends with the connection.
  const std::string request =
      "GET /containers/" + asked_ +
      "/json HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n";
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request.size())) {
    close(fd_);
    fd_ = -1;
    return false;
  }
  deadline_ns_ = now_ns + kTimeoutNs;
  answer_.clear();
  return true;
}

void ContainerNames::end() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  socket_ = 0;
  asked_.clear();
}

void ContainerNames::fail(int64_t now_ns) {
  ++stats_.failed;
  const auto place = tries_.find(asked_);
  if (++place->second >= kMaxTries) {
    tries_.erase(place);
  } else {
    due_.emplace(now_ns + (kAskAgainNs << (place->second - 1)), asked_);
  }
  end();
}

void ContainerNames::next_socket(int64_t now_ns) {
  while (socket_ < sockets_.size() && !ask(now_ns)) ++socket_;
  if (socket_ == sockets_.size()) fail(now_ns);
}

void ContainerNames::tick(int64_t now_ns) {
  now_ns_ = now_ns;
  // A bounded number of steps, so that a drain never waits for an engine that answers at once.
  for (int step = 0; step < 16 && busy(); ++step) {
    if (fd_ < 0) {
      asked_ = due_.begin()->second;
      due_.erase(due_.begin());
      ++stats_.asked;
      next_socket(now_ns);
      continue;
    }
    char buffer[16384];
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0 && answer_.size() + static_cast<size_t>(n) <= kMaxAnswer) {
      answer_.append(buffer, static_cast<size_t>(n));
      continue;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && now_ns < deadline_ns_) return;
    const ContainerName name = n == 0 ? container_name_of(answer_) : ContainerName();
    if (name.name.empty()) {
      // This engine does not know it; another one may.
      close(fd_);
      fd_ = -1;
      ++socket_;
      next_socket(now_ns);
      continue;
    }
    ++stats_.named;
    const std::string id = asked_;
    remember(id, name);
    end();
    named_(id, name);
  }
}

}  // namespace sonde
