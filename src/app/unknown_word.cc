// SPDX-License-Identifier: Apache-2.0
#include "app/unknown_word.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/field.h"

namespace sonde::app {
namespace {

std::string message(std::string_view what, std::string_view word,
                    const std::vector<std::string>& known, std::string_view help) {
  const std::string_view close = config::nearest(word, {known.begin(), known.end()});
  if (close.empty()) return fmt::format("there is no {} \"{}\"; {} lists them", what, word, help);
  return fmt::format("there is no {} \"{}\"; did you mean \"{}\"?", what, word, close);
}

}  // namespace

std::string unknown_word(const std::vector<std::string>& arguments,
                         const std::vector<Command>& commands) {
  if (arguments.empty() || arguments.front().starts_with('-')) return {};
  const auto command = std::find_if(commands.begin(), commands.end(),
                                    [&](const Command& c) { return c.name == arguments.front(); });
  if (command == commands.end()) {
    std::vector<std::string> names;
    for (const Command& c : commands) names.push_back(c.name);
    return message("command", arguments.front(), names, "sonde --help");
  }
  for (size_t i = 1; i < arguments.size(); i++) {
    const std::string_view word = arguments[i];
    if (word == "--") break;
    if (!word.starts_with("--")) continue;
    const std::string_view flag = word.substr(0, word.find('='));
    const auto& flags = command->flags;
    if (std::find(flags.begin(), flags.end(), flag) != flags.end()) continue;
    return message("flag", flag, flags, fmt::format("sonde {} --help", command->name));
  }
  return {};
}

}  // namespace sonde::app
