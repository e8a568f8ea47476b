// SPDX-License-Identifier: Apache-2.0
// Names of containers, asked of Docker's or Podman's engine over its unix socket. Passive like the
// tracker: it never waits, tick() moves its one question on, and what is not known yet is empty.
// One read-only request an id, bounded in time, size and number.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "components/receiver/ebpf/container_answer.h"

namespace sonde {

struct ContainerNamesStats {
  uint64_t asked = 0;
  uint64_t named = 0;
  uint64_t failed = 0;  // No answer, an error, or no engine that we may speak to.
};

class ContainerNames {
 public:
  // Called from tick().
  using Named = std::function<void(const std::string& id, const ContainerName& name)>;

  // `sockets` are tried in turn: the first that knows the container answers.
  ContainerNames(std::vector<std::string> sockets, Named named);
  ~ContainerNames();
  ContainerNames(const ContainerNames&) = delete;
  ContainerNames& operator=(const ContainerNames&) = delete;

  // The name where it is known; else asks for it, at most once an id in a minute.
  const ContainerName* find(const std::string& id, int64_t monotonic_ns);
  void tick(int64_t monotonic_ns);
  bool busy() const { return fd_ >= 0 || !waiting_.empty(); }
  const ContainerNamesStats& stats() const { return stats_; }

  static constexpr size_t kMaxWaiting = 256;
  static constexpr size_t kMaxKnown = 4096;
  static constexpr size_t kMaxAnswer = 1 << 20;
  static constexpr int64_t kTimeoutNs = 2'000'000'000;
  static constexpr int64_t kAskAgainNs = 60'000'000'000;

 private:
  struct Known {
    ContainerName name;  // Empty: nobody knew it, or it is being asked for.
    int64_t asked_ns = 0;
    std::list<std::string>::iterator age;
  };
  // False when this socket cannot be asked.
  bool ask(int64_t now_ns);
  void next_socket(int64_t now_ns);
  void end();

  std::vector<std::string> sockets_;
  Named named_;
  ContainerNamesStats stats_;
  std::unordered_map<std::string, Known> known_;
  std::list<std::string> ages_;      // Oldest first.
  std::deque<std::string> waiting_;  // The front is being asked for.
  size_t socket_ = 0;
  int fd_ = -1;
  int64_t deadline_ns_ = 0;
  std::string answer_;
};

}  // namespace sonde
