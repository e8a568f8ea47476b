// SPDX-License-Identifier: Apache-2.0
#include "net/http2/message_rules.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace sonde::net::http2 {
namespace {

// Lower case, and nothing that HTTP/1.1 would read otherwise.
bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z') && c != ':';
  });
}

bool is_value(std::string_view value) {
  return value.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos;
}

// They are about one connection of HTTP/1.1 (section 8.2.2).
bool is_allowed(const Header& field) {
  static constexpr std::array<std::string_view, 5> kForbidden = {
      "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  if (field.name == "te") return field.value == "trailers";
  return std::ranges::find(kForbidden, field.name) == kForbidden.end();
}

// Whether pseudo-header fields are before all others, each one of `allowed` and there once. Says
// in `seen` which of them there are.
bool well_formed(const Fields& fields, std::span<const std::string_view> allowed, unsigned& seen) {
  seen = 0;
  bool regular = false;
  for (const Header& field : fields.list) {
    if (!is_value(field.value)) return false;
    if (field.name.starts_with(':')) {
      const auto at = std::ranges::find(allowed, field.name);
      if (regular || at == allowed.end()) return false;
      const unsigned bit = 1U << (at - allowed.begin());
      if ((seen & bit) != 0) return false;
      seen |= bit;
    } else {
      regular = true;
      if (!is_name(field.name) || !is_allowed(field)) return false;
    }
  }
  return true;
}

}  // namespace

void judge(Fields& fields) {
  static constexpr std::array<std::string_view, 4> kRequest = {":method", ":scheme", ":path",
                                                               ":authority"};
  static constexpr std::array<std::string_view, 1> kResponse = {":status"};
  constexpr unsigned kNeeded = 7;  // all but :authority
  unsigned seen = 0;
  fields.request =
      well_formed(fields, kRequest, seen) && (fields.too_large || (seen & kNeeded) == kNeeded);
  fields.response =
      well_formed(fields, kResponse, seen) && seen == 1 && fields.list.front().value.size() == 3;
  fields.interim = fields.response && fields.list.front().value.starts_with('1');
  fields.trailers = well_formed(fields, {}, seen);
}

}  // namespace sonde::net::http2
