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
// What they have of the page, on average: each bucket repeats the labels there.
constexpr size_t kPagePerSeries = 4096;
constexpr size_t kLeastPage = size_t{4} << 20;
constexpr size_t kLine = 64;  // Suffix, bound, value and time of a line of the page, about.
constexpr size_t kNode = 64;  // What a node of a map takes beside what is in it, at most.
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

// A bound that comes twice is one line of the page, with what both buckets count.
void sort_buckets(std::vector<double>& bounds, std::vector<uint64_t>& counts) {
  std::map<double, uint64_t> by_bound;
  uint64_t above = counts.empty() ? 0 : counts.back();
  for (size_t i = 0; i < bounds.size(); ++i) {
    const bool last = std::isnan(bounds[i]) || bounds[i] == std::numeric_limits<double>::infinity();
    (last ? above : by_bound[bounds[i]]) += counts.empty() ? 0 : counts[i];
  }
  const bool counted = !counts.empty();
  bounds.clear();
  counts.clear();
  for (const auto& [bound, count] : by_bound) {
    bounds.push_back(bound);
    if (counted) counts.push_back(count);
  }
  if (counted) counts.push_back(above);
}

void append_id(std::string& labels, std::string_view name, std::string_view bytes, size_t size) {
  if (bytes.size() != size || bytes.find_first_not_of('\0') == std::string_view::npos) return;
  append_label(labels, name, to_hex(bytes));
}

}  // namespace

MetricStore::Shape MetricStore::buckets_of(const HistogramPointView& point) {
  Shape out;
  point.for_each_bound([&](double bound) { out.bounds.push_back(bound); });
  point.for_each_bucket([&](uint64_t count) { out.buckets.push_back(count); });
  if (!out.buckets.empty() && out.buckets.size() != out.bounds.size() + 1) return {};
  // Almost all senders keep to this. No comparison with NaN holds, so it is found here, too.
  const bool ordered =
      std::ranges::adjacent_find(out.bounds, [](double a, double b) { return !(a < b); }) ==
          out.bounds.end() &&
      (out.bounds.empty() || std::isfinite(out.bounds.back()));
  if (!ordered) sort_buckets(out.bounds, out.buckets);
  out.bounds.shrink_to_fit();
  out.buckets.shrink_to_fit();
  return out;
}

// Those of the last point, as far as they name a trace or a span: the last one of each bucket.
MetricStore::Exemplars MetricStore::exemplars_of(const Shape& shape, std::string_view point,
                                                 uint32_t number) const {
  Exemplars out;
  if (!options_.exemplars) return out;
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
    const auto bound = std::ranges::lower_bound(shape.bounds, exemplar.value);
    out[static_cast<size_t>(bound - shape.bounds.begin())] = std::move(exemplar);
  }
  return out;
}

std::nullptr_t MetricStore::refuse(Refusal why) {
  refused_[static_cast<size_t>(why)]++;
  return nullptr;
}

size_t MetricStore::most_kept_bytes() const {
  return kLeastBytes + options_.max_series * kBytesPerSeries;
}

size_t MetricStore::most_page_bytes() const {
  return kLeastPage + options_.max_series * kPagePerSeries;
}

MetricStore::Cost MetricStore::cost_of(const Heading& heading, size_t labels, const Shape& shape) {
  Cost out;
  out.bytes = labels + shape.bounds.capacity() * sizeof(double) +
              shape.buckets.capacity() * sizeof(uint64_t) + shape.quantiles.size() * kNode;
  size_t lines = 1;
  if (heading.type == "histogram") lines = shape.bounds.size() + 3;
  if (heading.type == "summary") lines = shape.quantiles.size() + 2;
  out.page = lines * (heading.name.size() + labels + kLine);
  for (const auto& [bucket, exemplar] : shape.exemplars) {
    out.bytes += kNode + sizeof(Exemplar) + exemplar.labels.capacity();
    out.page += exemplar.labels.size() + kLine;
  }
  return out;
}

bool MetricStore::has_room(const Cost& before, const Cost& now) const {
  return (now.bytes <= before.bytes ||
          kept_.bytes + now.bytes - before.bytes <= most_kept_bytes()) &&
         (now.page <= before.page || kept_.page + now.page - before.page <= most_page_bytes());
}

void MetricStore::account(Cost& before, const Cost& now) {
  kept_.bytes += now.bytes - before.bytes;
  kept_.page += now.page - before.page;
  before = now;
}

MetricStore::Series* MetricStore::at(const Heading& heading, std::string labels,
                                     const Arrival& arrival, Shape shape) {
  auto family = families_.find(heading.name);
  const bool known = family != families_.end();
  // Two types under one name would make the page invalid.
  if (known && family->second.type != heading.type) return refuse(Refusal::OtherType);
  Series* series = nullptr;
  if (known) {
    const auto found = family->second.series.find(labels);
    if (found != family->second.series.end()) series = &found->second;
  }
  const bool anew = !series || series->last_ns < arrival.now - options_.expiry.count();
  // Of points in the wrong order a scraper would read that a counter began anew.
  if (!anew && !arrival.adds && arrival.point_ns > 0 && arrival.point_ns < series->point_ns) {
    older_++;
    return nullptr;
  }
  Cost cost = cost_of(heading, labels.size(), shape);
  if (!anew) {
    cost.bytes += series->info.size();
    cost.page += series->info.size();
  }
  Cost with_name = cost;
  if (!known) with_name.bytes += heading.name.size();
  if ((!series && series_ >= options_.max_series) ||
      !has_room(series ? series->cost : Cost(), with_name)) {
    return refuse(Refusal::Full);
  }
  if (!known) {
    Family made{heading.type, std::string(heading.help.substr(0, kLongestHelp)), {}};
    family = families_.emplace(heading.name, std::move(made)).first;
    kept_.bytes += heading.name.size();
  }
  if (!series) {
    series_++;
    series = &family->second.series[std::move(labels)];
  }
  account(series->cost, cost);
  if (anew) *series = {.cost = cost};
  const bool adds = !anew && arrival.adds && series->shape.bounds == shape.bounds &&
                    series->shape.buckets.size() == shape.buckets.size();
  if (adds) {
    for (size_t i = 0; i < shape.buckets.size(); i++) shape.buckets[i] += series->shape.buckets[i];
  } else {
    series->value = 0;
    series->count = 0;
  }
  series->shape = std::move(shape);
  series->point_ns = arrival.adds ? std::max(arrival.point_ns, series->point_ns) : arrival.point_ns;
  series->last_ns = arrival.now;
  return series;
}

void MetricStore::end(const Heading& heading, const std::string& labels) {
  const auto family = families_.find(heading.name);
  if (family == families_.end() || family->second.type != heading.type) return;
  const auto series = family->second.series.find(labels);
  if (series == family->second.series.end()) return;
  series_--;
  account(series->second.cost, {});
  family->second.series.erase(series);
  if (!family->second.series.empty()) return;
  kept_.bytes -= family->first.size();
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
              if (Series* s = at(heading, labels.series, {.now = now}, {})) {
                s->value = 1;
                // Queries join on job and instance, so there may be only one. A connector's
                // resource says less than the receiver's of the same service: the one that says
                // most stands.
                if (labels.target.size() > s->info.size()) {
                  const size_t more = labels.target.size() - s->info.size();
                  const Cost cost{s->cost.bytes + more, s->cost.page + more};
                  if (has_room(s->cost, cost)) {
                    account(s->cost, cost);
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
  const auto series_of = [&](const auto& point, Shape shape) -> Series* {
    if (around > copies_left_) return refuse(Refusal::LongLabels);
    copies_left_ -= around;
    std::string labels = point_labels(resource, scope, point.attributes(), heading.type);
    if (ends(point)) {
      end(heading, labels);
      return nullptr;
    }
    return at(heading, std::move(labels),
              {.now = now, .point_ns = static_cast<int64_t>(point.time_ns), .adds = delta},
              std::move(shape));
  };
  for (const NumberPointView& p : m.numbers()) {
    if (!p.has_value && !ends(p)) continue;
    Shape shape;
    if (m.monotonic) {
      shape.exemplars = exemplars_of(shape, p.message, otlp::number_point::kExemplars);
    }
    if (Series* s = series_of(p, std::move(shape))) s->value += p.value();
  }
  for (const HistogramPointView& p : m.histograms()) {
    Shape shape = buckets_of(p);
    shape.exemplars = exemplars_of(shape, p.message, otlp::histogram_point::kExemplars);
    if (Series* s = series_of(p, std::move(shape))) {
      s->count += p.count;
      s->value += p.sum.value_or(0);
    }
  }
  for (const ExponentialPointView& p : m.exponential_histograms()) {
    // The text format has no exponential buckets: only count and sum are shown.
    if (Series* s = series_of(p, {})) {
      s->count += p.count;
      s->value += p.sum.value_or(0);
    }
  }
  for (const SummaryPointView& p : m.summaries()) {
    Shape shape;
    for (const auto& q : p.quantiles()) {
      if (!std::isnan(q.quantile)) shape.quantiles[q.quantile] = q.value;
    }
    if (Series* s = series_of(p, std::move(shape))) {
      s->count += p.count;
      s->value += p.sum;
    }
  }
}

}  // namespace sonde
