// SPDX-License-Identifier: Apache-2.0
// Bodies that are small as they come and large once decompressed, in every encoding over both
// protocols: refused with the right answer, and without the memory that they ask for.
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/memory_ledger.h"
#include "base/testing/sanitizer.h"
#include "components/receiver/otlp/intake.h"
#include "config/yaml.h"
#include "net/compression/compression.h"
#include "net/grpc/grpc_client.h"
#include "net/http/http_client.h"
#include "net/testing/call_and_wait.h"
#include "pipeline/component.h"
#include "pipeline/testing/loop_host.h"

const sonde::pipeline::ComponentType& sonde_component_receiver_otlp();

namespace sonde {
namespace {

using std::chrono::seconds;

// The most memory that this process has held since the last call, in MiB.
size_t peak_since_last() {
  size_t kib = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) kib = std::strtoul(line.c_str() + 6, nullptr, 10);
  }
  std::ofstream("/proc/self/clear_refs") << "5";
  return kib / 1024;
}

class NothingMayArrive final : public Sink {
 public:
  void consume(Batch batch) override {
    ADD_FAILURE() << "a bomb went into the pipelines";
    batch.ack.deliver();
  }
};

TEST(Receiver_otlp_bombs, AreRefusedInEveryEncoding) {
  constexpr size_t kBomb = size_t{128} << 20;
  constexpr size_t kAllowedMib = 48;  // the limits are 4 and 20 MiB
  const std::string grpc_socket = "unix:" + ::testing::TempDir() + "otlp_bombs_grpc.sock";
  const std::string http_socket = "unix:" + ::testing::TempDir() + "otlp_bombs_http.sock";
  pipeline::LoopHost host("otlp");
  NothingMayArrive sink;
  const auto settings = config::parse_yaml("protocols: {grpc: {endpoint: '" + grpc_socket +
                                               "'}, http: {endpoint: '" + http_socket + "'}}",
                                           "test");
  ASSERT_TRUE(settings);
  auto receiver = sonde_component_receiver_otlp().create(*settings, "otlp", {.traces = &sink});
  ASSERT_TRUE(receiver && (*receiver)->start(host));

  const auto over_grpc = [&](std::string_view name, Bytes bomb) {
    net::GrpcClient client(host.loop(), grpc_socket, seconds(30));
    const auto answer = net::call_and_wait(
        host.loop(), client, "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        std::move(bomb), name);
    return answer ? "taken" : answer.error().message;
  };
  const auto over_http = [&](std::string_view name, Bytes bomb) {
    net::HttpClientOptions options;
    options.base_url = http_socket;
    options.timeout = seconds(30);
    net::HttpClient client(host.loop(), std::move(options));
    const auto answer = net::request_and_wait(
        host.loop(), client, "POST", "/v1/traces", std::move(bomb),
        {{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", std::string(name)}});
    return answer ? answer->status : -1;
  };
  const auto bomb_of = [&](net::Encoding encoding) {
    const Bytes zeros = Bytes::take(std::string(kBomb, '\0'));
    // Snappy's block format packs no better than 21 to 1.
    const bool weak = encoding == net::Encoding::Snappy || encoding == net::Encoding::SnappyFramed;
    const Bytes part = weak ? zeros.slice(0, size_t{72} << 20) : zeros;
    return net::compress(encoding, std::span(&part, 1)).value();
  };
  for (const char* name : {"gzip", "zstd", "snappy", "deflate", "zlib", "lz4"}) {
    const auto encoding = net::encoding_named(name, net::Carrier::Grpc);
    if (!encoding) continue;
    const Bytes bomb = bomb_of(*encoding);
    (void)peak_since_last();
    const size_t before = peak_since_last();
    const std::string answer = over_grpc(name, bomb);
    const size_t grown = peak_since_last() - before;
    EXPECT_TRUE(answer.starts_with("RESOURCE_EXHAUSTED")) << name << ": " << answer;
    if (!testing::kThreadSanitizer) EXPECT_LT(grown, kAllowedMib) << name;
    std::printf("gRPC %-16s %8zu bytes: %zu MiB more\n", name, bomb.size(), grown);
  }
  for (const char* name : {"gzip", "zstd", "snappy", "x-snappy-framed", "deflate", "zlib", "lz4"}) {
    const Bytes bomb = bomb_of(*net::encoding_named(name, net::Carrier::Http));
    (void)peak_since_last();
    const size_t before = peak_since_last();
    EXPECT_EQ(over_http(name, bomb), 413) << name;
    const size_t grown = peak_since_last() - before;
    if (!testing::kThreadSanitizer) EXPECT_LT(grown, kAllowedMib) << name;
    std::printf("HTTP %-16s %8zu bytes: %zu MiB more\n", name, bomb.size(), grown);
  }
}

// What a reader of JSON needs for its text is several times the text.
TEST(Receiver_otlp_bombs, JsonIsReadOnlyWhereTheMemoryLimitHasRoom) {
  const std::string socket = "unix:" + ::testing::TempDir() + "otlp_bombs_json.sock";
  pipeline::LoopHost host("otlp");
  NothingMayArrive sink;
  const auto settings =
      config::parse_yaml("protocols: {http: {endpoint: '" + socket + "'}}", "test");
  ASSERT_TRUE(settings);
  auto receiver = sonde_component_receiver_otlp().create(*settings, "otlp", {.traces = &sink});
  ASSERT_TRUE(receiver && (*receiver)->start(host));
  const auto post = [&](size_t size, std::string_view encoding) {
    std::string json = R"({"resourceSpans":[{})";
    while (json.size() + 5 < size) json += ",{}";
    const Bytes plain = Bytes::take(json + "]}");
    net::HttpClientOptions options;
    options.base_url = socket;
    options.timeout = seconds(30);
    net::HttpClient client(host.loop(), std::move(options));
    net::Headers headers = {{"Content-Type", "application/json"}};
    Bytes body = plain;
    if (!encoding.empty()) {
      headers.push_back({"Content-Encoding", std::string(encoding)});
      body = net::compress(*net::encoding_named(encoding, net::Carrier::Http), std::span(&plain, 1))
                 .value();
    }
    const auto answer = net::request_and_wait(host.loop(), client, "POST", "/v1/traces",
                                              std::move(body), std::move(headers));
    return answer ? answer->status : -1;
  };
  constexpr size_t kMib = size_t{1} << 20;
  struct Limit {
    explicit Limit(size_t bytes) { MemoryLedger::process().set_limit(bytes); }
    ~Limit() { MemoryLedger::process().set_limit(std::numeric_limits<size_t>::max()); }
  } limit(MemoryLedger::process().held() + 96 * kMib);
  EXPECT_EQ(post(kMib, "gzip"), 200);
  EXPECT_EQ(post(kMib, ""), 200);
  const size_t promised = MemoryLedger::process().promised();
  // More than there will ever be room for.
  EXPECT_EQ(post(16 * kMib, "gzip"), 413);
  EXPECT_EQ(post(16 * kMib, ""), 413);
  {
    // More than there is now.
    const MemoryPromise others(MemoryLedger::process().room() - 8 * kMib);
    EXPECT_EQ(post(kMib, "gzip"), 429);
    EXPECT_EQ(post(kMib, ""), 429);
    EXPECT_EQ(post(1024, "gzip"), 200);
  }
  EXPECT_EQ(post(kMib, "gzip"), 200);
  EXPECT_EQ(MemoryLedger::process().promised(), promised);
}

TEST(OtlpMetadata, CountsTowardsTheMemoryLimit) {
  const MemoryLedger& ledger = MemoryLedger::process();
  const size_t before = ledger.held();
  const net::Headers headers(10, net::Header{"Tenant", std::string(1'000, 'x')});
  auto kept = otlp_receiver::context_of(&headers, "peer", {{"subject", std::string(5'000, 'y')}});
  ASSERT_EQ(kept->metadata.size(), 10u);
  EXPECT_EQ(kept->metadata.back().first, "tenant");
  EXPECT_GE(ledger.held(), before + 15'000);
  kept.reset();
  EXPECT_EQ(ledger.held(), before);
}

}  // namespace
}  // namespace sonde
