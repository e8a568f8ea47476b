// SPDX-License-Identifier: Apache-2.0
// Strings of JSON whose escapes stand for halves of a surrogate pair, which simdjson 3.0 refuses.
#pragma once

#include <optional>
#include <string>

namespace sonde::wire {

// The string whose opening quote is before `at`, up to its closing one. Every half of a pair that
// stands alone becomes U+FFFD, as the Collector's reader has it (it takes any two halves together:
// "\ud800\ud800\udc00" is three of U+FFFD). Nothing where an escape is none of RFC 8259, section 7,
// or where a control character, as the NUL after the text, comes before the closing quote.
std::optional<std::string> unescape_lone_surrogates(const char* at);

}  // namespace sonde::wire
