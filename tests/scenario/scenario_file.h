// SPDX-License-Identifier: Apache-2.0
//
// A .scn file as a list of sections (README.md tells the format). It knows nothing of pipelines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sonde::scenario {

struct Section {
  std::string verb;      // "input"
  std::string argument;  // "traces/front"
  std::string body;      // Without the blank lines at its ends; ends with a newline if not empty.
  size_t line = 0;
};

struct File {
  std::string comment;
  std::vector<Section> sections;
};

File parse(std::string_view text);
std::string print(const File& file);
std::string read_text(const std::string& path);
void write_text(const std::string& path, std::string_view text);

}  // namespace sonde::scenario
