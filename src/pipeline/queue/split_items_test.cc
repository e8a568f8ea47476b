// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/split_items.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "base/memory_ledger.h"
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

// Until the last piece is small enough too.
Result<std::vector<Piece>> cut_all(Signal signal, const Bytes& chunk, PieceSize first,
                                   PieceSize each) {
  std::vector<Piece> all = TRY(split_items(signal, chunk, first, each));
  while (all.back().items > 1 &&
         (all.back().items > each.items || all.back().chunk.size() > each.bytes)) {
    const Piece rest = std::move(all.back());
    all.pop_back();
    for (Piece& piece : TRY(split_items(signal, rest.chunk, each, each))) {
      if (piece.items == rest.items) return all;
      all.push_back(std::move(piece));
    }
  }
  return all;
}

// Each piece once over the whole chunk took half a minute.
TEST(SplitItems, WalksAChunkOnceHoweverManyPiecesThereAre) {
  constexpr int kItems = 20'000;
  for (const Signal signal : {Signal::Traces, Signal::Metrics}) {
    const Bytes chunk = signal == Signal::Traces ? many_spans(kItems) : many_points(kItems);
    const auto begin = std::chrono::steady_clock::now();
    const auto pieces = cut_all(signal, chunk, {.items = 1}, {.items = 1});
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
    const Bytes chunk = Bytes::copy(bytes);
    const auto pieces = cut_all(signal, chunk, {.items = first}, {.items = size});
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

// A resource of 200 kB and many small items.
Bytes heavy(Signal signal, int items) {
  const std::string large(200'000, 'x');
  if (signal == Signal::Traces) {
    TraceBatchBuilder builder;
    builder.resource({{"large", large}});
    for (int i = 0; i < items; ++i) builder.span({.name = "s"});
    return builder.build().chunks[0];
  }
  MetricBatchBuilder builder;
  builder.resource({{"a", "b"}}).sum({.name = "metric", .description = large});
  for (int i = 0; i < items; ++i) builder.point({}, int64_t{i}, {1, 2});
  return builder.build().chunks[0];
}

TEST(SplitItems, MakesFewTimesTheChunkAtOnceWhateverIsRepeated) {
  constexpr int kItems = 5'000;
  const MemoryLedger& ledger = MemoryLedger::process();
  for (const Signal signal : {Signal::Traces, Signal::Metrics}) {
    const Bytes chunk = heavy(signal, kItems);
    const size_t before = ledger.held();
    const auto pieces = split_items(signal, chunk, {.items = 10}, {.items = 10});
    ASSERT_TRUE(pieces);
    EXPECT_LT(ledger.held() - before, (1 << 20) + 3 * chunk.size());
    EXPECT_GT(pieces->size(), 2u);
    EXPECT_GT(pieces->back().items, 10u);
    EXPECT_EQ(total(*pieces), static_cast<size_t>(kItems));
    const auto all = cut_all(signal, chunk, {.items = 10}, {.items = 10});
    ASSERT_TRUE(all);
    EXPECT_EQ(all->size(), 500u);
    for (const Piece& piece : *all) EXPECT_EQ(count_records(signal, piece.chunk.view()), 10u);
  }
}

TEST(SplitItems, KeepsToBytesUnlessASingleItemIsLarger) {
  std::mt19937 random(11);
  for (const Signal signal : {Signal::Traces, Signal::Metrics}) {
    const Bytes chunk = signal == Signal::Traces ? many_spans(1000) : many_points(1000);
    for (int round = 0; round < 200; ++round) {
      const size_t first = 1 + random() % chunk.size();
      const size_t each = 1 + random() % chunk.size();
      const auto pieces = cut_all(signal, chunk, {.bytes = first}, {.bytes = each});
      ASSERT_TRUE(pieces);
      ASSERT_EQ(total(*pieces), 1000u);
      size_t full = 0;
      for (size_t i = 0; i < pieces->size(); ++i) {
        const size_t size = (*pieces)[i].chunk.size();
        const size_t most = i == 0 ? first : each;
        if ((*pieces)[i].items > 1) ASSERT_LE(size, most);
        // One more would not have fitted: an item of these takes less than 40 bytes.
        if (size + 60 > most) ++full;
      }
      ASSERT_GE(full + 1, pieces->size());
    }
  }
}

TEST(SplitItems, RefusesToCutWhatThereIsNoMemoryFor) {
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  for (const Signal signal : {Signal::Traces, Signal::Metrics}) {
    const Batch batch(signal, {heavy(signal, 5'000)});
    ledger.set_limit(size_t{200} << 20);  // 500 pieces take 100 MB of the 160 MiB.
    const PieceSize ten{.items = 10};
    EXPECT_TRUE(check_cut(batch, 5'000, ten, ten));
    EXPECT_TRUE(check_cut(batch, 5'000, {.bytes = 300'000}, {.bytes = 300'000}));
    {
      const Bytes other = Bytes::take(std::string(size_t{80} << 20, 'x'));
      const auto later = check_cut(batch, 5'000, ten, ten);
      ASSERT_FALSE(later);
      EXPECT_EQ(later.error().kind, ErrorKind::Exhausted);
      EXPECT_GT(later.error().retry_after, Duration{});
    }
    for (const PieceSize each : {PieceSize{.items = 5}, PieceSize{.bytes = 100'000}}) {
      const auto never = check_cut(batch, 5'000, each, each);
      ASSERT_FALSE(never);
      EXPECT_EQ(never.error().kind, ErrorKind::Invalid);
      EXPECT_NE(never.error().message.find("repeated in each part"), std::string::npos);
    }
    // Without anything large to repeat, pieces of one item are no matter.
    const Batch light(signal, {signal == Signal::Traces ? many_spans(5'000) : many_points(5'000)});
    EXPECT_TRUE(check_cut(light, 5'000, {.items = 1}, {.items = 1}));
    ledger.set_limit(limit);
  }
}

}  // namespace
}  // namespace sonde
