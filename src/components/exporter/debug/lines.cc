// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/debug/lines.h"

#include <fmt/format.h>

#include <iterator>

#include "base/hex.h"
#include "data/count.h"
#include "data/log_view.h"
#include "data/metric_view.h"
#include "data/otlp_fields.h"
#include "data/trace_view.h"
#include "data/walk.h"
#include "data/wire.h"

namespace sonde::debug {
namespace {

void put_attributes(std::string& out, const AttributesView& attributes) {
  for (const KeyValueView& a : attributes) {
    fmt::format_to(std::back_inserter(out), " {}={}", a.key, a.value.to_string());
  }
}

void put_span(std::string& out, const SpanView& span) {
  out.append(span.name).append(" ");
  append_hex(out, span.trace_id);
  out.push_back(' ');
  append_hex(out, span.span_id);
  put_attributes(out, span.attributes());
  out.push_back('\n');
}

void put_log(std::string& out, const LogView& log) {
  out += log.body.to_string();
  put_attributes(out, log.attributes());
  out.push_back('\n');
}

template <class Points, class Value>
void put_points(std::string& out, const MetricView& metric, const Points& points, Value value) {
  for (const auto& point : points) {
    out.append(metric.name);
    put_attributes(out, point.attributes());
    out.push_back(' ');
    value(point);
    out.push_back('\n');
  }
}

void put_metric(std::string& out, const MetricView& metric) {
  auto to = std::back_inserter(out);
  const auto count_and_sum = [&](const auto& point) {
    fmt::format_to(to, "count={}", point.count);
    if (point.sum) fmt::format_to(to, " sum={}", *point.sum);
  };
  put_points(out, metric, metric.numbers(),
             [&](const NumberPointView& point) { fmt::format_to(to, "{}", point.value()); });
  put_points(out, metric, metric.histograms(), count_and_sum);
  put_points(out, metric, metric.exponential_histograms(), count_and_sum);
  put_points(out, metric, metric.summaries(), [&](const SummaryPointView& point) {
    fmt::format_to(to, "count={} sum={}", point.count, point.sum);
  });
}

void put_profiles(std::string& out, const Batch& batch) {
  for (const Bytes& chunk : batch.chunks) {
    (void)for_each_record(
        chunk.view(), [&](const ResourceView&, const ScopeView&, std::string_view body) {
          proto::Reader reader(body);
          proto::Field field;
          std::string_view id;
          while (reader.next(field)) {
            if (field.number == otlp::profile::kProfileId && field.type == proto::Type::Bytes)
              id = field.bytes;
          }
          append_hex(out, id);
          fmt::format_to(std::back_inserter(out), " samples={}\n",
                         count_items_of_record(Signal::Profiles, body).value_or(0));
          return true;
        });
  }
}

}  // namespace

std::string lines_of(const Batch& batch) {
  std::string out;
  switch (batch.signal) {
    case Signal::Traces:
      (void)for_each_span(batch, [&](const ResourceView&, const ScopeView&, const SpanView& span) {
        put_span(out, span);
      });
      break;
    case Signal::Metrics:
      (void)for_each_metric(batch, [&](const ResourceView&, const ScopeView&,
                                       const MetricView& metric) { put_metric(out, metric); });
      break;
    case Signal::Logs:
      (void)for_each_log(batch, [&](const ResourceView&, const ScopeView&, const LogView& log) {
        put_log(out, log);
      });
      break;
    case Signal::Profiles:
      put_profiles(out, batch);
      break;
  }
  return out;
}

}  // namespace sonde::debug
