// SPDX-License-Identifier: Apache-2.0
#include "config/ids.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "config/problems.h"

namespace sonde::config {
namespace {

constexpr size_t kMaxType = 63;
constexpr size_t kMaxName = 1024;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

struct Range {
  uint32_t first, last;
};

// Separators, control characters and symbols (Unicode categories Z, C and S) of the blocks that
// people have on a keyboard or paste; scripts that are written with words have none of them.
constexpr Range kRefused[] = {
    {0x00, 0x20},     {0x24, 0x24},     {0x2B, 0x2B},      {0x3C, 0x3E},     {0x5E, 0x5E},
    {0x60, 0x60},     {0x7C, 0x7C},     {0x7E, 0xA0},      {0xA2, 0xA6},     {0xA8, 0xA9},
    {0xAC, 0xB1},     {0xB4, 0xB4},     {0xB8, 0xB8},      {0xD7, 0xD7},     {0xF7, 0xF7},
    {0x2000, 0x200F}, {0x2028, 0x202F}, {0x2044, 0x2044},  {0x2052, 0x2052}, {0x205F, 0x206F},
    {0x20A0, 0x20CF}, {0x2100, 0x2101}, {0x2190, 0x2307},  {0x2500, 0x2767}, {0x3000, 0x3000},
    {0xD800, 0xF8FF}, {0xFEFF, 0xFEFF}, {0x1F000, 0x1FAFF}};

// Reads one character of UTF-8; false where the bytes are none.
bool next_character(std::string_view& text, uint32_t& out) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t size = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (size == 0 || first > 0xF4 || text.size() < size) return false;
  out = size == 1 ? first : first & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return false;
    out = out << 6 | (byte & 0x3F);
  }
  text.remove_prefix(size);
  return true;
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  while (!name.empty()) {
    uint32_t character = 0;
    if (!next_character(name, character)) return false;
    const auto inside = [&](const Range& r) { return character >= r.first && character <= r.last; };
    if (std::ranges::any_of(kRefused, inside)) return false;
  }
  return true;
}

bool is_type(std::string_view type) {
  const auto allowed = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !type.empty() && type.size() <= kMaxType && is_letter(type[0]) &&
         std::ranges::all_of(type, allowed);
}

Result<ComponentId> split(std::string_view text) {
  const size_t slash = text.find('/');
  ComponentId id{std::string(trim(text.substr(0, slash))), {}};
  if (id.type.empty()) {
    return fail(ErrorKind::Invalid, slash == std::string_view::npos
                                        ? "the id is empty; write type or type/name"
                                        : quoted(text) + " has no type before the slash");
  }
  if (slash == std::string_view::npos) return id;
  id.name = trim(text.substr(slash + 1));
  if (id.name.empty()) {
    return fail(ErrorKind::Invalid, quoted(text) + " has no name after the slash");
  }
  if (!is_name(id.name)) {
    return fail(ErrorKind::Invalid, "the name of " + quoted(text) +
                                        " has a space, a control character or a symbol, or is "
                                        "longer than 1024 characters");
  }
  return id;
}

}  // namespace

Result<ComponentId> parse_component_id(std::string_view text) {
  ComponentId id = TRY(split(text));
  if (is_type(id.type)) return id;
  return fail(ErrorKind::Invalid,
              quoted(text) +
                  " is not a component id; write type or type/name, the type with a "
                  "letter first and then letters, digits and _");
}

Result<ComponentId> parse_pipeline_id(std::string_view text) {
  ComponentId id = TRY(split(text));
  constexpr std::string_view kSignals[] = {"traces", "metrics", "logs", "profiles"};
  if (std::ranges::find(kSignals, id.type) != std::end(kSignals)) return id;
  std::string close = suggestion(id.type, {"traces", "metrics", "logs"});
  if (close.empty()) close = "; use traces, metrics or logs";
  return fail(ErrorKind::Invalid, "unknown signal " + quoted(id.type) + close);
}

}  // namespace sonde::config
