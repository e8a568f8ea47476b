// SPDX-License-Identifier: Apache-2.0
//
// What the program knows of itself and its configuration, for extensions that show it. The program
// writes it before it starts a graph; it is leased by the identity kProcessFacts.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::pipeline {

struct GateFact {
  std::string id, stage, description, from_version;
  bool enabled = false;
};

struct ProcessFacts {
  std::string configuration_json;  // As it is in force, secrets masked; empty: not known.
  std::vector<GateFact> gates;
  std::string version;
  int64_t started_unix_ns = 0;
};

inline constexpr std::string_view kProcessFacts = "process/facts";

// Thread safe. read() is never null.
class ProcessFactsBoard {
 public:
  void publish(ProcessFacts facts) {
    auto fresh = std::make_shared<const ProcessFacts>(std::move(facts));
    const std::lock_guard lock(mutex_);
    facts_ = std::move(fresh);
  }
  std::shared_ptr<const ProcessFacts> read() const {
    const std::lock_guard lock(mutex_);
    return facts_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ProcessFacts> facts_ = std::make_shared<const ProcessFacts>();
};

}  // namespace sonde::pipeline
