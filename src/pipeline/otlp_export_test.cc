// SPDX-License-Identifier: Apache-2.0
#include "pipeline/otlp_export.h"

#include <gtest/gtest.h>

namespace sonde::pipeline {
namespace {

TEST(OtlpExport, ReadsWhatAPeerRejected) {
  const Sent sent = read_export_response(std::string_view("\x0a\x06\x08\x03\x12\x02no", 8));

  EXPECT_EQ(sent.rejected, 3u);
  EXPECT_EQ(sent.message, "no");
}

TEST(OtlpExport, TakesAResponseThatDoesNotParseAsSuccess) {
  EXPECT_EQ(read_export_response("\x0a\x7f").rejected, 0u);
  EXPECT_EQ(read_export_response("").rejected, 0u);
}

TEST(OtlpExport, JoinsChunksInOrder) {
  Batch batch;
  batch.chunks.push_back(Bytes::copy("ab"));
  batch.chunks.push_back(Bytes::copy("c"));

  EXPECT_EQ(joined(batch).view(), "abc");
}

}  // namespace
}  // namespace sonde::pipeline
