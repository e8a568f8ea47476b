// SPDX-License-Identifier: Apache-2.0
// Consistent probability sampling (OTEP 235): numbers of 56 bits, of which an item has a random one
// and a sampler a threshold; what is not below the threshold is kept. Both are written as up to 14
// hexadecimal digits, for spans into the `ot` member of the trace state.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sonde::sampling {

inline constexpr int kDigits = 14;
inline constexpr uint64_t kMost = uint64_t{1} << 56;

struct Randomness {
  uint64_t value = kMost - 1;  // Kept by every threshold that keeps anything.
};
struct Threshold {
  uint64_t value = 0;
  bool keeps(Randomness randomness) const { return randomness.value >= value; }
  double probability() const;
};
inline constexpr Threshold kAlways{0};
inline constexpr Threshold kNever{kMost};

// The least share of items that a threshold can express.
double least_probability();
// Rounded to so many digits, and more where the share is near 0 or 1. Nothing for a share that is
// below the least or above 1.
std::optional<Threshold> threshold_of(double probability, int digits);
// The low 56 bits of 16 bytes.
Randomness randomness_of_trace(std::string_view trace_id);
// From a hash of 32 bits of which 14 decide, so that this and the older way keep the same traces.
Randomness randomness_of_hash(uint32_t hash);

// Without the zeros at its end; "0" for always.
std::string_view write(Threshold threshold, std::array<char, kDigits>& to);
std::string_view write(Randomness randomness, std::array<char, kDigits>& to);
std::optional<Threshold> read_threshold(std::string_view text);
std::optional<Randomness> read_randomness(std::string_view text);

// A W3C trace state with its `ot` member taken apart. Views of the text that was parsed.
struct TraceState {
  std::optional<Randomness> randomness;
  std::optional<Threshold> threshold;
  std::string_view text;
  std::string_view other;  // The value of `ot`.

  // An error (Invalid) where it does not parse, or has more than 32 members.
  static Result<TraceState> parse(std::string_view text);
  // The trace state with the two as they are now, everything else as it came; `ot` goes first.
  void write_to(std::string& out) const;
};

}  // namespace sonde::sampling
