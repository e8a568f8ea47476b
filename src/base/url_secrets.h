// SPDX-License-Identifier: Apache-2.0
// What may be shown of a URL, be it well-formed or not.
#pragma once

#include <string>
#include <string_view>

namespace sonde {

// Without its user, query and fragment, which may be secret. Nothing is trusted to be well-formed:
// passwords hold a "/" that nobody encoded, so what stands before the last "@" goes, wherever it
// is; and where that comes behind a "?" or "#", which may be part of one too, all but the scheme.
inline std::string url_without_secrets(std::string_view url) {
  const size_t scheme = url.find("://");
  const size_t rest_at = scheme == std::string_view::npos ? 0 : scheme + 3;
  std::string_view rest = url.substr(rest_at);
  const size_t tail = rest.find_first_of("?#");
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    rest = at < tail ? rest.substr(at + 1, tail - at - 1) : "...";
  } else {
    rest = rest.substr(0, tail);
  }
  return std::string(url.substr(0, rest_at)).append(rest);
}

}  // namespace sonde
