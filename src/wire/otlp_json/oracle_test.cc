// SPDX-License-Identifier: Apache-2.0
// libprotobuf's JSON as the oracle, for everything but ids, which OTLP writes in hexadecimal.
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <limits>

#include "data/testing/otlp.pb.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::wire {
namespace {

namespace pb = google::protobuf;

void fill_values(pb::RepeatedPtrField<testing::KeyValue>* pairs) {
  const auto add = [&](const char* key) {
    auto* const pair = pairs->Add();
    pair->set_key(key);
    return pair->mutable_value();
  };
  add("text")->set_string_value("a \"quoted\"\n\x01 \\ line, \xC3\xA9\xF0\x9F\x8C\x8D </script>");
  add("empty")->set_string_value("");
  add("yes")->set_bool_value(true);
  add("no")->set_bool_value(false);
  add("least")->set_int_value(std::numeric_limits<int64_t>::min());
  add("most")->set_int_value(std::numeric_limits<int64_t>::max());
  add("zero")->set_int_value(0);
  add("tenth")->set_double_value(0.1);
  add("huge")->set_double_value(1.7976931348623157e308);
  add("tiny")->set_double_value(5e-324);
  add("nan")->set_double_value(std::numeric_limits<double>::quiet_NaN());
  add("infinity")->set_double_value(-std::numeric_limits<double>::infinity());
  add("bytes")->set_bytes_value(std::string("\0\xff\x10 1", 5));
  add("nothing");
  auto* const values = add("list")->mutable_array_value();
  values->add_values()->set_int_value(1);
  values->add_values()->mutable_kvlist_value()->add_values()->set_key("inner");
  add("none")->mutable_array_value();
}

testing::TracesRequest traces() {
  testing::TracesRequest request;
  for (int i = 0; i < 2; ++i) {
    auto* const group = request.add_resource_spans();
    fill_values(group->mutable_resource()->mutable_attributes());
    group->mutable_resource()->set_dropped_attributes_count(4294967295u);
    group->set_schema_url("https://example.com/1");
    auto* const scope = group->add_scope_spans();
    scope->mutable_scope()->set_name("scope");
    scope->mutable_scope()->set_version("1");
    auto* const span = scope->add_spans();
    span->set_trace_state("a=b");
    span->set_name("GET /");
    span->set_kind(3);
    span->set_start_time_unix_nano(std::numeric_limits<uint64_t>::max());
    span->set_end_time_unix_nano(1);
    fill_values(span->mutable_attributes());
    span->set_dropped_events_count(3);
    span->set_flags(257);
    auto* const event = span->add_events();
    event->set_time_unix_nano(5);
    event->set_name("exception");
    fill_values(event->mutable_attributes());
    span->add_links()->set_flags(1);
    span->mutable_status()->set_code(2);
    span->mutable_status()->set_message("late");
  }
  return request;
}

testing::MetricsRequest metrics() {
  testing::MetricsRequest request;
  auto* const scope = request.add_resource_metrics()->add_scope_metrics();
  auto* metric = scope->add_metrics();
  metric->set_name("queue");
  metric->set_unit("1");
  fill_values(metric->mutable_metadata());
  auto* number = metric->mutable_gauge()->add_data_points();
  number->set_as_int(-3);
  number->set_time_unix_nano(9);
  metric->mutable_gauge()->add_data_points()->set_as_double(0);
  metric->mutable_gauge()->add_data_points()->set_as_int(0);
  auto* const sum = scope->add_metrics()->mutable_sum();
  sum->set_is_monotonic(true);
  sum->set_aggregation_temporality(2);
  fill_values(sum->add_data_points()->mutable_attributes());
  auto* const histogram = scope->add_metrics()->mutable_histogram()->add_data_points();
  histogram->set_count(3);
  histogram->set_sum(0);
  histogram->set_max(4.5);
  for (const uint64_t count : {0ull, 2ull, 18446744073709551615ull}) {
    histogram->add_bucket_counts(count);
  }
  for (const double bound : {0.1, 1e20}) histogram->add_explicit_bounds(bound);
  auto* const exponential =
      scope->add_metrics()->mutable_exponential_histogram()->add_data_points();
  exponential->set_scale(-4);
  exponential->set_zero_count(7);
  exponential->mutable_positive()->set_offset(-2147483647 - 1);
  for (const uint64_t count : {1ull, 0ull, 300ull}) {
    exponential->mutable_positive()->add_bucket_counts(count);
  }
  exponential->mutable_negative();
  exponential->set_flags(1);
  auto* const summary = scope->add_metrics()->mutable_summary()->add_data_points();
  summary->set_sum(2.5);
  summary->add_quantile_values()->set_value(1);
  return request;
}

testing::LogsRequest logs() {
  testing::LogsRequest request;
  auto* const scope = request.add_resource_logs()->add_scope_logs();
  auto* const record = scope->add_log_records();
  record->set_time_unix_nano(5);
  record->set_observed_time_unix_nano(6);
  record->set_severity_number(9);
  record->set_severity_text("INFO");
  record->mutable_body()->mutable_kvlist_value()->add_values()->set_key("k");
  fill_values(record->mutable_attributes());
  record->set_event_name("start");
  scope->add_log_records();
  return request;
}

template <class Request>
void compare(Signal signal, const Request& request) {
  // What libprotobuf writes is read as the same message.
  for (const bool snake : {false, true}) {
    std::string theirs;
    pb::util::JsonPrintOptions options;
    options.preserve_proto_field_names = snake;
    options.always_print_primitive_fields = snake;
    options.add_whitespace = snake;
    ASSERT_TRUE(pb::util::MessageToJsonString(request, &theirs, options).ok());
    const auto bytes = otlp_from_json(signal, OtlpBody::Request, theirs, size_t{1} << 20);
    ASSERT_TRUE(bytes) << bytes.error().message << "\n" << theirs;
    Request read;
    ASSERT_TRUE(read.ParseFromString(std::string(bytes->view())));
    EXPECT_EQ(read.SerializeAsString(), request.SerializeAsString()) << theirs;
  }
  // What is written here, libprotobuf reads as the same message.
  const Bytes bytes = Bytes::take(request.SerializeAsString());
  const auto ours = otlp_to_json(signal, OtlpBody::Request, std::span(&bytes, 1));
  ASSERT_TRUE(ours) << ours.error().message;
  Request read;
  const auto status = pb::util::JsonStringToMessage(*ours, &read);
  ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << *ours;
  EXPECT_EQ(read.SerializeAsString(), request.SerializeAsString()) << *ours;
}

TEST(OtlpJsonOracle, AgreesOnTraces) { compare(Signal::Traces, traces()); }
TEST(OtlpJsonOracle, AgreesOnMetrics) { compare(Signal::Metrics, metrics()); }
TEST(OtlpJsonOracle, AgreesOnLogs) { compare(Signal::Logs, logs()); }

}  // namespace
}  // namespace sonde::wire
