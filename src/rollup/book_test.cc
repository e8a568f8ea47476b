// SPDX-License-Identifier: Apache-2.0
// The book under a hand-moved time: rates, edges, where time goes, verdicts, caps and forgetting.
#include "rollup/book.h"

#include <gtest/gtest.h>

#include <random>

namespace sonde::rollup {
namespace {

constexpr int64_t kSecond = 1'000'000'000, kMs = 1'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

Observation server_of(std::string_view service, int64_t ms, int64_t at) {
  return {.service = service,
          .server = true,
          .has_parent = true,
          .method = "GET",
          .route = "/a",
          .status = 200,
          .server_port = 8080,
          .duration_ns = ms * kMs,
          .end_unix_ns = at};
}
Observation client_of(std::string_view service, std::string_view peer, int64_t ms, int64_t at) {
  return {.service = service,
          .server = false,
          .method = "GET",
          .route = "/b",
          .status = 200,
          .peer_service = peer,
          .duration_ns = ms * kMs,
          .end_unix_ns = at};
}

TEST(Book, CountsAYoungServiceOverItsLifeAndNotOverTheRange) {
  Book book;
  for (int i = 0; i < 20; i++) {
    book.observe(server_of("shop", 10, kStart + i * kSecond), kStart + i * kSecond);
  }
  auto a = book.services(300, kStart + 19 * kSecond);
  ASSERT_EQ(a.services.size(), 1u);
  EXPECT_NEAR(a.services[0].rate, 1, .01);
  EXPECT_NEAR(*a.services[0].p95, .01, .0005);
  EXPECT_FALSE(a.services[0].sparkline.front().has_value());
  EXPECT_TRUE(a.services[0].sparkline.back().has_value());
}

TEST(Book, SaysWhichCalleeTheTimeIsSpentOn) {
  Book book;
  for (int i = 0; i < 50; i++) {
    int64_t t = kStart + i * kSecond;
    book.observe(client_of("shop", "inventory", 92, t), t);
    book.observe(server_of("shop", 100, t), t);
  }
  auto a = book.service("shop", 300, kStart + 50 * kSecond);
  ASSERT_TRUE(a);
  EXPECT_NEAR(a->spent.total_s, 5, 1e-6);
  EXPECT_NEAR(a->spent.own_s, .4, 1e-6);
  ASSERT_EQ(a->spent.callees.size(), 1u);
  EXPECT_NEAR(a->spent.callees[0].share, .92, 1e-6);
  EXPECT_EQ(a->spent.callees[0].calls, 50u);
  EXPECT_EQ(a->verdict, "p95 98 ms; 92 % of the time is spent waiting for inventory.");
  EXPECT_FALSE(a->baseline);
}

TEST(Book, ComparesWithTheRangeBefore) {
  Book book;
  for (int i = 0; i < 600; i++) {
    int64_t t = kStart + i * kSecond;
    book.observe(server_of("shop", i < 300 ? 10 : 400, t), t);
  }
  auto a = book.service("shop", 300, kStart + 599 * kSecond);
  ASSERT_TRUE(a && a->baseline);
  EXPECT_NEAR(a->baseline->total_s, 3, .2);
  EXPECT_NE(a->verdict.find("(was "), std::string::npos) << a->verdict;
}

TEST(Book, NamesFailuresBeforeSlowness) {
  Book book;
  for (int i = 0; i < 10; i++) {
    auto o = server_of("shop", 10, kStart);
    o.error = i == 0;
    book.observe(o, kStart);
  }
  auto a = book.service("shop", 300, kStart);
  EXPECT_TRUE(a->verdict.starts_with("10 % of requests fail")) << a->verdict;
  EXPECT_DOUBLE_EQ(a->service.error_share, .1);
}

TEST(Book, ScalesSharesOfParallelCallsToTheTimeThereWas) {
  Book book;
  book.observe(server_of("shop", 100, kStart), kStart);
  book.observe(client_of("shop", "a", 100, kStart), kStart);
  book.observe(client_of("shop", "b", 100, kStart), kStart);
  auto a = book.service("shop", 300, kStart);
  EXPECT_DOUBLE_EQ(a->spent.own_s, 0);
  EXPECT_NEAR(a->spent.callees[0].share + a->spent.callees[1].share, 1, 1e-9);
}

TEST(Book, DrawsOutsideCallersAndUnknownPeersAsExternalNodes) {
  Book book;
  auto root = server_of("shop", 10, kStart);
  root.has_parent = false;
  book.observe(root, kStart);
  auto call = client_of("shop", "", 5, kStart);
  call.server_address = "api.example.com";
  call.server_port = 443;
  book.observe(call, kStart);
  auto m = book.map(300, kStart);
  ASSERT_EQ(m.nodes.size(), 3u);
  EXPECT_FALSE(m.nodes[0].external);
  EXPECT_EQ(m.nodes[1].name, "api.example.com");
  EXPECT_TRUE(m.nodes[1].external);
  EXPECT_EQ(m.nodes[2].name, "outside");
  EXPECT_EQ(m.edges.size(), 2u);
}

TEST(Book, NamesAPeerOnThisHostByThePortItListensOn) {
  Book book;
  book.observe(server_of("stock", 5, kStart), kStart);
  auto call = client_of("shop", "", 6, kStart);
  call.peer_address = "127.0.0.1";
  call.peer_port = 8080;
  book.observe(call, kStart);
  auto a = book.service("shop", 300, kStart);
  ASSERT_EQ(a->outbound.size(), 1u);
  EXPECT_EQ(a->outbound[0].peer, "stock");
}

TEST(Book, StaysWithinItsCapsAndStillCountsEverything) {
  Book book({.services = 2, .endpoints_per_service = 2, .edges = 2});
  for (int i = 0; i < 10; i++) {
    std::string name = "s" + std::to_string(i), route = "/" + std::to_string(i);
    book.observe(server_of(name, 1, kStart), kStart);
    auto o = server_of("s0", 1, kStart);
    o.route = route;
    book.observe(o, kStart);
    book.observe(client_of("s0", name, 1, kStart), kStart);
  }
  auto a = book.services(300, kStart);
  EXPECT_EQ(a.services.size(), 3u);
  auto s = book.service("s0", 300, kStart);
  EXPECT_EQ(s->endpoints.size(), 3u);
  double total = 0;
  for (const auto& e : s->endpoints) total += e.total_s;
  EXPECT_NEAR(total, .011, 1e-9);
  EXPECT_EQ(s->outbound.size(), 3u);
  EXPECT_GT(book.overflowed(), 0u);
}

TEST(Book, BoundsTheEdgesOfCallersThatFoundNoRoom) {
  Book book({.services = 3, .endpoints_per_service = 2, .edges = 4});
  for (int i = 0; i < 1000; i++) {
    const std::string name = "pod-" + std::to_string(i);
    book.observe(client_of(name, "db", 1, kStart), kStart);
    book.observe(client_of(name, "cache-" + std::to_string(i), 1, kStart), kStart);
  }
  auto m = book.map(300, kStart);
  EXPECT_EQ(m.edges.size(), 4u + 2u);  // What fitted, and "(other)" of two callers that came late.
  uint64_t calls = 0;
  for (const MapEdge& e : m.edges) {
    calls += e.count;
    EXPECT_TRUE(e.client < "pod-3") << e.client;
  }
  EXPECT_EQ(calls, 2000u);
}

TEST(Book, CutsLongNames) {
  Book book;
  const std::string text(300, 'x'), long_name = std::string(255, 'a') + "\xC3\xA9" + text;
  auto server = server_of(long_name, 1, kStart);
  server.route = server.method = text;
  book.observe(server, kStart);
  book.describe({.service = long_name, .service_namespace = text, .unit = text}, kStart);
  auto client = client_of(long_name, "", 1, kStart);
  client.server_address = text;
  book.observe(client, kStart);
  auto m = book.map(300, kStart);
  ASSERT_EQ(m.edges.size(), 1u);
  EXPECT_EQ(m.edges[0].client, std::string(255, 'a'));
  auto a = book.service(std::string(255, 'a'), 300, kStart);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->service.service_namespace.size(), Book::kMaxNameBytes);
  EXPECT_EQ(a->service.unit.size(), Book::kMaxNameBytes);
  EXPECT_EQ(a->endpoints[0].route.size(), Book::kMaxNameBytes);
  EXPECT_EQ(a->endpoints[0].method.size(), Book::kMaxNameBytes);
  EXPECT_EQ(a->outbound[0].peer.size(), Book::kMaxNameBytes);
}

TEST(Book, ComparesTheLongestRangeWithTheOneBefore) {
  Book book;
  for (int i = 0; i < 1800; i++) {
    int64_t t = kStart + i * kSecond;
    const bool before = i < 910;  // Where the range of 15 minutes begins, in its steps of 15 s.
    book.observe(client_of("shop", "stock", before ? 5 : 300, t), t);
    book.observe(server_of("shop", before ? 10 : 400, t), t);
  }
  auto a = book.service("shop", 900, kStart + 1799 * kSecond);
  ASSERT_TRUE(a && a->baseline);
  EXPECT_NEAR(a->baseline->total_s, 9, .7);  // Whole minutes: the oldest may be cut off.
  ASSERT_EQ(a->baseline->callees.size(), 1u);
  EXPECT_NEAR(a->baseline->callees[0].share, .5, .01);
  EXPECT_NEAR(a->spent.total_s, 890 * .4, .1);
}

TEST(Book, CallsFiveHundredsFailuresOnBothSidesAndFourHundredsNot) {
  Book book;
  for (int status : {200, 404, 404, 503}) {
    auto server = server_of("stock", 10, kStart);
    auto client = client_of("shop", "stock", 10, kStart);
    server.status = client.status = status;
    server.error = status >= 500;
    client.error = status >= 400;  // As the semantic conventions have it for clients.
    book.observe(server, kStart);
    book.observe(client, kStart);
  }
  auto m = book.map(300, kStart);
  ASSERT_EQ(m.edges.size(), 1u);
  EXPECT_DOUBLE_EQ(m.edges[0].error_share, .25);
  auto stock = book.service("stock", 300, kStart);
  EXPECT_DOUBLE_EQ(stock->service.error_share, .25);
  EXPECT_DOUBLE_EQ(stock->inbound[0].error_share, .25);
  EXPECT_DOUBLE_EQ(book.service("shop", 300, kStart)->outbound[0].error_share, .25);
}

TEST(Book, CallsACallWithoutAnAnswerAFailure) {
  Book book;
  auto call = client_of("shop", "stock", 10, kStart);
  call.status = 0;
  call.error = true;
  book.observe(call, kStart);
  auto a = book.service("shop", 300, kStart);
  EXPECT_DOUBLE_EQ(a->outbound[0].error_share, 1);
  EXPECT_EQ(a->outbound[0].answers[0].code, "none");
}

TEST(Book, NamesTheProtocolsOfAnEdge) {
  Book book;
  auto call = client_of("shop", "stock", 10, kStart);
  book.observe(call, kStart);
  EXPECT_EQ(book.map(300, kStart).edges[0].protocol, "http");
  call.convention = &kDatabase;
  call.scheme = "redis";
  for (int i = 0; i < 3; i++) book.observe(call, kStart);
  EXPECT_EQ(book.map(300, kStart).edges[0].protocol, "http, redis");
  EXPECT_EQ(book.service("shop", 300, kStart)->outbound[0].protocol, "http, redis");
}

TEST(Book, ReadsNoHttpStatusIntoAnotherProtocol) {
  Book book;
  auto query = client_of("shop", "store", 10, kStart);
  query.convention = &kDatabase;
  query.status = 404;
  query.error = true;
  book.observe(query, kStart);
  auto a = book.service("shop", 300, kStart);
  EXPECT_DOUBLE_EQ(a->outbound[0].error_share, 1);
  EXPECT_TRUE(a->outbound[0].answers.empty());
  EXPECT_EQ(a->outbound[0].count, 1u);
}

TEST(Book, CountsAnswersByMethodAndStatus) {
  Book book;
  for (int i = 0; i < 7; i++) {
    auto o = server_of("shop", 10, kStart);
    o.status = i < 5 ? 200 : 404;
    book.observe(o, kStart);
    auto call = client_of("web", "shop", 10, kStart);
    call.status = o.status;
    book.observe(call, kStart);
  }
  auto a = book.service("shop", 300, kStart);
  EXPECT_EQ(a->service.count, 7u);
  for (const auto& rows : {a->service.answers, a->endpoints[0].answers, a->inbound[0].answers}) {
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].method + " " + rows[0].code, "GET 200");
    EXPECT_EQ(rows[0].count, 5u);
    EXPECT_EQ(rows[1].code, "404");
    EXPECT_EQ(rows[1].count, 2u);
  }
  EXPECT_EQ(book.map(300, kStart).edges[0].count, 7u);
}

TEST(Book, ForgetsAfterTheLongestRangeAndTheOneBeforeIt) {
  Book book;
  book.observe(server_of("old", 1, kStart), kStart);
  int64_t later = kStart + 901 * kSecond;
  book.observe(server_of("new", 1, later), later);
  EXPECT_EQ(book.services(900, later).services.size(), 1u);
  EXPECT_TRUE(book.service("old", 300, later));
  later = kStart + 1861 * kSecond;
  book.observe(server_of("new", 1, later), later);
  EXPECT_FALSE(book.service("old", 300, later));
}

// Services with many endpoints and answers of all durations, for longer than the book keeps.
void flood(Book& book, int services, int64_t seconds) {
  std::mt19937 random(7);
  for (int64_t i = 0; i < seconds; i++) {
    const int64_t t = kStart + i * kSecond;
    for (int k = 0; k < services; k++) {
      const std::string name = "s" + std::to_string(k);
      auto o = server_of(name, 1, t);
      const std::string route = "/" + std::to_string(random() % 100);
      o.route = route;
      o.status = 200 + static_cast<int>(random() % 50);
      o.duration_ns = 1000LL << random() % 20;
      book.observe(o, t);
      book.describe({.service = name, .instance = route}, t);
      book.observe(client_of(name, "db", 1, t), t);
    }
  }
}

TEST(Book, KeepsLessPastHalfOfItsBytesAndStillCountsEverything) {
  Book book({.bytes = 4 << 20});
  flood(book, 20, 800);
  EXPECT_LT(book.bytes(), size_t{4 << 20});
  EXPECT_GT(book.bytes(), size_t{2 << 20});
  EXPECT_GT(book.overflowed(), 0u);
  const int64_t now = kStart + 799 * kSecond;
  for (const ServiceRow& s : book.services(900, now).services) EXPECT_EQ(s.count, 800u) << s.name;
  auto a = book.service("s0", 900, now);
  ASSERT_TRUE(a);
  uint64_t told_apart = 0, other = 0;
  for (const EndpointRow& e : a->endpoints) (e.route == "(other)" ? other : told_apart) += e.count;
  EXPECT_EQ(told_apart + other, 800u);
  EXPECT_GT(told_apart, 0u);
  EXPECT_GT(other, 0u);
  EXPECT_EQ(a->outbound[0].count, 800u);
}

TEST(Book, EntersNothingPastItsBytesAndCountsIt) {
  Book book({.bytes = 64 << 10});
  flood(book, 20, 120);
  constexpr size_t kOneRequest = 8192;  // What the last one may have taken beyond.
  EXPECT_LT(book.bytes(), (size_t{64} << 10) + kOneRequest);
  EXPECT_EQ(book.observed(), 20u * 120 * 2);
  EXPECT_GT(book.overflowed(), 0u);
}

TEST(Book, AccountsForWhatItForgets) {
  Book book;
  flood(book, 5, 300);
  const size_t full = book.bytes();
  int64_t later = kStart + (300 + 901) * kSecond;
  for (int i = 0; i < 5; i++)
    book.observe(server_of("new", 1, later + i * kSecond), later + i * kSecond);
  EXPECT_LT(book.bytes(), full / 2);
  later += 3 * 900 * kSecond;
  book.observe(server_of("last", 1, later), later);
  Book fresh;
  fresh.observe(server_of("last", 1, later), later);
  EXPECT_EQ(book.bytes(), fresh.bytes());
}

TEST(Book, AnswersInPartsWithEveryRowOnce) {
  Book book;
  for (int i = 0; i < 100; i++) {
    const std::string name = "s" + std::to_string(i);
    auto o = server_of("s0", 1, kStart);
    o.route = name;
    book.observe(o, kStart);
    book.observe(server_of(name, 1, kStart), kStart);
    book.observe(client_of("s0", name, 1, kStart), kStart);
  }
  EXPECT_EQ(book.services(300, kStart).services.size(), 100u);
  EXPECT_EQ(book.map(300, kStart).edges.size(), 100u);
  auto a = book.service("s0", 300, kStart);
  EXPECT_EQ(a->endpoints.size(), 101u);  // 100, and "(other)".
  EXPECT_EQ(a->outbound.size(), 100u);
}

}  // namespace
}  // namespace sonde::rollup
