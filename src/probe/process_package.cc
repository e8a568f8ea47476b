// SPDX-License-Identifier: Apache-2.0
#include "probe/process_package.h"

#include <algorithm>

#include "probe/process_text.h"

namespace sonde::probe::names {
namespace {

constexpr size_t kMaxPackage = 65536;
constexpr int kMaxFolders = 5;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The place of the quote that ends the string whose first character is at `from`.
size_t end_of_string(std::string_view json, size_t from) {
  while (from < json.size() && json[from] != '"') from += json[from] == '\\' ? 2 : 1;
  return std::min(from, json.size());
}

size_t skip_space(std::string_view json, size_t from) {
  return std::min(json.find_first_not_of(" \t\r\n", from), json.size());
}

}  // namespace

std::string_view name_in_package(std::string_view json) {
  if (json.starts_with(kByteOrderMark)) json.remove_prefix(kByteOrderMark.size());
  size_t at = skip_space(json, 0);
  if (at == json.size() || json[at] != '{') return {};
  size_t depth = 1;
  for (++at; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return {};
    if (c != '"') continue;
    const size_t end = end_of_string(json, at + 1);
    const std::string_view key = json.substr(at, end - at);
    at = end;
    // Nested objects (author) have names too, and a value may be the word.
    if (depth != 1 || key != "\"name") continue;
    const size_t colon = skip_space(json, end + 1);
    if (colon == json.size() || json[colon] != ':') continue;
    const size_t value = skip_space(json, colon + 1);
    if (value == json.size() || json[value] != '"') return {};
    const size_t stop = end_of_string(json, value + 1);
    return stop == json.size() ? std::string_view() : json.substr(value + 1, stop - value - 1);
  }
  return {};
}

std::string package_name(std::string folder, const std::string& root) {
  for (int depth = 0; depth < kMaxFolders && !folder.empty(); ++depth) {
    const std::string text = read_file_below(root, folder + "/package.json", kMaxPackage);
    if (const std::string_view name = name_in_package(text); !name.empty()) {
      return std::string(name);
    }
    folder.resize(std::min(folder.rfind('/'), folder.size()));
    if (folder.find('/') == std::string::npos) break;
  }
  return {};
}

}  // namespace sonde::probe::names
