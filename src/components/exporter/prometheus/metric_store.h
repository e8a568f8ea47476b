// SPDX-License-Identifier: Apache-2.0
// The latest value of every series, ready to be shown as Prometheus text: OTLP names and labels
// translated as the OpenTelemetry specification says (unit suffixes, _total, job and instance,
// target_info). Cumulative points replace, delta points add up. It is bounded in series, in the
// bytes that they keep, in those of the page, on which each line of a series has its labels, and in
// what one batch may make it copy, for each series has the labels of its resource and scope. It
// forgets those that stopped and keeps no history.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "components/exporter/prometheus/names.h"
#include "components/exporter/prometheus/naming.h"
#include "data/batch.h"
#include "data/metric_view.h"

namespace sonde {

struct MetricStoreOptions {
  size_t max_series = 100000;
  // Bytes of resources and scopes that are copied for the points of one batch.
  size_t most_copied = size_t{256} << 20;
  std::chrono::nanoseconds expiry = std::chrono::minutes(5);
  prometheus::MetricNaming naming{};
  std::map<std::string, std::string> const_labels{};  // Of every series but target_info.
  bool scope_labels = false;                          // otel_scope_name and its like.
  bool resource_labels = false;                       // All attributes of the resource ...
  bool service_labels = true;                         // ... and its service.* among them.
  bool exemplars = false;                             // Whether they are kept, to be shown.
};

struct ExpositionOptions {
  bool open_metrics = false;  // https://prometheus.io/docs/specs/om/open_metrics_spec/
  bool timestamps = false;    // Of the points, after each value.
  // How names are written that are not plain.
  prometheus::Escaping escaping = prometheus::Escaping::Underscores;
};

class MetricStore {
 public:
  explicit MetricStore(MetricStoreOptions options) : options_(std::move(options)) {}

  void add(const Batch& batch, int64_t now_unix_ns);
  // Forgets what expired first.
  std::string expose(int64_t now_unix_ns, ExpositionOptions how = {});
  size_t series() const { return series_; }
  // Of names, labels, buckets, quantiles and exemplars.
  size_t kept_bytes() const { return kept_.bytes; }
  size_t most_kept_bytes() const;
  // What the page has at most, without its headings.
  size_t page_bytes() const { return kept_.page; }
  size_t most_page_bytes() const;
  size_t families() const { return families_.size(); }  // At most as many as series.
  // Why a point is not shown.
  enum class Refusal : unsigned char { Full, OtherType, NoName, LongLabels };
  uint64_t refused(Refusal why) const { return refused_[static_cast<size_t>(why)]; }
  uint64_t older() const { return older_; }  // Points that came after a later one.

 private:
  // A request that a value counts: the last one of its bucket.
  struct Exemplar {
    double value = 0;
    int64_t unix_ns = 0;
    std::string labels{};  // trace_id and span_id.
  };
  using Exemplars = std::map<size_t, Exemplar>;  // By bucket; 0 of a counter.
  // What a point has beside its value: as much as its sender likes.
  struct Shape {
    std::vector<double> bounds{};     // In order, each once, without +Inf.
    std::vector<uint64_t> buckets{};  // Not cumulative; one more than bounds, or none.
    std::map<double, double> quantiles{};
    Exemplars exemplars{};
  };
  struct Cost {
    size_t bytes = 0;  // Kept in memory.
    size_t page = 0;
  };
  struct Series {
    double value = 0;
    uint64_t count = 0;
    Shape shape{};
    Cost cost{};           // As kept_ has it, but for the name of the family.
    std::string info{};    // Labels that are no part of the identity: target_info's.
    int64_t point_ns = 0;  // The time that the point says; 0: none.
    int64_t last_ns = 0;   // When it came.
  };
  // What a family says of itself.
  struct Heading {
    std::string name;
    std::string_view type;
    std::string_view help;
  };
  struct Family {
    std::string_view type;
    std::string help;
    std::map<std::string, Series> series;  // By label text, without braces.
  };
  using Labels = std::map<std::string, std::string>;
  struct ResourceLabels {
    std::string series;  // Labels that every series of the resource carries.
    Labels own{};        // The same by name.
    std::string target;  // What target_info says beside them.
    Labels over{};       // Attributes that win over a point's own of the same key.
    size_t bytes = 0;    // Of what each of its points has of it.
  };

  ResourceLabels labels_of(const ResourceView& resource) const;
  void add_scope(Labels& by_key, const ScopeView& scope) const;
  // Of attributes by key the labels of a series of that type beside those of its resource.
  Labels named(const Labels& by_key, const ResourceLabels& resource, std::string_view type) const;
  void add_metric(const ResourceLabels& labels, const ScopeView& scope, const MetricView& m,
                  int64_t now);
  std::string point_labels(const ResourceLabels& resource, const ScopeView& scope,
                           const AttributesView& attributes, std::string_view type) const;
  std::string label(std::string_view key) const;
  static Shape buckets_of(const HistogramPointView& point);
  Exemplars exemplars_of(const Shape& shape, std::string_view point, uint32_t field) const;
  struct Arrival {
    int64_t now = 0;
    int64_t point_ns = 0;  // As Series::point_ns.
    bool adds = false;     // To what was before; else it takes its place.
  };
  // The series, made where it is new, its family with it, of the point's shape; null, and counted,
  // where it is refused or the point is older than what the series shows.
  Series* at(const Heading& heading, std::string labels, const Arrival& arrival, Shape shape);
  std::nullptr_t refuse(Refusal why);
  static Cost cost_of(const Heading& heading, size_t labels, const Shape& shape);
  bool has_room(const Cost& before, const Cost& now) const;
  void account(Cost& before, const Cost& now);  // Puts `now` in its place.
  void end(const Heading& heading, const std::string& labels);
  // Families whose names are spelled alike, all of one type.
  void expose_families(std::string& out, std::string_view name,
                       const std::vector<const Family*>& alike, const ExpositionOptions& how) const;
  void expose_series(std::string& out, std::string_view name, const Family& family, bool counter,
                     const ExpositionOptions& how) const;

  MetricStoreOptions options_;
  std::map<std::string, Family> families_;
  size_t series_ = 0;
  Cost kept_{};
  size_t copies_left_ = 0;             // Bytes that the batch in hand may still make it copy.
  std::array<uint64_t, 4> refused_{};  // By Refusal.
  uint64_t older_ = 0;
};

}  // namespace sonde
