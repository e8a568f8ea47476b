// SPDX-License-Identifier: Apache-2.0
// Names of containers, asked of Docker's or Podman's engine over its unix socket. Passive like the
// tracker: it never waits, tick() moves its one question on, and what is not known yet is empty.
// One read-only request at a time, bounded in time, size and number. Whose name nobody could tell
// is asked for again, since a container is often seen before its engine answers for it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "components/receiver/ebpf/container_answer.h"

namespace sonde {

struct ContainerNamesStats {
  uint64_t asked = 0;
  uint64_t named = 0;
  uint64_t failed = 0;   // No answer, an error, or no engine that we may speak to.
  uint64_t refused = 0;  // Never asked, for so many others wait.
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

  // The name where it is known; else it is asked for from tick(), up to kMaxTries times.
  const ContainerName* find(const std::string& id, int64_t monotonic_ns);
  void tick(int64_t monotonic_ns);
  // Whether a question is open, or one was due at the last call.
  bool busy() const { return fd_ >= 0 || (!due_.empty() && due_.begin()->first <= now_ns_); }
  const ContainerNamesStats& stats() const { return stats_; }

  static constexpr size_t kMaxWaiting = 4096;  // Without a name, due now or later.
  static constexpr size_t kMaxKnown = 4096;
  static constexpr size_t kMaxAnswer = 1 << 20;
  static constexpr int64_t kTimeoutNs = 2'000'000'000;
  static constexpr int64_t kAskAgainNs = 60'000'000'000;  // After the first try; doubles with each.
  static constexpr int kMaxTries = 6;  // Half an hour. Then only another process brings it again.

 private:
  // False when this socket cannot be asked.
  bool ask(int64_t now_ns);
  void next_socket(int64_t now_ns);
  void end();
  void fail(int64_t now_ns);
  void remember(const std::string& id, const ContainerName& name);

  std::vector<std::string> sockets_;
  Named named_;
  ContainerNamesStats stats_;
  std::unordered_map<std::string, ContainerName> known_;
  std::deque<std::string> ages_;                // Of known_, oldest first.
  std::unordered_map<std::string, int> tries_;  // Of those without a name, at most kMaxWaiting.
  std::multimap<int64_t, std::string> due_;     // The same, but for the one that is asked for.
  std::string asked_;
  int64_t now_ns_ = 0;
  size_t socket_ = 0;
  int fd_ = -1;
  int64_t deadline_ns_ = 0;
  std::string answer_;
};

}  // namespace sonde
