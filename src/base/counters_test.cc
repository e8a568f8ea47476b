// SPDX-License-Identifier: Apache-2.0
// The registry of own telemetry and its text form.
#include "base/counters.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

TEST(Counters, SameNameAndLabelsAreOneCounterInAnyOrder) {
  Counter& one = counter("test_same_total", "Help.", {{"b", "2"}, {"a", "1"}});
  Counter& two = counter("test_same_total", "Other help.", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(&one, &two);
  EXPECT_NE(&one, &counter("test_same_total", "Help."));
}

TEST(Counters, ExpositionIsPrometheusTextWithEscapes) {
  counter("test_text_total", "Line one\nline two.", {{"path", "a\"b\\c"}}).add(3);
  gauge("test_text_level", "Level.").set(1.5);
  const std::string text = Counters::exposition();
  EXPECT_NE(
      text.find("# HELP test_text_total Line one\\nline two.\n# TYPE test_text_total counter\n"
                "test_text_total{path=\"a\\\"b\\\\c\"} 3\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE test_text_level gauge\ntest_text_level 1.5\n"), std::string::npos)
      << text;
}

TEST(Counters, SumsOverLabels) {
  counter("test_sum_total", "Sum.", {{"k", "1"}}).add(2);
  counter("test_sum_total", "Sum.", {{"k", "2"}}).add();
  EXPECT_EQ(Counters::sum("test_sum_total"), 3);
  EXPECT_EQ(Counters::sum("test_absent_total"), 0);
}

TEST(Counters, TellsEachLabelSetOfAName) {
  counter("test_samples_total", "Samples.", {{"k", "b"}}).add(2);
  counter("test_samples_total", "Samples.", {{"k", "a"}}).add(5);
  const auto samples = Counters::samples("test_samples_total");
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].labels, (CounterLabels{{"k", "a"}}));
  EXPECT_EQ(samples[0].value, 5);
  EXPECT_EQ(samples[1].value, 2);
  EXPECT_TRUE(Counters::samples("test_absent_total").empty());
}

}  // namespace
}  // namespace sonde
