// SPDX-License-Identifier: Apache-2.0
// Who forked whom, for as long as the child runs the program of its parent.
#ifndef SONDE_PROBE_PROCESS_PARENTS_H
#define SONDE_PROBE_PROCESS_PARENTS_H

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace sonde::probe {

// Process ids are never 0. The oldest fork is forgotten at the bound, which is not 0.
class Parents {
 public:
  explicit Parents(size_t max) : max_(max) {}
  void put(uint32_t child, uint32_t parent);
  void erase(uint32_t child);
  // 0: nobody knows.
  uint32_t find(uint32_t child) const;
  size_t size() const { return order_.size(); }

 private:
  using Order = std::list<std::pair<uint32_t, uint32_t>>;  // Child and parent, oldest first.
  size_t max_;
  Order order_;
  std::unordered_map<uint32_t, Order::iterator> places_;
};

}  // namespace sonde::probe

#endif
