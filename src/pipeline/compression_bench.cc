// SPDX-License-Identifier: Apache-2.0
// What compressing and decompressing costs a span: 1000 spans a request, with random ids as real
// ones have, about 542 bytes each.
#include <benchmark/benchmark.h>

#include <random>

#include "data/span_writer.h"
#include "net/compression/compression.h"

namespace sonde {
namespace {

constexpr size_t kSpans = 1000;

const std::vector<Bytes>& request() {
  static const std::vector<Bytes> chunks = [] {
    std::mt19937_64 random(1);
    const auto id = [&](size_t size) {
      std::string bytes(size, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      return bytes;
    };
    TraceBatchBuilder builder;
    builder.resource({{"service.name", "checkout"}, {"host.name", "node-17"}}).scope("shop", "1.2");
    for (size_t i = 0; i < kSpans; ++i) {
      const std::string trace = id(16);
      const std::string span = id(8);
      const std::string parent = id(8);
      const std::string route = "/api/v1/orders/" + std::to_string(random() % 1'000'000);
      const uint64_t start = 1'700'000'000'000'000'000 + i * 1'000'000 + random() % 1'000'000;
      builder.span({.trace_id = trace,
                    .span_id = span,
                    .parent_span_id = parent,
                    .name = "GET /api/v1/orders/{id}",
                    .kind = SpanKind::Server,
                    .start_ns = start,
                    .end_ns = start + random() % 50'000'000},
                   {{"http.request.method", "GET"},
                    {"url.path", route},
                    {"url.scheme", "https"},
                    {"http.response.status_code", int64_t{200}},
                    {"http.route", "/api/v1/orders/{id}"},
                    {"server.address", "orders.shop.svc.cluster.local"},
                    {"server.port", int64_t{8443}},
                    {"client.address", "10.1.2." + std::to_string(random() % 250)},
                    {"network.peer.port", static_cast<int64_t>(random() % 60'000)},
                    {"network.protocol.version", "1.1"},
                    {"user_agent.original",
                     "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari"},
                    {"thread.id", static_cast<int64_t>(random() % 64)}});
    }
    return builder.build().chunks;
  }();
  return chunks;
}

void label(benchmark::State& state, size_t packed) {
  size_t plain = 0;
  for (const Bytes& chunk : request()) plain += chunk.size();
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSpans));
  state.counters["B/span"] = static_cast<double>(plain) / kSpans;
  state.counters["ratio"] = static_cast<double>(plain) / static_cast<double>(packed);
  state.counters["time/span"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kSpans,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void compressing(benchmark::State& state, net::Encoding encoding, int level) {
  size_t packed = 0;
  for (auto _ : state) packed = net::compress(encoding, request(), level)->size();
  label(state, packed);
}

void decompressing(benchmark::State& state, net::Encoding encoding) {
  const Bytes packed = net::compress(encoding, request()).value();
  for (auto _ : state) {
    benchmark::DoNotOptimize(net::decompress(encoding, packed.view(), size_t{4} << 20)->size());
  }
  label(state, packed.size());
}

BENCHMARK_CAPTURE(compressing, gzip, net::Encoding::Gzip, 0);
BENCHMARK_CAPTURE(compressing, gzip_by_zlib_7, net::Encoding::Gzip, 7);
BENCHMARK_CAPTURE(compressing, gzip_by_zlib_9, net::Encoding::Gzip, 9);
BENCHMARK_CAPTURE(compressing, zstd, net::Encoding::Zstd, 0);
BENCHMARK_CAPTURE(compressing, zstd_1, net::Encoding::Zstd, 1);
BENCHMARK_CAPTURE(compressing, snappy, net::Encoding::Snappy, 0);
BENCHMARK_CAPTURE(compressing, snappy_framed, net::Encoding::SnappyFramed, 0);
BENCHMARK_CAPTURE(compressing, lz4, net::Encoding::Lz4, 0);
BENCHMARK_CAPTURE(decompressing, gzip, net::Encoding::Gzip);
BENCHMARK_CAPTURE(decompressing, zlib, net::Encoding::Zlib);
BENCHMARK_CAPTURE(decompressing, zstd, net::Encoding::Zstd);
BENCHMARK_CAPTURE(decompressing, snappy, net::Encoding::Snappy);
BENCHMARK_CAPTURE(decompressing, snappy_framed, net::Encoding::SnappyFramed);
BENCHMARK_CAPTURE(decompressing, lz4, net::Encoding::Lz4);

}  // namespace
}  // namespace sonde
