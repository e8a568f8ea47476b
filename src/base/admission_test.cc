// SPDX-License-Identifier: Apache-2.0
#include "base/admission.h"

#include <gtest/gtest.h>

#include "base/buffer.h"
#include "base/bytes.h"

namespace sonde {
namespace {

// Room for so many bytes.
struct Place final : Gate {
  explicit Place(uint64_t size) : free(size) {}
  Result<> change(const Need& from, const Need& to) override {
    if (to.bytes > free + from.bytes) return fail(ErrorKind::Exhausted, "full");
    free = free + from.bytes - to.bytes;
    return {};
  }
  uint64_t free;
};

struct TwoPlaces {
  std::shared_ptr<Place> large = std::make_shared<Place>(100);
  std::shared_ptr<Place> small = std::make_shared<Place>(10);
  std::shared_ptr<const Gates> gates = std::make_shared<const Gates>(Gates{large, small});
};

TEST(Admission, IsToEveryPlaceOrToNone) {
  TwoPlaces places;
  const auto refused = Admission::ask(places.gates, {1, 0, 11});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Exhausted);
  EXPECT_EQ(places.large->free, 100u);
  {
    const auto admitted = Admission::ask(places.gates, {1, 0, 10});
    ASSERT_TRUE(admitted);
    EXPECT_EQ(places.large->free, 90u);
    EXPECT_EQ(places.small->free, 0u);
  }
  EXPECT_EQ(places.large->free, 100u);
  EXPECT_EQ(places.small->free, 10u);
}

TEST(Admission, ThatGrowsTooLargeHoldsNothingAnyMore) {
  TwoPlaces places;
  auto admitted = Admission::ask(places.gates, {1, 0, 5});
  ASSERT_TRUE(admitted);
  EXPECT_TRUE(admitted->change({1, 3, 8}));
  EXPECT_EQ(places.small->free, 2u);
  EXPECT_FALSE(admitted->change({1, 3, 11}));
  EXPECT_EQ(places.large->free, 100u);
  EXPECT_EQ(places.small->free, 10u);
}

TEST(Admission, MovesWithItsPromise) {
  TwoPlaces places;
  const size_t before = MemoryLedger::process().promised();
  Admission kept;
  {
    auto admitted = Admission::ask(places.gates, {1, 0, 5}, MemoryPromise(1000));
    ASSERT_TRUE(admitted);
    kept = std::move(*admitted);
  }
  EXPECT_EQ(places.small->free, 5u);
  EXPECT_EQ(MemoryLedger::process().promised(), before + 1000);
  kept.redeem_memory();
  EXPECT_EQ(MemoryLedger::process().promised(), before);
  EXPECT_EQ(places.small->free, 5u);
  kept.end();
  EXPECT_EQ(places.small->free, 10u);
}

TEST(MemoryLedger, ChargesStorageOnceHoweverManyShareIt) {
  const MemoryLedger& ledger = MemoryLedger::process();
  const size_t before = ledger.held();
  const Bytes text = Bytes::take(std::string(10'000, 'x'));
  const Bytes same = text;
  const Bytes part = text.slice(10, 20);
  EXPECT_GE(ledger.held(), before + 10'000);
  EXPECT_LT(ledger.held(), before + 20'000);
  const Buffer block(5000);
  EXPECT_GE(ledger.held(), before + 10'000 + 8192);
}

TEST(MemoryLedger, LeavesAShareOfTheLimitToWhatIsNoTelemetry) {
  constexpr size_t kMib = 1 << 20;
  MemoryLedger ledger;
  EXPECT_TRUE(ledger.has_room(size_t{1} << 50));
  ledger.set_limit(1000 * kMib);
  EXPECT_EQ(ledger.budget(), 800 * kMib);
  ledger.set_limit(64 * kMib);
  EXPECT_EQ(ledger.budget(), 32 * kMib);
  ledger.charge(30 * kMib);
  EXPECT_TRUE(ledger.has_room(2 * kMib));
  EXPECT_FALSE(ledger.has_room(2 * kMib + 1));
  ledger.charge(34 * kMib);
  EXPECT_EQ(ledger.room(), 0u);
  EXPECT_FALSE(ledger.exhausted());
  ledger.charge(1);
  EXPECT_TRUE(ledger.exhausted());
  ledger.set_limit(20 * kMib);
  EXPECT_EQ(ledger.budget(), 0u);
}

}  // namespace
}  // namespace sonde
