// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

TEST(Rfc3339, WritesAsManyDigitsAsThereAre) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(1'767'322'845'500'000'000), "2026-01-02T03:00:45.5Z");
  EXPECT_EQ(format_rfc3339(1'767'322'845'000'000'001), "2026-01-02T03:00:45.000000001Z");
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
}

}  // namespace
}  // namespace sonde
