// SPDX-License-Identifier: Apache-2.0
//
// Any text must end in a tree, a graph or an error. The environment is fixed, so that a finding can
// be repeated on another machine.
#include <cstddef>
#include <cstdint>

#include "config/field.h"
#include "config/graph.h"
#include "config/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sonde::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Environment environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "1";
    return std::nullopt;
  };
  if (auto value = parse_yaml(text, "fuzz.yaml", environment)) (void)build_graph(*value);
  (void)parse_bytes(text);
  if (auto duration = parse_duration(text)) {
    // What is printed must be read again as the same length of time (to double precision).
    if (!parse_duration(format_duration(*duration))) __builtin_trap();
  }
  return 0;
}
