// SPDX-License-Identifier: Apache-2.0
//
// Mistakes in a configuration. All of them are collected, so that a user mends a file once and not
// line by line; each says the file, the line and the `::` path, and shows the place with a caret:
//
//   sonde.yaml:12: receivers::otlp: unknown key "protcols"; did you mean "protocols"?
//      12 |     protcols:
//         |     ^
//
// Only the key or value at fault is shown of its line, never its neighbours: they may be secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/value.h"

namespace sonde::config {

// Masked and Nothing: what stands there may be secret.
enum class Show { Place, Masked, Nothing };

// "file:line: message" and the place; the position is left out where there is none.
std::string describe(const Position& position, std::string_view message, Show show = Show::Place);
std::unexpected<Error> fail_at(const Position& position, std::string_view message,
                               Show show = Show::Place);

// Bounded: a file that is wrong everywhere ends in a count.
class Problems {
 public:
  void add(const Position& position, std::string_view message, Show show = Show::Place);
  // A message made by fail_at or by another Problems.
  void add(const Error& error);
  // Keeps the error of a result; true when there was none.
  template <class T>
  bool ok(const Result<T>& result) {
    if (!result) add(result.error());
    return result.has_value();
  }

  bool empty() const { return count_ == 0; }
  // An error with every message, one below the other, when there is any.
  Result<> result() const;

 private:
  std::vector<std::string> messages_;
  size_t count_ = 0;
};

// `; did you mean "x"?`, or nothing when no candidate is close.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace sonde::config
