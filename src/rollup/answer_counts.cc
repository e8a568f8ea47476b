// SPDX-License-Identifier: Apache-2.0
#include "rollup/answer_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

namespace sonde::rollup {
namespace {

constexpr std::array<std::string_view, 10> kMethods = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"};

uint8_t index_of(std::string_view method) {
  const auto at = std::find(kMethods.begin(), kMethods.end() - 1, method);
  return static_cast<uint8_t>(at - kMethods.begin());
}

std::string code_text(uint16_t code) {
  if (code == 0) return "none";
  return code < 10 ? fmt::format("{}xx", code) : fmt::format("{}", code);
}

}  // namespace

void AnswerCounts::add(std::string_view method, int status) {
  add(index_of(method), static_cast<uint16_t>(status >= 100 && status <= 599 ? status : 0), 1);
}

void AnswerCounts::add(uint8_t method, uint16_t code, uint32_t count) {
  const auto same = [&](const Entry& e) { return e.method == method && e.code == code; };
  auto at = std::find_if(entries_.begin(), entries_.end(), same);
  if (at == entries_.end() && entries_.size() >= kMaxExact && code >= 100) {
    code = static_cast<uint16_t>(code / 100);
    at = std::find_if(entries_.begin(), entries_.end(), same);
  }
  if (at == entries_.end()) at = entries_.insert(at, {method, code, 0});
  const uint32_t room = std::numeric_limits<uint32_t>::max() - at->count;
  at->count += std::min(count, room);
}

void AnswerCounts::merge(const AnswerCounts& other) {
  for (const Entry& e : other.entries_) add(e.method, e.code, e.count);
}

uint64_t AnswerCounts::in_class(int hundreds) const {
  uint64_t total = 0;
  for (const Entry& e : entries_) {
    if ((e.code < 10 ? e.code : e.code / 100) == hundreds) total += e.count;
  }
  return total;
}

std::vector<AnswerRow> AnswerCounts::rows() const {
  std::vector<AnswerRow> out;
  for (const Entry& e : entries_) {
    out.push_back({std::string(kMethods[e.method]), code_text(e.code), e.count});
  }
  std::sort(out.begin(), out.end(), [](const AnswerRow& a, const AnswerRow& b) {
    return std::tie(a.method, a.code) < std::tie(b.method, b.code);
  });
  return out;
}

}  // namespace sonde::rollup
