// SPDX-License-Identifier: Apache-2.0
// Joining in both orders, time-out, virtual nodes and the bound.
#include "rollup/edges.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace sonde::rollup {
namespace {

constexpr std::string_view kTrace = "0123456789abcdef", kClient = "cccccccc", kServer = "ssssssss";
constexpr int64_t kSecond = 1'000'000'000;

struct Fixture {
  std::vector<FinishedEdge> out;
  std::deque<std::string> names;
  Edges edges;
  explicit Fixture(size_t max = 100)
      : edges({.max_waiting = max}, [this](FinishedEdge e) {
          for (auto* name : {&e.client, &e.client_namespace, &e.server, &e.server_namespace}) {
            *name = names.emplace_back(*name);
          }
          out.push_back(e);
        }) {}
};

EdgeHalf client_half() {
  return {.trace_id = kTrace,
          .span_id = kClient,
          .parent_span_id = "pppppppp",
          .server = false,
          .service = "shop",
          .peer = "10.0.0.7:80",
          .duration_ns = 3 * kSecond};
}
EdgeHalf server_half() {
  return {.trace_id = kTrace,
          .span_id = kServer,
          .parent_span_id = kClient,
          .server = true,
          .service = "stock",
          .error = true,
          .duration_ns = 2 * kSecond};
}

TEST(Edges, JoinsClientAndServerInEitherOrder) {
  for (bool client_first : {true, false}) {
    Fixture f;
    f.edges.add(client_first ? client_half() : server_half(), 0);
    EXPECT_TRUE(f.out.empty());
    f.edges.add(client_first ? server_half() : client_half(), kSecond);
    ASSERT_EQ(f.out.size(), 1u);
    EXPECT_EQ(f.out[0].client, "shop");
    EXPECT_EQ(f.out[0].server, "stock");
    EXPECT_TRUE(f.out[0].failed);
    EXPECT_DOUBLE_EQ(f.out[0].client_s, 3);
    EXPECT_DOUBLE_EQ(f.out[0].server_s, 2);
    f.edges.tick(100 * kSecond);
    EXPECT_EQ(f.out.size(), 1u);
    EXPECT_EQ(f.edges.waiting(), 0u);
  }
}

TEST(Edges, NamesAVirtualServerWhenTheClientStaysAlone) {
  Fixture f;
  f.edges.add(client_half(), 0);
  f.edges.tick(9 * kSecond);
  EXPECT_TRUE(f.out.empty());
  f.edges.tick(10 * kSecond);
  ASSERT_EQ(f.out.size(), 1u);
  EXPECT_EQ(f.out[0].server, "10.0.0.7:80");
  EXPECT_TRUE(f.out[0].virtual_node);
  EXPECT_LT(f.out[0].server_s, 0);
}

TEST(Edges, CallsTheCallerOfARootServerUserAtOnce) {
  Fixture f;
  EdgeHalf root = server_half();
  root.parent_span_id = {};
  f.edges.add(root, 0);
  ASSERT_EQ(f.out.size(), 1u);
  EXPECT_EQ(f.out[0].client, "user");
}

TEST(Edges, NeverHoldsMoreThanItsBound) {
  Fixture f(1);
  f.edges.add(client_half(), 0);
  EdgeHalf other = client_half();
  other.span_id = "dddddddd";
  f.edges.add(other, 0);
  EXPECT_EQ(f.edges.waiting(), 1u);
  EXPECT_EQ(f.out.size(), 1u);
}

TEST(Edges, NeverHoldsMoreBytesOfNamesThanItsBound) {
  Fixture f(4);
  const std::string name(3 * EdgesOptions::kBytesPerHalf, 'a');
  EdgeHalf half = client_half();
  half.service = name;
  for (std::string_view id : {"dddddddd", "eeeeeeee"}) {
    half.span_id = id;
    f.edges.add(half, 0);
  }
  EXPECT_EQ(f.edges.waiting(), 1u);
  EXPECT_EQ(f.out.size(), 1u);
  f.edges.tick(10 * kSecond);
  EXPECT_EQ(f.out.size(), 2u);
  f.edges.add(half, 11 * kSecond);  // What waited no longer counts.
  EXPECT_EQ(f.edges.waiting(), 1u);
}

TEST(Edges, LetsNoHalfWaitWhoseNamesAreTooLong) {
  Fixture f;
  std::string name(EdgesOptions::kMaxHalfBytes - client_half().peer.size(), 'a');
  EdgeHalf half = client_half();
  half.service = name;
  f.edges.add(half, 0);
  EXPECT_EQ(f.edges.waiting(), 1u);
  name += 'a';
  half.service = name;
  half.span_id = "dddddddd";
  f.edges.add(half, 0);
  EXPECT_EQ(f.edges.waiting(), 1u);
  ASSERT_EQ(f.out.size(), 1u);
  EXPECT_EQ(f.out[0].client, name);
}

TEST(Edges, TellsTheLedgerWhatWaits) {
  const size_t before = MemoryLedger::process().held();
  {
    Fixture f;
    const std::string name(1000, 'a');
    EdgeHalf half = client_half();
    half.service = name;
    f.edges.add(half, 0);
    EXPECT_GT(MemoryLedger::process().held(), before + name.size());
    half.server = true;
    half.parent_span_id = kClient;
    f.edges.add(half, 0);
    EXPECT_EQ(MemoryLedger::process().held(), before);
    half.parent_span_id = "eeeeeeee";
    f.edges.add(half, 0);
  }
  EXPECT_EQ(MemoryLedger::process().held(), before);
}

}  // namespace
}  // namespace sonde::rollup
