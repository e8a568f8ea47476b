// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/split_items.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "data/count.h"
#include "data/metric_writer.h"
#include "data/span_writer.h"

namespace sonde {
namespace {

Bytes many_spans(int count) {
  TraceBatchBuilder builder;
  builder.resource({{"service.name", "a"}});
  for (int i = 0; i < count; ++i) {
    if (i % 100 == 0) builder.scope("scope", "1");
    builder.span({.name = "span"}, {});
  }
  return builder.build().chunks[0];
}

Bytes many_points(int count) {
  MetricBatchBuilder builder;
  builder.resource({{"service.name", "a"}});
  for (int i = 0; i < count; ++i) {
    if (i % 1000 == 0) builder.sum({.name = "metric", .unit = "1"});
    builder.point({{"n", int64_t{i}}}, int64_t{i}, {1, 2});
  }
  return builder.build().chunks[0];
}

size_t total(const std::vector<Piece>& pieces) {
  size_t sum = 0;
  for (const Piece& piece : pieces) sum += piece.items;
  return sum;
}

// Each piece once over the whole chunk took half a minute.
TEST(SplitItems, WalksAChunkOnceHoweverManyPiecesThereAre) {
  constexpr int kItems = 20'000;
  for (const Signal signal : {Signal::Traces, Signal::Metrics}) {
    const Bytes chunk = signal == Signal::Traces ? many_spans(kItems) : many_points(kItems);
    const auto begin = std::chrono::steady_clock::now();
    const auto pieces = split_items(signal, chunk, kItems, 1, 1);
    ASSERT_TRUE(pieces);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    EXPECT_EQ(pieces->size(), static_cast<size_t>(kItems));
    EXPECT_EQ(total(*pieces), static_cast<size_t>(kItems));
  }
}

TEST(SplitItems, LosesAndInventsNothingWhateverTheBytes) {
  std::mt19937 random(7);
  int cut = 0;
  for (int round = 0; round < 3000; ++round) {
    const Signal signal = round % 2 == 0 ? Signal::Traces : Signal::Metrics;
    const Bytes good = signal == Signal::Traces ? many_spans(7) : many_points(7);
    std::string bytes(good.view());
    for (uint32_t i = random() % 4; i > 0; --i) {
      bytes[random() % bytes.size()] = static_cast<char>(random() % 4 == 0 ? random() : 10);
    }
    if (round % 5 == 0) bytes += std::string(good.view());
    const auto items = count_items(signal, bytes);
    if (!items || *items < 2) continue;
    const size_t first = 1 + random() % (*items - 1);
    const size_t size = 1 + random() % 4;
    const auto pieces = split_items(signal, Bytes::copy(bytes), *items, first, size);
    if (!pieces) continue;
    ++cut;
    ASSERT_EQ(total(*pieces), *items) << round;
    for (size_t i = 0; i < pieces->size(); ++i) {
      const Piece& piece = (*pieces)[i];
      const auto held = count_items(signal, piece.chunk.view());
      ASSERT_TRUE(held) << round;
      ASSERT_EQ(*held, piece.items) << round;
      ASSERT_LE(piece.items, i == 0 ? first : size) << round;
    }
  }
  EXPECT_GT(cut, 1000);
}

}  // namespace
}  // namespace sonde
