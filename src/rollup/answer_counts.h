// SPDX-License-Identifier: Apache-2.0
// How often each method was answered with each status: exact counts in a few bytes, since one of
// these lies in every slot of the book. Methods are the nine of RFC 9110 and 5789 and "_OTHER".
// More than kMaxExact different answers in one place are folded into classes ("4xx"), so that a
// server that makes statuses up costs no more than an honest one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::rollup {

struct AnswerRow {
  std::string method{}, code{};  // Code is "404", "4xx" where folded, "none" without an answer.
  uint64_t count = 0;
};

class AnswerCounts {
 public:
  static constexpr size_t kMaxExact = 24;

  // Status 0 is no answer; above 599 and between 1 and 99 it counts as none too.
  void add(std::string_view method, int status);
  void merge(const AnswerCounts& other);
  uint64_t in_class(int hundreds) const;  // 4 counts 400 to 499.
  std::vector<AnswerRow> rows() const;    // By method, then code.
  size_t heap_bytes() const { return entries_.empty() ? 0 : entries_.capacity() * 8 + 16; }

 private:
  struct Entry {
    uint8_t method;  // Index into the list of names.
    uint16_t code;   // 100 to 599; 1 to 5 for a folded class; 0 for none.
    uint32_t count;
  };
  void add(uint8_t method, uint16_t code, uint32_t count);
  std::vector<Entry> entries_;
};

}  // namespace sonde::rollup
