// SPDX-License-Identifier: Apache-2.0
#include "rollup/answer_counts.h"

#include <gtest/gtest.h>

namespace sonde::rollup {
namespace {

std::string text(const AnswerCounts& counts) {
  std::string out;
  for (const AnswerRow& r : counts.rows()) {
    out += r.method + " " + r.code + " " + std::to_string(r.count) + "\n";
  }
  return out;
}

TEST(AnswerCounts, CountsEachMethodAndStatus) {
  AnswerCounts counts;
  for (int i = 0; i < 3; i++) counts.add("GET", 200);
  counts.add("POST", 404);
  counts.add("GET", 404);
  counts.add("BREW", 418);
  counts.add("GET", 0);
  counts.add("GET", 999);
  EXPECT_EQ(text(counts), "GET 200 3\nGET 404 1\nGET none 2\nPOST 404 1\n_OTHER 418 1\n");
  EXPECT_EQ(counts.in_class(4), 3u);
  EXPECT_EQ(counts.in_class(5), 0u);
}

TEST(AnswerCounts, AddsAnother) {
  AnswerCounts a, b;
  a.add("GET", 200);
  b.add("GET", 200);
  b.add("GET", 503);
  a.merge(b);
  EXPECT_EQ(text(a), "GET 200 2\nGET 503 1\n");
}

TEST(AnswerCounts, FoldsIntoClassesAtItsBoundAndLosesNoCount) {
  AnswerCounts counts;
  for (int status = 400; status < 400 + static_cast<int>(AnswerCounts::kMaxExact); status++) {
    counts.add("GET", status);
  }
  EXPECT_EQ(counts.rows().size(), AnswerCounts::kMaxExact);
  for (int status = 430; status < 500; status++) counts.add("GET", status);
  counts.add("GET", 400);
  EXPECT_EQ(counts.rows().size(), AnswerCounts::kMaxExact + 1);
  EXPECT_EQ(counts.rows().back().code, "4xx");
  EXPECT_EQ(counts.rows().back().count, 70u);
  EXPECT_EQ(counts.rows().front().count, 2u);
  EXPECT_EQ(counts.in_class(4), AnswerCounts::kMaxExact + 71);
}

}  // namespace
}  // namespace sonde::rollup
