// SPDX-License-Identifier: Apache-2.0
//
// Names of components and pipelines: `type` or `type/name`, with white space around either part
// taken away. A type is a letter and at most 62 letters, digits and underscores; a name is at most
// 1024 characters without white space, control characters and symbols.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sonde::config {

struct ComponentId {
  std::string type;
  std::string name;  // Empty where there is none.

  std::string to_string() const { return name.empty() ? type : type + "/" + name; }
};

Result<ComponentId> parse_component_id(std::string_view text);
// `type` is traces, metrics, logs or profiles.
Result<ComponentId> parse_pipeline_id(std::string_view text);

}  // namespace sonde::config
