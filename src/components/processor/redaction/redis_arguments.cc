// SPDX-License-Identifier: Apache-2.0
#include "components/processor/redaction/redis_arguments.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/ascii.h"

namespace sonde::redaction {
namespace {

using Arguments = std::vector<std::string_view>;

enum class Values : uint8_t {
  One,   // The argument of this number, counted from 0.
  Rest,  // That one and all behind it, as a single "?".
  Each,  // That one and each `step` behind it.
};

struct Command {
  std::string_view names;  // Each with a space on both sides.
  Values values;
  size_t first;
  size_t step = 1;
};

// https://redis.io/docs/latest/commands/
constexpr Command kCommands[] = {
    {" AUTH ", Values::Rest, 0},
    {" APPEND GETSET LPUSHX GEORADIUSBYMEMBER RPUSHX SET SETNX SISMEMBER ZRANK ZREVRANK ZSCORE ",
     Values::One, 1},
    {" HSETNX LREM LSET SETBIT SETEX PSETEX SETRANGE ZINCRBY SMOVE RESTORE ", Values::One, 2},
    {" LINSERT ", Values::One, 3},
    {" GEOHASH GEOPOS GEODIST LPUSH RPUSH SREM ZREM SADD ", Values::Rest, 1},
    {" GEOADD ", Values::Each, 3, 3},
    {" HSET HMSET ", Values::Each, 2, 2},
    {" MSET MSETNX ", Values::Each, 1, 2},
};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

void hide_each(Arguments& arguments, size_t first, size_t step) {
  for (size_t i = first; i < arguments.size(); i += step) arguments[i] = "?";
}

void hide_one(Arguments& arguments, size_t number) {
  if (number < arguments.size()) arguments[number] = "?";
}

// BITFIELD key ... SET type offset value ...
void hide_bitfield(Arguments& arguments) {
  size_t set = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (equals_ignoring_case(arguments[i], "SET")) set = i;
    if (set > 0 && i == set + 3) return hide_one(arguments, i);
  }
}

// ZADD key [NX|XX] [CH] [INCR] score member [score member ...]
void hide_zadd(Arguments& arguments) {
  size_t scores = 1;
  while (scores < arguments.size()) {
    const std::string_view word = arguments[scores];
    if (word != "NX" && word != "XX" && word != "CH" && word != "INCR") break;
    ++scores;
  }
  hide_each(arguments, scores + 1, 2);
}

void hide_values(std::string_view command, Arguments& arguments) {
  const std::string name = upper(command);
  if (name == "BITFIELD") return hide_bitfield(arguments);
  if (name == "ZADD") return hide_zadd(arguments);
  if (name == "CONFIG" && equals_ignoring_case(arguments[0], "SET")) return hide_one(arguments, 2);
  const std::string padded = " " + name + " ";
  for (const Command& known : kCommands) {
    if (name.find(' ') != std::string::npos || !known.names.contains(padded)) continue;
    if (known.values == Values::Each) return hide_each(arguments, known.first, known.step);
    hide_one(arguments, known.first);
    if (known.values == Values::Rest && known.first < arguments.size()) {
      arguments.resize(known.first + 1);
    }
    return;
  }
}

bool is_gap(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// A word, which ends at a space or a line break outside quotes. Quotes are those of arguments.
std::string_view take_word(std::string_view& rest, bool quotes) {
  bool quoted = false;
  bool escaped = false;
  size_t end = 0;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (!quoted && (c == ' ' || c == '\n')) break;
    if (quotes && c == '"' && !escaped) quoted = !quoted;
    escaped = c == '\\' && !escaped;
  }
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

}  // namespace

std::string hide_redis_values(std::string_view commands) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  std::string_view rest = commands;
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
  rest = rest.substr(0, rest.find_last_not_of(kBlank) + 1);
  std::string out;
  Arguments arguments;
  while (!rest.empty()) {
    const auto skip_gap = [&] {
      if (!rest.starts_with(' ')) return;
      while (!rest.empty() && is_gap(rest.front())) rest.remove_prefix(1);
    };
    skip_gap();
    const std::string_view command = take_word(rest, false);
    arguments.clear();
    for (skip_gap(); !rest.empty() && rest.front() != '\n'; skip_gap()) {
      arguments.push_back(take_word(rest, true));
    }
    if (!rest.empty()) rest.remove_prefix(1);
    if (command.empty()) continue;
    if (!arguments.empty()) hide_values(command, arguments);
    if (!out.empty()) out += '\n';
    out += command;
    for (const std::string_view argument : arguments) out.append(" ").append(argument);
  }
  return out;
}

}  // namespace sonde::redaction
