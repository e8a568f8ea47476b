// SPDX-License-Identifier: Apache-2.0
// Makes a data set of the pipeline benchmark with libprotobuf, so that it owes nothing to the codec
// that is measured. usage: pipeline_data KIND ITEMS MEGABYTES SEED FILE [--gzip]
// KIND is span (542 bytes, 12 attributes), small-span (182), log (244) or metric (points of gauges,
// sums and histograms). The same seed makes the same bytes.
#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "data_set.h"
#include "otlp.pb.h"

namespace {

using namespace sonde;
namespace otlp = sonde::testing;

class Maker {
 public:
  explicit Maker(uint64_t seed) : random_(seed) {}

  std::string bytes(size_t count) {
    std::string out(count, '\0');
    for (char& c : out) c = static_cast<char>(random_() & 0xff);
    return out;
  }
  uint64_t below(uint64_t limit) { return random_() % limit; }
  std::string word(size_t length) {
    std::string out(length, ' ');
    for (char& c : out) c = static_cast<char>('a' + below(26));
    return out;
  }
  std::string_view one_of(std::initializer_list<std::string_view> words) {
    return words.begin()[below(words.size())];
  }

  void resource(otlp::Resource* resource, uint64_t number) {
    add(resource->mutable_attributes(), bench::kNumberKey, static_cast<int64_t>(number));
    add(resource->mutable_attributes(), "service.name",
        one_of({"checkout", "cart", "payment", "shipping", "frontend"}));
    add(resource->mutable_attributes(), "service.instance.id",
        fmt::format("{}-{}", "pod", below(50)));
    add(resource->mutable_attributes(), "host.name", fmt::format("node-{}", below(20)));
    add(resource->mutable_attributes(), "telemetry.sdk.language", "java");
  }

  void span(otlp::Span& span) {
    identity(span, 65536);
    auto* attributes = span.mutable_attributes();
    add(attributes, "http.request.method", one_of({"GET", "POST", "PUT", "DELETE"}));
    add(attributes, "url.scheme", "https");
    add(attributes, "http.response.status_code", static_cast<int64_t>(200 + below(5) * 75));
    add(attributes, "http.route", "/api/v1/orders/{id}");
    add(attributes, "server.address", "orders.shop.svc.cluster.local");
    add(attributes, "server.port", int64_t{8443});
    add(attributes, "client.address",
        fmt::format("10.{}.{}.{}", below(256), below(256), below(256)));
    add(attributes, "network.peer.port", static_cast<int64_t>(32768 + below(28000)));
    add(attributes, "network.protocol.version", "1.1");
    add(attributes, "user.id", word(12));
    add(attributes, "thread.id", static_cast<int64_t>(below(200)));
    auto* path = add(attributes, "url.path", fmt::format("/api/v1/orders/{}", below(1'000'000)));
    pad(span, *path->mutable_value()->mutable_string_value(), 542);
  }

  void small_span(otlp::Span& span) {
    identity(span, 16);
    add(span.mutable_attributes(), "http.request.method", one_of({"GET", "POST"}));
    add(span.mutable_attributes(), "http.response.status_code", int64_t{200});
    auto* path = add(span.mutable_attributes(), "url.path", "/");
    pad(span, *path->mutable_value()->mutable_string_value(), 182);
  }

  void log(otlp::LogRecord& record) {
    record.set_time_unix_nano(time());
    record.set_observed_time_unix_nano(record.time_unix_nano() + below(1'000'000));
    record.set_severity_number(9);
    record.set_severity_text("INFO");
    add(record.mutable_attributes(), "logger.name", "com.example.orders.OrderService");
    add(record.mutable_attributes(), "thread.name", fmt::format("worker-{}", below(64)));
    record.set_trace_id(bytes(16));
    record.set_span_id(bytes(8));
    record.mutable_body()->set_string_value(
        fmt::format("order {} accepted for customer {}: ", below(1'000'000), word(8)));
    pad(record, *record.mutable_body()->mutable_string_value(), 244);
  }

  // A third each of gauges, sums and histograms, ten points of each metric.
  void metrics(otlp::ScopeMetrics& scope, uint32_t points) {
    for (uint32_t done = 0, kind = 0; done < points; ++kind) {
      otlp::Metric& metric = *scope.add_metrics();
      metric.set_name(fmt::format("shop.orders.{}", word(10)));
      metric.set_description("What the shop does with its orders.");
      metric.set_unit("1");
      const uint32_t share = std::min<uint32_t>(10, points - done);
      for (uint32_t i = 0; i < share; ++i) point(metric, kind % 3);
      done += share;
    }
  }

 private:
  template <class Attributes>
  otlp::KeyValue* add(Attributes* attributes, std::string_view key, std::string_view value) {
    auto* attribute = attributes->Add();
    attribute->set_key(std::string(key));
    attribute->mutable_value()->set_string_value(std::string(value));
    return attribute;
  }
  template <class Attributes>
  otlp::KeyValue* add(Attributes* attributes, std::string_view key, int64_t value) {
    auto* attribute = attributes->Add();
    attribute->set_key(std::string(key));
    attribute->mutable_value()->set_int_value(value);
    return attribute;
  }
  uint64_t time() { return 1'700'000'000'000'000'000 + below(600'000'000'000); }

  void identity(otlp::Span& span, uint64_t operations) {
    span.set_trace_id(bytes(16));
    span.set_span_id(bytes(8));
    span.set_parent_span_id(bytes(8));
    span.set_name(fmt::format("POST /api/v1/orders/{}", below(operations) % 10));
    span.set_kind(2);
    span.set_start_time_unix_nano(time());
    span.set_end_time_unix_nano(span.start_time_unix_nano() + below(1'000'000'000));
    span.set_flags(257);
  }

  template <class Number>
  void number_point(Number& point) {
    point.set_start_time_unix_nano(1'700'000'000'000'000'000);
    point.set_time_unix_nano(time());
    describe(point);
  }
  template <class Point>
  void describe(Point& point) {
    add(point.mutable_attributes(), "http.request.method", one_of({"GET", "POST", "PUT"}));
    add(point.mutable_attributes(), "http.response.status_code",
        static_cast<int64_t>(200 + below(4)));
    add(point.mutable_attributes(), "http.route", fmt::format("/api/v1/{}", word(8)));
  }
  void point(otlp::Metric& metric, uint32_t kind) {
    if (kind == 0) {
      auto& gauge = *metric.mutable_gauge()->add_data_points();
      number_point(gauge);
      gauge.set_as_double(static_cast<double>(below(1'000'000)) / 7);
    } else if (kind == 1) {
      metric.mutable_sum()->set_aggregation_temporality(2);
      metric.mutable_sum()->set_is_monotonic(true);
      auto& sum = *metric.mutable_sum()->add_data_points();
      number_point(sum);
      sum.set_as_int(static_cast<int64_t>(below(1'000'000)));
    } else {
      metric.mutable_histogram()->set_aggregation_temporality(2);
      auto& histogram = *metric.mutable_histogram()->add_data_points();
      number_point(histogram);
      for (const double bound : {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0}) {
        histogram.add_explicit_bounds(bound);
      }
      uint64_t count = 0;
      for (int bucket = 0; bucket <= 10; ++bucket) {
        histogram.add_bucket_counts(below(1000));
        count += histogram.bucket_counts(bucket);
      }
      histogram.set_count(count);
      histogram.set_sum(static_cast<double>(count) * 0.1);
    }
  }

  // Lengthens `text`, which lies in `message`, until that is `size` bytes.
  template <class Message>
  void pad(const Message& message, std::string& text, size_t size) {
    while (message.ByteSizeLong() < size) text += word(1);
    while (message.ByteSizeLong() > size && !text.empty()) text.pop_back();
    if (message.ByteSizeLong() != size) {
      fmt::print(stderr, "pipeline_data: an item has {} bytes, not {}\n", message.ByteSizeLong(),
                 size);
      exit(1);
    }
  }

  std::mt19937_64 random_;
};

std::string gzipped(const std::string& body) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) exit(1);
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) exit(1);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string request(Maker& make, std::string_view kind, uint32_t items, uint64_t number) {
  if (kind == "log") {
    otlp::LogsRequest request;
    auto* of = request.add_resource_logs();
    make.resource(of->mutable_resource(), number);
    auto* scope = of->add_scope_logs();
    scope->mutable_scope()->set_name("shop");
    for (uint32_t i = 0; i < items; ++i) make.log(*scope->add_log_records());
    return request.SerializeAsString();
  }
  if (kind == "metric") {
    otlp::MetricsRequest request;
    auto* of = request.add_resource_metrics();
    make.resource(of->mutable_resource(), number);
    auto* scope = of->add_scope_metrics();
    scope->mutable_scope()->set_name("shop");
    make.metrics(*scope, items);
    return request.SerializeAsString();
  }
  otlp::TracesRequest request;
  auto* of = request.add_resource_spans();
  make.resource(of->mutable_resource(), number);
  auto* scope = of->add_scope_spans();
  scope->mutable_scope()->set_name("shop");
  for (uint32_t i = 0; i < items; ++i) {
    kind == "span" ? make.span(*scope->add_spans()) : make.small_span(*scope->add_spans());
  }
  return request.SerializeAsString();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    fmt::print(stderr, "usage: pipeline_data KIND ITEMS MEGABYTES SEED FILE [--gzip]\n");
    return 2;
  }
  const std::string_view kind = argv[1];
  if (kind != "span" && kind != "small-span" && kind != "log" && kind != "metric") {
    fmt::print(stderr, "pipeline_data: no such kind: {}\n", kind);
    return 2;
  }
  const auto items = static_cast<uint32_t>(std::max(1, atoi(argv[2])));
  const size_t wanted = strtoull(argv[3], nullptr, 10) << 20;
  Maker make(strtoull(argv[4], nullptr, 10));
  bench::DataSet data;
  data.signal = kind == "log" ? Signal::Logs : kind == "metric" ? Signal::Metrics : Signal::Traces;
  data.gzip = argc > 6 && std::string_view(argv[6]) == "--gzip";
  data.items = items;
  // The size counts before compression: that is what has to come from memory.
  for (size_t size = 0; size < wanted;) {
    std::string body = request(make, kind, items, data.bodies.size());
    size += body.size();
    data.bodies.push_back(Bytes::take(data.gzip ? gzipped(body) : std::move(body)));
  }
  if (auto written = bench::write_data_set(argv[5], data); !written) {
    fmt::print(stderr, "pipeline_data: {}\n", written.error().message);
    return 1;
  }
  fmt::print("{} requests of {} items\n", data.bodies.size(), items);
  return 0;
}
