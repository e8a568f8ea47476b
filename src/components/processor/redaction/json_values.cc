// SPDX-License-Identifier: Apache-2.0
#include "components/processor/redaction/json_values.h"

#include <cstddef>

#include "base/hex.h"

namespace sonde::redaction {
namespace {

constexpr size_t kMostDepth = 10000;

class Reader {
 public:
  explicit Reader(std::string_view json) : rest_(json) {}

  bool document() {
    do {
      skip_space();
      if (!begin_value()) return false;
      skip_space();
      while (!open_.empty() && closes()) skip_space();
    } while (!open_.empty() && next_value());
    return open_.empty() && rest_.empty();
  }
  std::string take() { return std::move(out_); }

 private:
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool put(char c) {
    if (!take(c)) return false;
    out_ += c;
    return true;
  }
  void skip_space() {
    const size_t end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  // A scalar, or the way down to the first one; an empty object or array is one by itself.
  bool begin_value() {
    for (;;) {
      const char c = peek();
      if (c != '{' && c != '[') return scalar();
      if (open_.size() == kMostDepth) return false;
      put(c);
      open_ += c;
      skip_space();
      if (peek() == (c == '{' ? '}' : ']')) return true;
      if (c == '{' && !key()) return false;
    }
  }
  bool closes() {
    const char c = open_.back() == '{' ? '}' : ']';
    if (!put(c)) return false;
    open_.pop_back();
    return true;
  }
  bool next_value() {
    if (!put(',')) return false;
    skip_space();
    return open_.back() == '[' || key();
  }
  bool key() {
    const std::string_view from = rest_;
    if (!text()) return false;
    out_ += from.substr(0, from.size() - rest_.size());
    skip_space();
    if (!put(':')) return false;
    skip_space();
    return true;
  }

  bool scalar() {
    out_ += "\"?\"";
    const char c = peek();
    if (c == '"') return text();
    if (c == 't') return word("true");
    if (c == 'f') return word("false");
    if (c == 'n') return word("null");
    return number();
  }
  bool word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool digits() {
    size_t count = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') ++count;
    rest_.remove_prefix(count);
    return count > 0;
  }
  bool number() {
    (void)take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) (void)take('-');
    return digits();
  }
  bool text() {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (static_cast<unsigned char>(c) < 0x20) return false;
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }
  bool escape() {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') return std::string_view("\"\\/bfnrt").contains(c);
    if (rest_.size() < 4) return false;
    for (const char digit : rest_.substr(0, 4)) {
      if (hex_digit(digit) < 0) return false;
    }
    rest_.remove_prefix(4);
    return true;
  }

  std::string_view rest_;
  std::string open_;  // The brackets around the place.
  std::string out_;
};

}  // namespace

std::optional<std::string> hide_json_values(std::string_view json) {
  Reader reader(json);
  if (!reader.document()) return std::nullopt;
  return reader.take();
}

}  // namespace sonde::redaction
