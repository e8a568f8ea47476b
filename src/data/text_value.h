// SPDX-License-Identifier: Apache-2.0
// The small pieces of the text form: quoted strings, numbers, and the values of attributes, which
// nest. Printing and parsing lie side by side because they must agree. The lines and blocks around
// them are text.cc's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/attribute_view.h"

namespace sonde::text {

// Arrays and maps may nest; a peer could nest them until a stack ends.
inline constexpr int kMaxDepth = 32;

void put_quoted(std::string& out, std::string_view text);
void put_double(std::string& out, double value);
void put_time(std::string& out, uint64_t ns);
// A key stands bare where it is a plain word, and in quotes otherwise.
void put_key(std::string& out, std::string_view key);
void put_value(std::string& out, const AnyValueView& value, int depth = 0);
// Whether the body of an AnyValue parses all the way down, within kMaxDepth.
bool valid_value(std::string_view message, int depth = 0);
bool valid_key_value(std::string_view message, int depth = 0);

// A position in one line. Every function below returns false, and leaves why in `error`, when the
// line is not what it should be.
struct Cursor {
  std::string_view rest;
  std::string error{};

  void skip_spaces();
  bool take(char c);
  bool fail(std::string_view why);
  bool quoted(std::string& out);
  bool key(std::string& out);
  std::string_view word();  // Up to a space or one of , ] } =
  bool end();               // Nothing but spaces is left.
};

bool parse_uint(std::string_view text, uint64_t& out);
bool parse_int(std::string_view text, int64_t& out);
bool parse_double(std::string_view text, double& out);
bool parse_time(std::string_view text, uint64_t& ns);
// Appends the body of an AnyValue.
bool parse_value(Cursor& at, std::string& out, int depth = 0);

}  // namespace sonde::text
