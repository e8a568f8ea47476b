// SPDX-License-Identifier: Apache-2.0
// A command line that names no command or flag of ours, and what was probably meant.
#pragma once

#include <string>
#include <vector>

namespace sonde::app {

struct Command {
  std::string name;
  std::vector<std::string> flags;  // As written: "--port".
};

// `there is no command "upp"; did you mean "up"?` for the first word that is no command, or the
// first flag that its command does not have. Empty when every word is known.
std::string unknown_word(const std::vector<std::string>& arguments,
                         const std::vector<Command>& commands);

}  // namespace sonde::app
