// SPDX-License-Identifier: Apache-2.0
// Says, around the calls in which servers begin to listen, whose their sockets are, and whose they
// may take a share of: when a server takes the place of another at the same address, both accept
// from one socket for a while, so that no connection is refused. Without a scope an address is
// listened on once.
#pragma once

#include <set>

namespace sonde::net {

class ListenScope {
 public:
  // What this thread listens on until the scope ends belongs to `owner`; what may be shared stays
  // as the scope around this one says.
  explicit ListenScope(const void* owner);
  // Sockets that belong to these, and to nobody else, may be shared. The set outlives the scope.
  explicit ListenScope(const std::set<const void*>& leaving);
  ~ListenScope();
  ListenScope(const ListenScope&) = delete;
  ListenScope& operator=(const ListenScope&) = delete;

  static const void* owner();
  static bool may_share_with(const void* owner);

 private:
  const ListenScope* const outer_;
  const void* owner_ = nullptr;
  const std::set<const void*>* leaving_ = nullptr;
};

}  // namespace sonde::net
