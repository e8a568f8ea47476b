// SPDX-License-Identifier: Apache-2.0
// A back end that does, by seeded chance, all that HTTP/2 allows a server to do to a client, and a
// ledger over it: what was sent is what was delivered and what was refused for good, to the
// request; twice arrives only what a retry explains.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>

#include "base/log.h"
#include "config/yaml.h"
#include "net/testing/h2_server.h"
#include "pipeline/component.h"
#include "pipeline/testing/loop_host.h"
#include "pipeline/testing/numbered_batches.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_otlp_grpc();

namespace sonde {
namespace {

using net::H2Answer;

// What the back end did with each request.
struct Ledger {
  std::mutex mutex;
  std::mt19937 random{20261121};
  struct Entry {
    int processed = 0;   // it has the data
    int answered = 0;    // and said so
    int refused = 0;     // it refused for good
    int unanswered = 0;  // it has the data, and the sender cannot know
  };
  std::map<int, Entry> entries;

  H2Answer answer(const net::H2Call& call) {
    const std::lock_guard lock(mutex);
    Entry& entry = entries[pipeline::number_in(call.body)];
    const auto chance = [&](int of) {
      return static_cast<int>(random() % static_cast<unsigned>(of));
    };
    H2Answer out;
    out.body = std::string(5, '\0');  // an empty message
    if (chance(5) == 0) out.settings = {some_setting()};
    switch (chance(16)) {
      case 0:
        out.what = H2Answer::Refuse;
        return out;
      case 1:
        out.what = H2Answer::GoawayAndRefuse;
        return out;
      case 2:
        out.what = H2Answer::Goaway;  // and a reply
        break;
      case 3:
        out.what = H2Answer::HangUp;
        break;
      case 4:
        out.what = H2Answer::CutShort;
        break;
      case 5:
        out.what = H2Answer::Reset;
        out.code = chance(2) == 0 ? NGHTTP2_CANCEL : NGHTTP2_ENHANCE_YOUR_CALM;
        break;
      case 6:
        out.what = H2Answer::Reset;
        out.code = NGHTTP2_INTERNAL_ERROR;
        ++entry.refused;
        return out;
      case 7:
        out.body.clear();
        out.trailers = {{"grpc-status", "14"}, {"grpc-message", "not now"}};
        return out;
      case 8:
        out.body.clear();
        out.trailers = {{"grpc-status", "3"}, {"grpc-message", "never"}};
        ++entry.refused;
        return out;
      default:
        break;
    }
    ++entry.processed;
    const bool said = out.what == H2Answer::Reply || out.what == H2Answer::Goaway;
    ++(said ? entry.answered : entry.unanswered);
    return out;
  }

  nghttp2_settings_entry some_setting() {
    const auto one_of = [&](std::initializer_list<uint32_t> values) {
      return *(values.begin() + random() % values.size());
    };
    switch (random() % 4) {
      case 0:
        return {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, one_of({1, 2, 100})};
      case 1:
        return {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, one_of({500, 16384, 65535, 1 << 20})};
      case 2:
        return {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, one_of({0, 100, 4096})};
      default:
        return {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, one_of({16384, 65536})};
    }
  }
};

TEST(Exporter_otlp_grpc_faults, LoseNothingAndRepeatOnlyWhatWasNotAnswered) {
  constexpr int kRequests = 1500;
  set_log_level(LogLevel::Off);  // each refusal is a line
  Ledger ledger;
  net::H2Server server([&](const net::H2Call& call) { return ledger.answer(call); });
  pipeline::LoopHost host("otlp_grpc");
  const auto settings = config::parse_yaml("{endpoint: '127.0.0.1:" + std::to_string(server.port) +
                                               "', tls: {insecure: true}, " +
                                               std::string(pipeline::kNumberedBatchSettings) + "}",
                                           "test");
  ASSERT_TRUE(settings);
  auto exporter = sonde_component_exporter_otlp_grpc().create(*settings, "otlp_grpc", {});
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_TRUE((*exporter)->start(host));

  const auto outcomes = pipeline::send_numbered(host, **exporter, kRequests);
  set_log_level(LogLevel::Info);
  ASSERT_EQ(outcomes.size(), static_cast<size_t>(kRequests));

  const std::lock_guard lock(ledger.mutex);
  int delivered = 0;
  int refused = 0;
  int twice = 0;
  for (const auto& [number, kind] : outcomes) {
    const Ledger::Entry& entry = ledger.entries[number];
    if (kind == Outcome::Delivered) {
      ++delivered;
      EXPECT_EQ(entry.answered, 1) << number;
      EXPECT_EQ(entry.refused, 0) << number;
    } else {
      ++refused;
      EXPECT_EQ(entry.refused, 1) << number;
      EXPECT_EQ(entry.answered, 0) << number;
    }
    EXPECT_EQ(entry.processed, entry.answered + entry.unanswered) << number;
    twice += entry.processed > 1 ? 1 : 0;
  }
  EXPECT_EQ(delivered + refused, kRequests);
  EXPECT_GT(refused, 0);
  EXPECT_GT(twice, 0) << "the back end never hung up after it had taken something";
  std::printf("sent %d = delivered %d + refused %d; %d arrived twice; %d connections\n", kRequests,
              delivered, refused, twice, server.accepted.load());
}

}  // namespace
}  // namespace sonde
