// SPDX-License-Identifier: Apache-2.0
#include "pipeline/lease.h"

#include <map>
#include <mutex>
#include <string>
#include <typeindex>

#include "base/check.h"

namespace sonde::pipeline {
namespace {

struct Slot {
  std::type_index type;
  std::weak_ptr<void> thing;
};

struct Registry {
  std::recursive_mutex mutex;  // `make` may lease what it needs.
  std::map<std::string, Slot, std::less<>> slots;
};

Registry& registry() {
  static Registry* const instance = new Registry;  // Outlives every thread that may lease.
  return *instance;
}

}  // namespace

std::shared_ptr<void> lease(std::string_view identity, const std::type_info& type,
                            const std::function<std::shared_ptr<void>()>& make) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  if (const auto at = all.slots.find(identity); at != all.slots.end()) {
    if (auto thing = at->second.thing.lock()) {
      CHECK(at->second.type == std::type_index(type), "one identity was leased as two types");
      return thing;
    }
    all.slots.erase(at);
  }
  auto thing = make();
  std::erase_if(all.slots, [](const auto& slot) { return slot.second.thing.expired(); });
  if (thing) all.slots.insert_or_assign(std::string(identity), Slot{type, thing});
  return thing;
}

}  // namespace sonde::pipeline
