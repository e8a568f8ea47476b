// SPDX-License-Identifier: Apache-2.0
// What this machine allows: kernel, type information, capabilities, lockdown, front end. Each
// finding says what is missing and how to get it. It only reads; nothing is loaded, so that it also
// tells a user without privileges what would be needed.
#pragma once
#include <string>
#include <vector>

namespace sonde::probe {

struct Finding {
  enum Kind { Good, Note, Missing } kind = Good;
  std::string what;
  std::string remedy;  // Empty unless Missing.
};

struct Diagnosis {
  std::vector<Finding> findings;
  std::string front_end;
  bool able = false;  // Capture would start as things are.
};

Diagnosis diagnose();
// Names of the capabilities that capture needs and this process lacks; empty for root.
std::vector<std::string> missing_capabilities();
// One line a finding, for a terminal.
std::string to_text(const Diagnosis& diagnosis);

}  // namespace sonde::probe
