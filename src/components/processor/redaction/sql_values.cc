// SPDX-License-Identifier: Apache-2.0
#include "components/processor/redaction/sql_values.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"

namespace sonde::redaction {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::string_view kPunctuation = "(),;.:[]{}";
constexpr std::string_view kOperators = "+-*/=<>!&|^%~?@:#";
// Besides letters and digits.
constexpr std::string_view kInNames = "\".?$#/@!";
constexpr std::string_view kFunction = "$func$";

bool in(std::string_view set, char c) { return c != '\0' && set.find(c) != std::string_view::npos; }
bool is_plain(char c) { return sonde::is_letter(c) || c == '_'; }
// Bytes of UTF-8 beyond ASCII are taken for letters.
bool is_letter(char c) { return is_plain(c) || static_cast<unsigned char>(c) >= 0x80; }
bool is_name(char c) { return is_letter(c) || is_digit(c); }

class Reader {
 public:
  Reader(std::string_view sql, SqlDialect dialect)
      : text_(sql.substr(0, sql.find('\0'))), mysql_(dialect == SqlDialect::MySql) {}

  std::string run() {
    while (at_ < text_.size()) step();
    const size_t first = out_.find_first_not_of(kSpaces);
    if (first == std::string::npos) return {};
    return out_.substr(first, out_.find_last_not_of(kSpaces) + 1 - first);
  }

 private:
  // What lies so many bytes ahead; NUL behind the end.
  char ahead(size_t n = 0) const { return at_ + n < text_.size() ? text_[at_ + n] : '\0'; }
  bool at(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  // Moves to the place; what lies between is copied, or hidden.
  void copy_to(size_t end) {
    out_.append(text_, at_, end - at_);
    at_ = end;
  }
  void hide_to(size_t end) {
    out_ += '?';
    at_ = end;
  }
  template <class Same>
  size_t run_of(size_t from, Same same) const {
    while (from < text_.size() && same(text_[from])) ++from;
    return from;
  }
  size_t before(std::string_view what, size_t from) const {
    return std::min(text_.find(what, from), text_.size());
  }

  void step() {
    const char c = ahead();
    const char next = ahead(1);
    if (in(kSpaces, c)) return copy_to(run_of(at_, [](char x) { return in(kSpaces, x); }));
    if (is_letter(c)) return word();
    if (c == '\'' || (c == '"' && mysql_)) return text(c);
    if (c == '"' || (c == '`' && mysql_)) return quoted_name(c);
    if (at("--") || (c == '#' && mysql_)) return copy_to(before("\n", at_));
    if (at("/*")) return copy_to(std::min(before("*/", at_ + 2) + 2, text_.size()));
    if ((c == '+' || c == '-') && (is_digit(next) || next == '.')) return hide_to(decimal(at_ + 1));
    if (is_digit(c)) return number();
    if (c == '$' && is_digit(next)) return hide_to(run_of(at_ + 1, is_digit));
    if (c == '$') return dollar_quoted();
    if (c == '@' && parameter()) return;
    if (c != '*' && in(kOperators, c)) return operators();
    copy_to(at_ + 1);
  }

  void word() {
    const size_t plain = run_of(at_, is_plain);
    const std::string_view first = text_.substr(at_, plain - at_);
    const char behind = plain < text_.size() ? text_[plain] : ' ';
    if (in(kSpaces, behind) || in(kPunctuation, behind)) {
      for (const std::string_view value : {"true", "false", "null"}) {
        if (equals_ignoring_case(first, value)) return hide_to(plain);
      }
    }
    name_to(run_of(at_, [](char x) { return is_name(x) || in(kInNames, x); }));
  }

  void name_to(size_t end) {
    bool digits = false;
    for (; at_ < end; ++at_) {
      const bool digit = is_digit(text_[at_]);
      if (!digit) out_ += text_[at_];
      if (digit && !digits) out_ += '?';
      digits = digit;
    }
  }

  // A backslash takes the next character along; a doubled quote ends one text and begins another.
  void text(char quote) {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    hide_to(std::min(end + 1, text_.size()));
  }

  // "a"."b" is one name.
  void quoted_name(char quote) {
    const char more[] = {quote, '.', quote};
    size_t end = at_ + 1;
    for (;;) {
      end = text_.find(quote, end);
      if (end == std::string_view::npos) return hide_to(text_.size());
      if (!text_.substr(end).starts_with(std::string_view(more, 3))) break;
      end += 3;
    }
    name_to(end + 1);
  }

  size_t decimal(size_t from) const {
    for (;;) {
      from = run_of(from, [](char x) { return is_digit(x) || x == '.'; });
      if (from >= text_.size() || (text_[from] | 0x20) != 'e') return from;
      ++from;
      if (from < text_.size() && (text_[from] == '+' || text_[from] == '-')) ++from;
    }
  }

  void number() {
    if (ahead() == '0' && (ahead(1) | 0x20) == 'x') {
      return hide_to(run_of(at_ + 2, [](char x) {
        const char low = static_cast<char>(x | 0x20);
        return is_digit(x) || (low >= 'a' && low <= 'f');
      }));
    }
    if (ahead() == '0' && ahead(1) >= '0' && ahead(1) <= '7') {
      return hide_to(run_of(at_ + 1, [](char x) { return x >= '0' && x <= '7'; }));
    }
    hide_to(decimal(at_));
  }

  // $tag$ ... $tag$: a text, or, by the tag of functions, statements.
  void dollar_quoted() {
    const size_t tag_end = text_.find('$', at_ + 1);
    if (tag_end == std::string_view::npos) return hide_to(text_.size());
    const std::string_view tag = text_.substr(at_, tag_end + 1 - at_);
    const size_t begin = tag_end + 1;
    const size_t end = text_.find(tag, begin);
    if (end == std::string_view::npos) return hide_to(text_.size());
    if (tag != kFunction) return hide_to(end + tag.size());
    const SqlDialect dialect = mysql_ ? SqlDialect::MySql : SqlDialect::Common;
    out_.append(tag).append(hide_sql_values(text_.substr(begin, end - begin), dialect)).append(tag);
    at_ = end + tag.size();
  }

  // @name and @@name stay; false where it is an operator.
  bool parameter() {
    const size_t signs = ahead(1) == '@' ? 2 : 1;
    if (signs == 1 && !is_name(ahead(1))) return false;
    copy_to(run_of(at_ + signs, is_name));
    return true;
  }

  // Signs that stand together, but "=?" and "=@" are two.
  void operators() {
    for (const std::string_view json :
         {"->>", "->", "#>>", "#>", "#-", "?|", "?&", "<@", "@?", "@>"}) {
      if (at(json)) return copy_to(at_ + json.size());
    }
    size_t end = at_ + 1;
    while (end < text_.size() && in(kOperators, text_[end]) &&
           !(text_[end - 1] == '=' && (text_[end] == '?' || text_[end] == '@'))) {
      ++end;
    }
    copy_to(end);
  }

  const std::string_view text_;
  const bool mysql_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string hide_sql_values(std::string_view sql, SqlDialect dialect) {
  return Reader(sql, dialect).run();
}

}  // namespace sonde::redaction
