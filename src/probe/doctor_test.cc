// SPDX-License-Identifier: Apache-2.0
#include "probe/doctor.h"

#include <gtest/gtest.h>

namespace sonde::probe {
namespace {

TEST(Doctor, GivesARemedyForEverythingThatIsMissing) {
  const Diagnosis d = diagnose();
  bool any_missing = false;
  for (const Finding& f : d.findings) {
    EXPECT_FALSE(f.what.empty());
    EXPECT_EQ(f.kind == Finding::Missing, !f.remedy.empty()) << f.what;
    any_missing |= f.kind == Finding::Missing;
  }
  EXPECT_EQ(d.able, !any_missing);
  EXPECT_TRUE(to_text(d).find("kernel ") != std::string::npos);
}

}  // namespace
}  // namespace sonde::probe
