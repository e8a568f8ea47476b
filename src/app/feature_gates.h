// SPDX-License-Identifier: Apache-2.0
// Switches for behaviour that is new or old, under the Collector's names and with its syntax, so
// that a command line that sets them keeps working. A gate without an effect here says so.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sonde::app {

struct FeatureGate {
  std::string_view id;
  std::string_view stage;  // Alpha, Beta, Stable or Deprecated.
  std::string_view description;
  bool enabled = false;
  std::string_view from_version = {};
};

class FeatureGates {
 public:
  FeatureGates();

  // "+a,-b,c": enables a and c, disables b. An unknown id is an error that names the nearest, and
  // so is a change of what is Stable or Deprecated.
  Result<> apply(std::string_view list);
  bool enabled(std::string_view id) const;
  std::span<const FeatureGate> all() const { return gates_; }
  const FeatureGate* find(std::string_view id) const;

 private:
  std::vector<FeatureGate> gates_;
};

// Those of the process.
FeatureGates& feature_gates();

// What `sonde featuregate [ID]` prints.
Result<std::string> describe_gates(const FeatureGates& gates, std::string_view id);

}  // namespace sonde::app
