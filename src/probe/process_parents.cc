// SPDX-License-Identifier: Apache-2.0
#include "probe/process_parents.h"

namespace sonde::probe {

void Parents::put(uint32_t child, uint32_t parent) {
  erase(child);
  if (order_.size() >= max_) erase(order_.front().first);
  order_.emplace_back(child, parent);
  places_.emplace(child, std::prev(order_.end()));
}

void Parents::erase(uint32_t child) {
  const auto place = places_.find(child);
  if (place == places_.end()) return;
  order_.erase(place->second);
  places_.erase(place);
}

uint32_t Parents::find(uint32_t child) const {
  const auto place = places_.find(child);
  return place == places_.end() ? 0 : place->second->second;
}

}  // namespace sonde::probe
