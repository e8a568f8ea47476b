// SPDX-License-Identifier: Apache-2.0
#include "config/problems.h"

#include <algorithm>

#include "config/field.h"
#include "config/providers.h"

namespace sonde::config {
namespace {

constexpr size_t kMaxProblems = 100;
constexpr size_t kMaxShown = 100;  // Bytes of a line.

std::string_view line_of(std::string_view text, uint32_t line) {
  for (; line > 1; --line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view found = text.substr(0, text.find('\n'));
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

// Columns are counted in characters, positions in a line in bytes.
size_t byte_of(std::string_view line, uint32_t column) {
  size_t at = 0;
  for (uint32_t seen = 1; seen < column && at < line.size(); ++seen) {
    ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

// The length of the key or the value that starts the text.
size_t token_size(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == '"' || text[0] == '\'') {
    const size_t close = text.find(text[0], 1);
    return close == std::string_view::npos ? text.size() : close + 1;
  }
  if (text[0] == '{' || text[0] == '[') return 1;
  size_t end = 0;
  for (; end < text.size(); ++end) {
    if (text.substr(end).starts_with("${")) {
      end = std::min(text.find('}', end), text.size() - 1);
      continue;
    }
    const bool last = end + 1 == text.size();
    if (text[end] == ':' && (last || text[end + 1] == ' ')) break;
    if (text[end] == ',' || text[end] == '}' || text[end] == ']') break;
    if (text.substr(end).starts_with(" #")) break;
  }
  return end;
}

}  // namespace

std::string describe(const Position& position, std::string_view message, Show show) {
  const std::string where = position.to_string();
  std::string out = where.empty() ? std::string(message) : where + ": " + std::string(message);
  if (show == Show::Nothing || !position.source || !position.source->shown || position.line == 0) {
    return out;
  }
  const std::string_view line = line_of(position.source->text, position.line);
  const size_t start = byte_of(line, position.column);
  std::string_view token = line.substr(start, token_size(line.substr(start)));
  if (token.empty() || token.size() > kMaxShown || start > kMaxShown) return out;
  const bool secret = shown_uri(token) != token;  // A URL with a user or a query.
  if (show == Show::Masked || secret) token = "***";
  std::string before(line.substr(0, start));
  // In a flow map or list, what stands before may be somebody else's secret.
  if (before.find_first_of("{[\"',#") != std::string::npos) before = "... ";
  std::string gutter = std::to_string(position.line);
  if (gutter.size() < 4) gutter.insert(0, 4 - gutter.size(), ' ');
  std::string blank = before;
  std::ranges::replace_if(blank, [](char c) { return c != '\t'; }, ' ');
  const size_t characters =
      static_cast<size_t>(std::ranges::count_if(token, [](char c) { return (c & 0xC0) != 0x80; }));
  out += "\n  " + gutter + " | " + before + std::string(token);
  out += "\n  " + std::string(gutter.size(), ' ') + " | " + blank + "^" +
         std::string(characters > 1 ? characters - 1 : 0, '~');
  return out;
}

std::unexpected<Error> fail_at(const Position& position, std::string_view message, Show show) {
  return fail(ErrorKind::Invalid, describe(position, message, show));
}

void Problems::add(const Position& position, std::string_view message, Show show) {
  if (++count_ <= kMaxProblems) messages_.push_back(describe(position, message, show));
}

void Problems::add(const Error& error) {
  if (++count_ <= kMaxProblems) messages_.push_back(error.message);
}

Result<> Problems::result() const {
  if (empty()) return {};
  std::string all;
  for (const std::string& message : messages_) all += (all.empty() ? "" : "\n") + message;
  if (count_ > kMaxProblems) all += "\nand " + std::to_string(count_ - kMaxProblems) + " more";
  return fail(ErrorKind::Invalid, std::move(all));
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string_view close = nearest(word, candidates);
  return close.empty() ? std::string() : "; did you mean \"" + std::string(close) + "\"?";
}

}  // namespace sonde::config
