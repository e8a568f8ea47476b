// SPDX-License-Identifier: Apache-2.0
//
// The shape of `service::telemetry` as the Collector 0.158 has it: settings of its own for logs,
// and the readers, views, processors and samplers of OpenTelemetry's declarative configuration
// 0.3. Most of it has no effect here; it is read so that what the Collector refuses is refused.
// Times of readers and processors are whole milliseconds, not durations.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/field.h"

namespace sonde::config::telemetry {

using Anything = std::map<std::string, Value>;

struct NamePatterns {
  std::vector<std::string> included, excluded;
};
inline constexpr auto kNamePatterns =
    fields<NamePatterns>(field("included", &NamePatterns::included, "Names that are kept."),
                         field("excluded", &NamePatterns::excluded, "Names that are left out."));

struct Otlp {
  std::string certificate, client_certificate, client_key, compression, endpoint, headers_list,
      protocol;
  std::map<std::string, std::string> headers;
  bool insecure = false;
  int64_t timeout = 0;
};
inline constexpr auto kOtlp = fields<Otlp>(
    field("protocol", &Otlp::protocol, "grpc, http/protobuf or http/json."),
    field("endpoint", &Otlp::endpoint, "Where to."),
    field("insecure", &Otlp::insecure, "Without TLS."),
    field("certificate", &Otlp::certificate, "Whom to trust."),
    field("client_certificate", &Otlp::client_certificate, "Who we are."),
    field("client_key", &Otlp::client_key, "Its key."),
    field("compression", &Otlp::compression, "gzip or none."),
    field("headers", &Otlp::headers, "Headers of a request.", {.pairs = true, .secret = true}),
    field("headers_list", &Otlp::headers_list, "The same as one text.", {.secret = true}),
    field("timeout", &Otlp::timeout, "For one request."));

struct OtlpMetric {
  Otlp otlp;
  std::string temporality_preference, default_histogram_aggregation;
};
inline constexpr auto kOtlpMetric = fields<OtlpMetric>(
    embed(&OtlpMetric::otlp, kOtlp.table()),
    field("temporality_preference", &OtlpMetric::temporality_preference,
          "cumulative, delta or lowmemory."),
    field("default_histogram_aggregation", &OtlpMetric::default_histogram_aggregation,
          "explicit_bucket_histogram or base2_exponential_bucket_histogram."));

struct Zipkin {
  std::string endpoint;
  int64_t timeout = 0;
};
inline constexpr auto kZipkin =
    fields<Zipkin>(field("endpoint", &Zipkin::endpoint, "Where to."),
                   field("timeout", &Zipkin::timeout, "For one request."));

// Of logs and spans; Zipkin is for spans alone.
struct RecordExporter {
  Anything console;
  Otlp otlp;
};
inline constexpr auto kLogExporter =
    fields<RecordExporter>(field("console", &RecordExporter::console, "To the console."),
                           field("otlp", &RecordExporter::otlp, kOtlp.table(), "As OTLP."));
struct SpanExporter {
  RecordExporter record;
  Zipkin zipkin;
};
inline constexpr auto kSpanExporter =
    fields<SpanExporter>(embed(&SpanExporter::record, kLogExporter.table()),
                         field("zipkin", &SpanExporter::zipkin, kZipkin.table(), "To Zipkin."));

template <class Exporter>
struct Processor {
  struct Simple {
    Exporter exporter;
  };
  struct Batch {
    Exporter exporter;
    int64_t schedule_delay = 0, export_timeout = 0, max_queue_size = 0, max_export_batch_size = 0;
  };
  Batch batch;
  Simple simple;
};
using LogProcessor = Processor<RecordExporter>;
using SpanProcessor = Processor<SpanExporter>;

template <class Exporter>
constexpr auto simple_fields(const FieldTable& exporter) {
  using Simple = typename Processor<Exporter>::Simple;
  return fields<Simple>(field("exporter", &Simple::exporter, exporter, "Where to."));
}
template <class Exporter>
constexpr auto batch_fields(const FieldTable& exporter) {
  using Batch = typename Processor<Exporter>::Batch;
  return fields<Batch>(
      field("exporter", &Batch::exporter, exporter, "Where to."),
      field("schedule_delay", &Batch::schedule_delay, "Between two batches."),
      field("export_timeout", &Batch::export_timeout, "For a batch."),
      field("max_queue_size", &Batch::max_queue_size, "Items that wait."),
      field("max_export_batch_size", &Batch::max_export_batch_size, "Items of a batch."));
}
template <class Exporter>
constexpr auto processor_fields(const FieldTable& batch, const FieldTable& simple) {
  return fields<Processor<Exporter>>(
      field("batch", &Processor<Exporter>::batch, batch, "Many at once."),
      field("simple", &Processor<Exporter>::simple, simple, "Each at once."));
}
inline constexpr auto kLogSimple = simple_fields<RecordExporter>(kLogExporter.table());
inline constexpr auto kLogBatch = batch_fields<RecordExporter>(kLogExporter.table());
inline constexpr auto kLogProcessor =
    processor_fields<RecordExporter>(kLogBatch.table(), kLogSimple.table());
inline constexpr auto kSpanSimple = simple_fields<SpanExporter>(kSpanExporter.table());
inline constexpr auto kSpanBatch = batch_fields<SpanExporter>(kSpanExporter.table());
inline constexpr auto kSpanProcessor =
    processor_fields<SpanExporter>(kSpanBatch.table(), kSpanSimple.table());

struct Sampling {
  bool enabled = true;
  Duration tick = std::chrono::seconds(10);
  int64_t initial = 10, thereafter = 100;
};
inline constexpr auto kSampling =
    fields<Sampling>(field("enabled", &Sampling::enabled, "Leave lines out that repeat."),
                     field("tick", &Sampling::tick, "The time in which lines are counted."),
                     field("initial", &Sampling::initial, "Lines of a tick that are kept."),
                     field("thereafter", &Sampling::thereafter, "Then each one of so many."));

// A level is a word or its number: see telemetry.cc.
struct Logs {
  Value level;
  bool development = false, disable_caller = false, disable_stacktrace = false,
       disable_zap_resource = false;
  std::string encoding = "console";
  Sampling sampling;
  std::vector<std::string> output_paths, error_output_paths;
  Anything initial_fields;
  std::vector<LogProcessor> processors;
};
inline constexpr auto kLogs =
    fields<Logs>(field("level", &Logs::level, "debug, info, warn or error."),
                 field("development", &Logs::development, "No effect."),
                 field("encoding", &Logs::encoding, "No effect."),
                 field("disable_caller", &Logs::disable_caller, "No effect."),
                 field("disable_stacktrace", &Logs::disable_stacktrace, "No effect."),
                 field("disable_zap_resource", &Logs::disable_zap_resource, "No effect."),
                 field("sampling", &Logs::sampling, kSampling.table(), "No effect."),
                 field("output_paths", &Logs::output_paths, "No effect."),
                 field("error_output_paths", &Logs::error_output_paths, "No effect."),
                 field("initial_fields", &Logs::initial_fields, "No effect."),
                 field("processors", &Logs::processors, kLogProcessor.table(), "No effect."));

struct Prometheus {
  std::string host = "localhost";
  uint16_t port = 8888;
  NamePatterns with_resource_constant_labels;
  bool without_scope_info = true, without_type_suffix = true, without_units = true;
};
inline constexpr auto kPrometheus = fields<Prometheus>(
    field("host", &Prometheus::host, "Where own metrics are served."),
    field("port", &Prometheus::port, "Its port."),
    field("with_resource_constant_labels", &Prometheus::with_resource_constant_labels,
          kNamePatterns.table(), "No effect."),
    field("without_scope_info", &Prometheus::without_scope_info, "No effect."),
    field("without_type_suffix", &Prometheus::without_type_suffix, "No effect."),
    field("without_units", &Prometheus::without_units, "No effect."));

struct PullExporter {
  Prometheus prometheus;
};
inline constexpr auto kPullExporter = fields<PullExporter>(
    field("prometheus", &PullExporter::prometheus, kPrometheus.table(), "Own metrics."));
struct Pull {
  PullExporter exporter;
};
inline constexpr auto kPull =
    fields<Pull>(field("exporter", &Pull::exporter, kPullExporter.table(), "Own metrics."));

struct PushExporter {
  Anything console;
  OtlpMetric otlp;
};
inline constexpr auto kPushExporter =
    fields<PushExporter>(field("console", &PushExporter::console, "To the console."),
                         field("otlp", &PushExporter::otlp, kOtlpMetric.table(), "As OTLP."));
struct Periodic {
  PushExporter exporter;
  int64_t interval = 0, timeout = 0;
};
inline constexpr auto kPeriodic =
    fields<Periodic>(field("exporter", &Periodic::exporter, kPushExporter.table(), "Where to."),
                     field("interval", &Periodic::interval, "Between two exports."),
                     field("timeout", &Periodic::timeout, "For one export."));

struct Producer {
  Anything opencensus;
};
inline constexpr auto kProducer =
    fields<Producer>(field("opencensus", &Producer::opencensus, "No effect."));

struct Reader {
  Pull pull;
  Periodic periodic;
  std::vector<Producer> producers;
};
inline constexpr auto kReader =
    fields<Reader>(field("pull", &Reader::pull, kPull.table(), "Asked for."),
                   field("periodic", &Reader::periodic, kPeriodic.table(), "No effect."),
                   field("producers", &Reader::producers, kProducer.table(), "No effect."));

struct Selector {
  std::string instrument_name, instrument_type, meter_name, meter_schema_url, meter_version, unit;
};
inline constexpr auto kSelector =
    fields<Selector>(field("instrument_name", &Selector::instrument_name, "No effect."),
                     field("instrument_type", &Selector::instrument_type, "No effect."),
                     field("meter_name", &Selector::meter_name, "No effect."),
                     field("meter_schema_url", &Selector::meter_schema_url, "No effect."),
                     field("meter_version", &Selector::meter_version, "No effect."),
                     field("unit", &Selector::unit, "No effect."));

struct Aggregation {
  struct Exponential {
    int64_t max_scale = 0, max_size = 0;
    bool record_min_max = true;
  };
  struct Explicit {
    std::vector<double> boundaries;
    bool record_min_max = true;
  };
  Exponential exponential;
  Explicit explicit_buckets;
  Anything standard, drop, last_value, sum;
};
inline constexpr auto kExponential = fields<Aggregation::Exponential>(
    field("max_scale", &Aggregation::Exponential::max_scale, "No effect."),
    field("max_size", &Aggregation::Exponential::max_size, "No effect."),
    field("record_min_max", &Aggregation::Exponential::record_min_max, "No effect."));
inline constexpr auto kExplicit = fields<Aggregation::Explicit>(
    field("boundaries", &Aggregation::Explicit::boundaries, "No effect."),
    field("record_min_max", &Aggregation::Explicit::record_min_max, "No effect."));
inline constexpr auto kAggregation =
    fields<Aggregation>(field("base2_exponential_bucket_histogram", &Aggregation::exponential,
                              kExponential.table(), "No effect."),
                        field("explicit_bucket_histogram", &Aggregation::explicit_buckets,
                              kExplicit.table(), "No effect."),
                        field("default", &Aggregation::standard, "No effect."),
                        field("drop", &Aggregation::drop, "No effect."),
                        field("last_value", &Aggregation::last_value, "No effect."),
                        field("sum", &Aggregation::sum, "No effect."));

struct Stream {
  std::string name, description;
  Aggregation aggregation;
  NamePatterns attribute_keys;
};
inline constexpr auto kStream = fields<Stream>(
    field("name", &Stream::name, "No effect."),
    field("description", &Stream::description, "No effect."),
    field("aggregation", &Stream::aggregation, kAggregation.table(), "No effect."),
    field("attribute_keys", &Stream::attribute_keys, kNamePatterns.table(), "No effect."));

struct View {
  Selector selector;
  Stream stream;
};
inline constexpr auto kView =
    fields<View>(field("selector", &View::selector, kSelector.table(), "No effect."),
                 field("stream", &View::stream, kStream.table(), "No effect."));

struct Metrics {
  Value level;
  std::string address;
  std::vector<Reader> readers;
  std::vector<View> views;
};
inline constexpr auto kMetrics = fields<Metrics>(
    field("level", &Metrics::level, "none, basic, normal or detailed."),
    field("address", &Metrics::address, "Where own metrics are served; `readers` is newer."),
    field("readers", &Metrics::readers, kReader.table(), "Where own metrics are served."),
    field("views", &Metrics::views, kView.table(), "No effect."));

struct SpanLimits {
  int64_t attribute_count_limit = 0, attribute_value_length_limit = 0,
          event_attribute_count_limit = 0, event_count_limit = 0, link_attribute_count_limit = 0,
          link_count_limit = 0;
};
inline constexpr auto kSpanLimits = fields<SpanLimits>(
    field("attribute_count_limit", &SpanLimits::attribute_count_limit, "No effect."),
    field("attribute_value_length_limit", &SpanLimits::attribute_value_length_limit, "No effect."),
    field("event_attribute_count_limit", &SpanLimits::event_attribute_count_limit, "No effect."),
    field("event_count_limit", &SpanLimits::event_count_limit, "No effect."),
    field("link_attribute_count_limit", &SpanLimits::link_attribute_count_limit, "No effect."),
    field("link_count_limit", &SpanLimits::link_count_limit, "No effect."));

// Samplers hold samplers; those inside are kept undecoded and read one by one.
struct Sampler {
  struct JaegerRemote {
    std::string endpoint;
    int64_t interval = 0;
    Value initial_sampler;
  };
  struct ParentBased {
    Value root, remote_parent_sampled, remote_parent_not_sampled, local_parent_sampled,
        local_parent_not_sampled;
  };
  struct Ratio {
    double ratio = 1;
  };
  Anything always_on, always_off;
  JaegerRemote jaeger_remote;
  ParentBased parent_based;
  Ratio trace_id_ratio_based;
};
inline constexpr auto kJaegerRemote = fields<Sampler::JaegerRemote>(
    field("endpoint", &Sampler::JaegerRemote::endpoint, "No effect."),
    field("interval", &Sampler::JaegerRemote::interval, "No effect."),
    field("initial_sampler", &Sampler::JaegerRemote::initial_sampler, "No effect."));
inline constexpr auto kParentBased = fields<Sampler::ParentBased>(
    field("root", &Sampler::ParentBased::root, "No effect."),
    field("remote_parent_sampled", &Sampler::ParentBased::remote_parent_sampled, "No effect."),
    field("remote_parent_not_sampled", &Sampler::ParentBased::remote_parent_not_sampled,
          "No effect."),
    field("local_parent_sampled", &Sampler::ParentBased::local_parent_sampled, "No effect."),
    field("local_parent_not_sampled", &Sampler::ParentBased::local_parent_not_sampled,
          "No effect."));
inline constexpr auto kRatio =
    fields<Sampler::Ratio>(field("ratio", &Sampler::Ratio::ratio, "No effect."));
inline constexpr auto kSampler = fields<Sampler>(
    field("always_on", &Sampler::always_on, "No effect."),
    field("always_off", &Sampler::always_off, "No effect."),
    field("jaeger_remote", &Sampler::jaeger_remote, kJaegerRemote.table(), "No effect."),
    field("parent_based", &Sampler::parent_based, kParentBased.table(), "No effect."),
    field("trace_id_ratio_based", &Sampler::trace_id_ratio_based, kRatio.table(), "No effect."));

struct Traces {
  Value level, sampler;
  std::vector<std::string> propagators;
  SpanLimits limits;
  std::vector<SpanProcessor> processors;
};
inline constexpr auto kTraces = fields<Traces>(
    field("level", &Traces::level, "No effect."), field("sampler", &Traces::sampler, "No effect."),
    field("propagators", &Traces::propagators, "No effect."),
    field("limits", &Traces::limits, kSpanLimits.table(), "No effect."),
    field("processors", &Traces::processors, kSpanProcessor.table(), "No effect."));

struct Resource {
  struct Attribute {
    std::string name;
    Value type, value;
  };
  struct Detectors {
    NamePatterns attributes;
  };
  struct Detection {
    NamePatterns attributes;
    std::vector<Anything> detectors;
  };
  std::vector<Attribute> attributes;
  std::string schema_url;
  Detectors detectors;
  Detection detection;
};
inline constexpr auto kResourceAttribute =
    fields<Resource::Attribute>(field("name", &Resource::Attribute::name, "No effect."),
                                field("type", &Resource::Attribute::type, "No effect."),
                                field("value", &Resource::Attribute::value, "No effect."));
inline constexpr auto kDetectors = fields<Resource::Detectors>(
    field("attributes", &Resource::Detectors::attributes, kNamePatterns.table(), "No effect."));
inline constexpr auto kDetection = fields<Resource::Detection>(
    field("attributes", &Resource::Detection::attributes, kNamePatterns.table(), "No effect."),
    field("detectors", &Resource::Detection::detectors, "No effect."));
inline constexpr auto kResource = fields<Resource>(
    field("attributes", &Resource::attributes, kResourceAttribute.table(), "No effect."),
    field("schema_url", &Resource::schema_url, "No effect."),
    field("detectors", &Resource::detectors, kDetectors.table(), "No effect."),
    field("detection/development", &Resource::detection, kDetection.table(), "No effect."));

}  // namespace sonde::config::telemetry
