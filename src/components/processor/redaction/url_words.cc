// SPDX-License-Identifier: Apache-2.0
#include "components/processor/redaction/url_words.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/ascii.h"

namespace sonde::redaction {
namespace {

constexpr size_t kLetters = 27;  // a to z and the space.
constexpr int kMostParts = 10;

// -1000 times the natural logarithm of how often a letter (row) is followed by another (column).
constexpr uint16_t kPairs[kLetters][kLetters] = {
#include "components/processor/redaction/letter_pairs.inc"
};

// Halfway between the strangest of some sentences and the most usual of some noise: the mean of the
// pairs, in the unit of the table.
constexpr double kStrange = 4193.1;

bool stands(char c) { return is_letter(c) || c == '-' || c == '_' || c == '.' || c == ' '; }

// Whether letters follow each other as in no language that is written with them.
bool is_gibberish(std::string_view word) {
  double sum = 0;
  int pairs = 0;
  int last = -1;
  for (const char c : word) {
    if (!is_letter(c) && c != ' ') continue;
    const int letter = c == ' ' ? 26 : (c | 0x20) - 'a';
    if (last >= 0) {
      sum += kPairs[last][letter];
      ++pairs;
    }
    last = letter;
  }
  return pairs > 0 && sum >= kStrange * pairs;
}

bool is_word(std::string_view part) {
  for (size_t i = 0; i < part.size(); ++i) {
    if (!stands(part[i]) && i != 1) return false;
  }
  return !is_gibberish(part);
}

}  // namespace

std::string cluster_url(std::string_view url) {
  std::string out;
  size_t begin = 0;
  for (int parts = 1;; ++parts) {
    const size_t end = std::min(url.find_first_of("/?&#", begin), url.size());
    const std::string_view part = url.substr(begin, end - begin);
    out += is_word(part) ? part : std::string_view("*");
    if (end == url.size() || url[end] != '/' || parts == kMostParts) return out;
    out += '/';
    begin = end + 1;
  }
}

}  // namespace sonde::redaction
