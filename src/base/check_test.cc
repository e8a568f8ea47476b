// SPDX-License-Identifier: Apache-2.0
// CHECK dies and says why; a true condition costs nothing.
#include "base/check.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

TEST(Check, TrueConditionsPass) {
  CHECK(1 + 1 == 2);
  CHECK(true, "said");
}

TEST(CheckDeathTest, FalseConditionsDieAndSayWhy) {
  EXPECT_DEATH(CHECK(1 > 2), "CHECK failed at .*check_test.cc:[0-9]+: 1 > 2");
  EXPECT_DEATH(CHECK(false, "the ledger is off"), "false: the ledger is off");
}

}  // namespace
}  // namespace sonde
