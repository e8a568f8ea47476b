// SPDX-License-Identifier: Apache-2.0
// Drives one pipeline: sends a data set to it, is the back end that it sends on to, and prints one
// JSON line of what happened, with the CPU time that the process under test took for it.
// usage: pipeline_load --data FILE --target HOST:PORT --sink HOST:PORT [--pid PID] [--seconds S]
//   [--warm-up S] [--connections N] [--window REQUESTS] [--rate ITEMS_A_SECOND]
//   [--sink-rate ITEMS_A_SECOND] [--drain S]
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "data_set.h"
#include "process_time.h"
#include "sink.h"
#include "source.h"

namespace {

using namespace sonde;

Duration seconds(double value) { return Duration(static_cast<int64_t>(value * 1e9)); }

// Milliseconds.
double quantile(std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[at]) / 1e6;
}

std::string quantiles(std::vector<int64_t> values) {
  std::ranges::sort(values);
  return fmt::format(R"({{"p50": {:.3f}, "p90": {:.3f}, "p99": {:.3f}, "max": {:.3f}}})",
                     quantile(values, 0.5), quantile(values, 0.9), quantile(values, 0.99),
                     quantile(values, 1));
}

int64_t own_cpu_ns() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto ns = [](const timeval& t) {
    return (int64_t{t.tv_sec} * 1'000'000 + t.tv_usec) * 1000;
  };
  return ns(use.ru_utime) + ns(use.ru_stime);
}

// Runs the loop until everything that was sent has come to an end, or for this long.
bool settle(net::Loop& loop, const bench::Source& source, const bench::Sink& sink, Duration limit) {
  const int64_t until = loop.clock().monotonic_ns() + limit.count();
  const auto settled = [&] { return source.settled() && sink.unanswered() == 0; };
  while (!settled() && loop.clock().monotonic_ns() < until) {
    loop.run_for(std::chrono::milliseconds(5));
  }
  // The last answers leave the process: the system under test has more rounds before it.
  loop.run_for(std::chrono::milliseconds(5));
  return settled();
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options = {
      {"--data", ""},     {"--target", ""},     {"--sink", ""},         {"--pid", "0"},
      {"--seconds", "2"}, {"--warm-up", "0.5"}, {"--connections", "4"}, {"--window", "32"},
      {"--rate", "0"},    {"--sink-rate", "0"}, {"--drain", "30"}};
  for (int i = 1; i < argc; i += 2) {
    const auto at = options.find(argv[i]);
    if (at == options.end() || i + 1 >= argc) {
      fmt::print(stderr, "pipeline_load: {}: unknown, or without a value\n", argv[i]);
      return 2;
    }
    at->second = argv[i + 1];
  }
  const auto number = [&](const char* name) { return strtod(options[name].c_str(), nullptr); };
  auto data = bench::map_data_set(options["--data"]);
  if (!data) {
    fmt::print(stderr, "pipeline_load: {}\n", data.error().message);
    return 1;
  }
  net::Loop loop;
  bench::Source* source_at = nullptr;
  std::unique_ptr<bench::Sink> sink;
  auto listening = bench::Sink::listen(
      loop, options["--sink"], number("--sink-rate"),
      [&](uint64_t request) { source_at->arrived(request); },
      [&] { source_at->delivered(sink->count().items); });
  if (!listening) {
    fmt::print(stderr, "pipeline_load: {}\n", listening.error().message);
    return 1;
  }
  sink = std::move(*listening);
  bench::Source source(loop, *data,
                       {.target = options["--target"],
                        .connections = std::max(1, static_cast<int>(number("--connections"))),
                        .window = static_cast<uint64_t>(number("--window")),
                        .rate = number("--rate")});
  source_at = &source;
  const auto pid = static_cast<int>(number("--pid"));

  source.start();
  loop.run_for(seconds(number("--warm-up")));
  source.stop();
  if (!settle(loop, source, *sink, seconds(number("--drain")))) {
    fmt::print(stderr, "pipeline_load: the warm-up did not end: {} of {} items delivered; {}\n",
               sink->count().items, source.count().sent, source.count().first_error);
    return 1;
  }
  source.forget();
  const bench::SinkCount before = sink->count();
  const auto cpu = bench::process_time(pid);
  const int64_t own = own_cpu_ns();
  const int64_t begin = loop.clock().monotonic_ns();
  source.start();
  loop.run_for(seconds(number("--seconds")));
  source.stop();
  const int64_t sending = loop.clock().monotonic_ns() - begin;
  const bool whole = settle(loop, source, *sink, seconds(number("--drain")));
  const int64_t took = loop.clock().monotonic_ns() - begin;
  const auto cpu_after = bench::process_time(pid);
  const bench::SinkCount& after = sink->count();
  const bench::SourceCount& sent = source.count();
  fmt::print(
      R"({{"sent": {}, "refused": {}, "delivered": {}, "unanswered": {}, "settled": {}, "malformed": {}, )"
      R"("requests_in": {}, "requests_out": {}, "bytes_out": {}, "sending_s": {:.4f}, "seconds": {:.4f}, )"
      R"("cpu_ns": {}, "user_share": {:.3f}, "own_cpu_ns": {}, "delivery_ms": {}, "answer_ms": {}, "error": "{}"}})"
      "\n",
      sent.sent, sent.refused, after.items - before.items, sent.unanswered, whole,
      after.malformed - before.malformed, sent.requests, after.requests - before.requests,
      after.bytes - before.bytes, static_cast<double>(sending) / 1e9,
      static_cast<double>(took) / 1e9, cpu_after.run_ns - cpu.run_ns,
      bench::user_share(cpu, cpu_after), own_cpu_ns() - own, quantiles(source.delivery_delays()),
      quantiles(source.answer_delays()), sent.first_error);
  return 0;
}
