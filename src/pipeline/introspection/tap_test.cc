// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/tap.h"

#include <gtest/gtest.h>

#include "net/compression/compression.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

TEST(Tap, KeepsOneBatchAndCountsWhatPassesUnseen) {
  TapBoard board;
  const auto point = board.point("receiver/otlp", Signal::Traces, "");
  const auto watch = board.watch("receiver/otlp", Signal::Traces, "traces/a");
  ASSERT_TRUE(watch);
  EXPECT_FALSE(watch->take());
  const Batch first = spans(3);
  point->pass(first);
  point->pass(spans(4));
  point->pass(spans(5));
  auto sample = watch->take();
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->items, 3u);
  EXPECT_EQ(sample->skipped_batches, 0u);
  EXPECT_EQ(sample->chunks[0].view().data(), first.chunks[0].view().data()) << "nothing is copied";
  EXPECT_FALSE(watch->take());
  point->pass(spans(6));
  sample = watch->take();
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->items, 6u);
  EXPECT_EQ(sample->skipped_batches, 2u);
  EXPECT_EQ(sample->skipped_items, 9u);
}

TEST(Tap, ShowsWhatNothingElseLooksInto) {
  TapBoard board;
  const auto point = board.point("receiver/otlp", Signal::Traces, "");
  const auto watch = board.watch("receiver/otlp", Signal::Traces, "traces");
  const Batch open = spans(3);
  Batch sealed(Signal::Traces, {});
  sealed.original = std::make_shared<const Encoded>(
      "zstd", *net::compress(net::Encoding::Zstd, open.chunks), open.bytes(), 1 << 20);
  point->pass(sealed);
  EXPECT_EQ(watch->take()->chunks, open.chunks);
}

TEST(Tap, HoldsNothingOnceNobodyWatches) {
  TapBoard board;
  const auto point = board.point("receiver/otlp", Signal::Traces, "");
  auto watch = board.watch("receiver/otlp", Signal::Traces, "traces");
  auto owner = std::make_shared<int>();
  const std::weak_ptr<int> alive = owner;
  Batch batch(Signal::Traces, {Bytes::alias(std::move(owner), "")});
  point->pass(batch);
  batch.chunks.clear();
  EXPECT_FALSE(alive.expired());
  watch.reset();
  EXPECT_TRUE(alive.expired());
  point->pass(spans(1));
}

TEST(Tap, FindsTheOutputOfAConnectorByItsPipeline) {
  TapBoard board;
  const auto eu = board.point("connector/routing", Signal::Traces, "traces/eu");
  const auto us = board.point("connector/routing", Signal::Traces, "traces/us");
  EXPECT_EQ(board.point("connector/routing", Signal::Traces, "traces/us"), us);
  const auto watch = board.watch("connector/routing", Signal::Traces, "traces/eu");
  ASSERT_TRUE(watch);
  us->pass(spans(1));
  EXPECT_FALSE(watch->take());
  eu->pass(spans(2));
  EXPECT_EQ(watch->take()->items, 2u);
  EXPECT_FALSE(board.watch("connector/routing", Signal::Logs, "traces/eu"));
  EXPECT_FALSE(board.watch("connector/other", Signal::Traces, "traces/eu"));
}

}  // namespace
}  // namespace sonde::pipeline
