// SPDX-License-Identifier: Apache-2.0
#include "pipeline/payload.h"

#include <gtest/gtest.h>

#include "base/memory_ledger.h"

namespace sonde::pipeline {
namespace {

using net::Carrier;
using net::Encoding;

Batch two_chunks() {
  return Batch(Signal::Traces, {Bytes::copy("spans of one "), Bytes::copy("and of another")});
}

TEST(Payload, CompressesTheChunksAsOneBody) {
  const Batch batch = two_chunks();
  const auto body = export_body(batch, Encoding::Gzip, 0);
  ASSERT_TRUE(body);
  EXPECT_EQ(net::decompress(Encoding::Gzip, body->view(), 100)->view(),
            "spans of one and of another");
  EXPECT_EQ(export_body(batch, Encoding::Identity, 0)->view(), "spans of one and of another");
}

TEST(Payload, SendsWhatCameCompressedAsItCame) {
  Batch batch = two_chunks();
  const Bytes came = Bytes::copy("as the sender compressed it");
  batch.original = std::make_shared<const Encoded>("zstd", came);
  EXPECT_EQ(export_body(batch, Encoding::Zstd, 0)->data(), came.data());
  const auto other = export_body(batch, Encoding::Gzip, 0);
  EXPECT_TRUE(net::decompress(Encoding::Gzip, other->view(), 100));
  // A changed batch has lost the form it came in.
  const Batch changed = std::move(batch).with({Bytes::copy("changed")});
  const auto body = export_body(changed, Encoding::Zstd, 0);
  EXPECT_EQ(net::decompress(Encoding::Zstd, body->view(), 100)->view(), "changed");
}

TEST(Payload, OpensASealedBodyForAPeerThatWantsItOtherwise) {
  const Bytes plain = Bytes::copy("spans that nobody looks at");
  const Bytes gzip = *net::compress(Encoding::Gzip, std::vector<Bytes>{plain});
  Batch batch(Signal::Traces, {});
  batch.original = std::make_shared<const Encoded>("gzip", gzip, 0, 100);
  ASSERT_TRUE(batch.sealed());
  EXPECT_EQ(batch.bytes(), gzip.size());
  EXPECT_EQ(export_body(batch, Encoding::Gzip, 0)->data(), gzip.data());
  EXPECT_EQ(*export_body(batch, Encoding::Identity, 0), plain);
  const auto zstd = export_body(batch, Encoding::Zstd, 0);
  EXPECT_EQ(*net::decompress(Encoding::Zstd, zstd->view(), 100), plain);
  // No retry makes good what is damaged or too large.
  batch.original = std::make_shared<const Encoded>("gzip", gzip, 0, 10);
  EXPECT_EQ(export_body(batch, Encoding::Identity, 0).error().kind, ErrorKind::Invalid);
  batch.original = std::make_shared<const Encoded>("gzip", Bytes::copy("no gzip"), 0, 100);
  EXPECT_EQ(export_body(batch, Encoding::Identity, 0).error().kind, ErrorKind::Invalid);
}

TEST(Payload, OpensNothingForWhichThereIsNoMemory) {
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  const Bytes bomb =
      *net::compress(Encoding::Gzip, std::vector<Bytes>{Bytes::take(std::string(48 << 20, '\0'))});
  Batch batch(Signal::Traces, {});
  batch.original = std::make_shared<const Encoded>("gzip", bomb, 0, size_t{64} << 20);
  // Above the budget, which is for what comes in, and below the limit a body may still be opened.
  ledger.set_limit(ledger.held() + (100 << 20));
  EXPECT_TRUE(export_body(batch, Encoding::Identity, 0));
  ledger.set_limit(ledger.held() + (40 << 20));
  const auto refused = export_body(batch, Encoding::Identity, 0);
  ledger.set_limit(limit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Exhausted);
  EXPECT_EQ(refused.error().retry_after, std::chrono::seconds(1));
}

TEST(Payload, RefusesWhatTheCarrierOrTheFormatLacks) {
  EXPECT_EQ(*compression_of("gzip", 9, Carrier::Grpc), Encoding::Gzip);
  EXPECT_EQ(*compression_of("none", 0, Carrier::Grpc), Encoding::Identity);
  EXPECT_EQ(*compression_of("", 0, Carrier::Http), Encoding::Identity);
  EXPECT_EQ(*compression_of("snappy", 0, Carrier::Grpc), Encoding::SnappyFramed);
  EXPECT_EQ(*compression_of("snappy", 0, Carrier::Http), Encoding::Snappy);
  EXPECT_EQ(*compression_of("deflate", 0, Carrier::Http), Encoding::Zlib);
  EXPECT_FALSE(compression_of("deflate", 0, Carrier::Grpc));
  EXPECT_FALSE(compression_of("brotli", 0, Carrier::Http));
  const auto level = compression_of("gzip", 10, Carrier::Http);
  ASSERT_FALSE(level);
  EXPECT_EQ(level.error().message,
            "compression_params::level: gzip has levels from -2 to 9, not 10");
}

}  // namespace
}  // namespace sonde::pipeline
