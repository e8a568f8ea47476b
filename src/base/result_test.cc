// SPDX-License-Identifier: Apache-2.0
// Result, TRY and the prefixing of messages.
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace sonde {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorKind::Invalid, "odd");
  return n / 2;
}
Result<> even(int n) {
  TRY(half(n));
  return {};
}
Result<std::unique_ptr<int>> boxed_quarter(int n) {
  TRY(even(n));
  return std::make_unique<int>(TRY(half(TRY(half(n)))));
}

TEST(Result, TryPassesValuesOnIncludingNestedOnes) {
  const auto quarter = boxed_quarter(12);
  ASSERT_TRUE(quarter.has_value());
  EXPECT_EQ(**quarter, 3);
}

TEST(Result, TryReturnsTheFirstError) {
  const auto quarter = boxed_quarter(6);
  ASSERT_FALSE(quarter.has_value());
  EXPECT_EQ(quarter.error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(even(3).has_value());
}

TEST(Result, TryMovesValuesThatCannotBeCopied) {
  const auto take = []() -> Result<int> { return *TRY(boxed_quarter(8)); };
  EXPECT_EQ(take().value(), 2);
}

TEST(Result, AtSaysWhereAndKeepsTheRest) {
  const Error error = at("receivers::otlp", Error{ErrorKind::Denied, "no", Duration(5)});
  EXPECT_EQ(error.message, "receivers::otlp: no");
  EXPECT_EQ(error.kind, ErrorKind::Denied);
  EXPECT_EQ(error.retry_after, Duration(5));
  EXPECT_EQ(to_string(ErrorKind::NotFound), "not found");
}

}  // namespace
}  // namespace sonde
