// SPDX-License-Identifier: Apache-2.0
// Points to series.
#include "components/exporter/prometheus/metric_store.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "base/hex.h"
#include "components/exporter/prometheus/naming.h"
#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde {
namespace {

using prometheus::append_label;

constexpr size_t kLongestHelp = 200;  // Bytes.
// What the series have for names and labels, on average, and few of them at least.
constexpr size_t kBytesPerSeries = 2048;
constexpr size_t kLeastBytes = size_t{1} << 20;
// How many times what a batch has may be copied of its resources and scopes, whatever
// options.most_copied says.
constexpr size_t kCopies = 16;

std::string_view type_of(const MetricView& m) {
  switch (m.kind) {
    case MetricView::Kind::Sum:
      return m.monotonic ? "counter" : "gauge";
    case MetricView::Kind::Gauge:
      return "gauge";
    case MetricView::Kind::Summary:
      return "summary";
    default:
      return "histogram";
  }
}

struct Buckets {
  std::vector<double> bounds;    // In order, each once, without +Inf.
  std::vector<uint64_t> counts;  // One more than bounds, or none.
};

// A bound that comes twice is one line of the page, with what both buckets count.
Buckets in_order(const Buckets& sent) {
  std::map<double, uint64_t> by_bound;
  uint64_t above = sent.counts.empty() ? 0 : sent.counts.back();
  for (size_t i = 0; i < sent.bounds.size(); ++i) {
    const double bound = sent.bounds[i];
    const bool last = std::isnan(bound) || bound == std::numeric_limits<double>::infinity();
    (last ? above : by_bound[bound]) += sent.counts.empty() ? 0 : sent.counts[i];
  }
  Buckets out;
  for (const auto& [bound, count] : by_bound) {
    out.bounds.push_back(bound);
    out.counts.push_back(count);
  }
  out.counts.push_back(above);
  if (sent.counts.empty()) out.counts.clear();
  return out;
}

Buckets read_buckets(const HistogramPointView& point) {
  Buckets out;
  point.for_each_bound([&](double bound) { out.bounds.push_back(bound); });
  point.for_each_bucket([&](uint64_t count) { out.counts.push_back(count); });
  if (!out.counts.empty() && out.counts.size() != out.bounds.size() + 1) return {};
  // Almost all senders keep to this. No comparison with NaN holds, so it is found here, too.
  const bool ordered =
      std::ranges::adjacent_find(out.bounds, [](double a, double b) { return !(a < b); }) ==
          out.bounds.end() &&
      (out.bounds.empty() || std::isfinite(out.bounds.back()));
  return ordered ? out : in_order(out);
}

void append_id(std::string& labels, std::string_view name, std::string_view bytes, size_t size) {
  if (bytes.size() != size || bytes.find_first_not_of('\0') == std::string_view::npos) return;
  append_label(labels, name, to_hex(bytes));
}

}  // namespace

// Those of the last point, as far as they name a trace or a span: the last one of each bucket.
void MetricStore::keep_exemplars(Series& series, std::string_view point, uint32_t number) const {
  if (!options_.exemplars) return;
  series.exemplars.clear();
  proto::Reader reader(point);
  for (proto::Field field; reader.next(field);) {
    if (field.number != number || field.type != proto::Type::Bytes) continue;
    Exemplar exemplar;
    std::string_view trace, span;
    proto::Reader parts(field.bytes);
    for (proto::Field part; parts.next(part);) {
      const bool bytes = part.type == proto::Type::Bytes;
      const bool fixed = part.type == proto::Type::Fixed64;
      if (fixed && part.number == otlp::exemplar::kTime) exemplar.unix_ns = part.as_int64();
      if (fixed && part.number == otlp::exemplar::kDouble) exemplar.value = part.as_double();
      if (fixed && part.number == otlp::exemplar::kInt) {
        exemplar.value = static_cast<double>(part.as_int64());
      }
      if (bytes && part.number == otlp::exemplar::kTraceId) trace = part.bytes;
      if (bytes && part.number == otlp::exemplar::kSpanId) span = part.bytes;
    }
    append_id(exemplar.labels, "trace_id", trace, 16);
    append_id(exemplar.labels, "span_id", span, 8);
    if (exemplar.labels.empty()) continue;
    const auto bound = std::ranges::lower_bound(series.bounds, exemplar.value);
    series.exemplars[static_cast<size_t>(bound - series.bounds.begin())] = std::move(exemplar);
  }
}

std::nullptr_t MetricStore::refuse(Refusal why) {
  refused_[static_cast<size_t>(why)]++;
  return nullptr;
}

size_t MetricStore::most_label_bytes() const {
  return kLeastBytes + options_.max_series * kBytesPerSeries;
}

MetricStore::Series* MetricStore::at(const Heading& heading, std::string labels,
                                     const Arrival& arrival) {
  auto family = families_.find(heading.name);
  // Two types under one name would make the page invalid.
  if (family != families_.end() && family->second.type != heading.type) {
    return refuse(Refusal::OtherType);
  }
  if (family == families_.end() || !family->second.series.contains(labels)) {
    const size_t bytes =
        labels.size() + (family == families_.end() ? heading.name.size() : size_t{0});
    if (series_ >= options_.max_series || !has_room(bytes)) return refuse(Refusal::Full);
    label_bytes_ += bytes;
    if (family == families_.end()) {
      Family made{heading.type, std::string(heading.help.substr(0, kLongestHelp)), {}};
      family = families_.emplace(heading.name, std::move(made)).first;
    }
    series_++;
  }
  Series& series = family->second.series[std::move(labels)];
  if (series.last_ns < arrival.now - options_.expiry.count()) {
    label_bytes_ -= series.info.size();
    series = {};
  }
  // Of points in the wrong order a scraper would read that a counter began anew.
  if (!arrival.adds && arrival.point_ns > 0 && arrival.point_ns < series.point_ns) {
    older_++;
    return nullptr;
  }
  series.point_ns = arrival.adds ? std::max(arrival.point_ns, series.point_ns) : arrival.point_ns;
  series.last_ns = arrival.now;
  return &series;
}

void MetricStore::end(const Heading& heading, const std::string& labels) {
  const auto family = families_.find(heading.name);
  if (family == families_.end() || family->second.type != heading.type) return;
  const auto series = family->second.series.find(labels);
  if (series == family->second.series.end()) return;
  series_--;
  label_bytes_ -= series->first.size() + series->second.info.size();
  family->second.series.erase(series);
  if (!family->second.series.empty()) return;
  label_bytes_ -= family->first.size();
  families_.erase(family);
}

void MetricStore::add(const Batch& batch, int64_t now) {
  const char* last = nullptr;
  ResourceLabels labels;
  copies_left_ = std::max(options_.most_copied, kCopies * batch.bytes());
  for (const Bytes& chunk : batch.chunks) {
    (void)for_each_metric(
        chunk, [&](const ResourceView& r, const ScopeView& scope, const MetricView& m) {
          if (!last || r.message.data() != last) {
            labels = labels_of(r);
            last = r.message.data();
            if (!labels.series.empty()) {
              const std::string& prefix = options_.naming.prefix;
              const Heading heading{
                  prefix.empty() ? "target_info" : label(prefix) + "_target_info", "gauge",
                  "Attributes of the resource that the series of a job and instance belong to."};
              if (Series* s = at(heading, labels.series, {.now = now})) {
                s->value = 1;
                // Queries join on job and instance, so there may be only one. A connector's
                // resource says less than the receiver's of the same service: the one that says
                // most stands.
                const size_t before = s->info.size();
                if (const size_t now_long = labels.target.size(); now_long > before) {
                  if (has_room(now_long - before)) {
                    label_bytes_ += now_long - before;
                    s->info = labels.target;
                  } else {
                    refuse(Refusal::Full);
                  }
                }
              }
            }
          }
          add_metric(labels, scope, m, now);
        });
  }
}

void MetricStore::add_metric(const ResourceLabels& resource, const ScopeView& scope,
                             const MetricView& m, int64_t now) {
  if (m.kind == MetricView::Kind::None) return;
  const Heading heading{prometheus::metric_name(options_.naming, m), type_of(m), m.description};
  if (heading.name.empty()) {
    for (size_t i = m.point_count(); i > 0; --i) refuse(Refusal::NoName);
    return;
  }
  const bool delta = m.temporality == Temporality::Delta;
  const auto ends = [](const auto& point) {
    return (point.flags & otlp::point::kNoRecordedValue) != 0;
  };
  const size_t around = resource.bytes + (options_.scope_labels ? scope.message.size() : 0);
  const auto series_of = [&](const auto& point) -> Series* {
    if (around > copies_left_) return refuse(Refusal::LongLabels);
    copies_left_ -= around;
    std::string labels = point_labels(resource, scope, point.attributes(), heading.type);
    if (ends(point)) {
      end(heading, labels);
      return nullptr;
    }
    return at(heading, std::move(labels),
              {.now = now, .point_ns = static_cast<int64_t>(point.time_ns), .adds = delta});
  };
  for (const NumberPointView& p : m.numbers()) {
    if (!p.has_value && !ends(p)) continue;
    if (Series* s = series_of(p)) {
      s->value = delta ? s->value + p.value() : p.value();
      if (m.monotonic) keep_exemplars(*s, p.message, otlp::number_point::kExemplars);
    }
  }
  for (const HistogramPointView& p : m.histograms()) {
    Series* s = series_of(p);
    if (!s) continue;
    auto [bounds, buckets] = read_buckets(p);
    if (delta && s->bounds == bounds && s->buckets.size() == buckets.size()) {
      for (size_t i = 0; i < buckets.size(); i++) s->buckets[i] += buckets[i];
      s->count += p.count;
      s->value += p.sum.value_or(0);
    } else {
      s->bounds = std::move(bounds);
      s->buckets = std::move(buckets);
      s->count = p.count;
      s->value = p.sum.value_or(0);
    }
    keep_exemplars(*s, p.message, otlp::histogram_point::kExemplars);
  }
  for (const ExponentialPointView& p : m.exponential_histograms()) {
    // The text format has no exponential buckets: only count and sum are shown.
    if (Series* s = series_of(p)) {
      s->count = delta ? s->count + p.count : p.count;
      s->value = delta ? s->value + p.sum.value_or(0) : p.sum.value_or(0);
    }
  }
  for (const SummaryPointView& p : m.summaries()) {
    if (Series* s = series_of(p)) {
      s->count = p.count;
      s->value = p.sum;
      s->quantiles.clear();
      for (const auto& q : p.quantiles()) {
        if (!std::isnan(q.quantile)) s->quantiles[q.quantile] = q.value;
      }
    }
  }
}

}  // namespace sonde
