// SPDX-License-Identifier: Apache-2.0
// Points to series and series to text.
#include "components/exporter/prometheus/metric_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "components/exporter/prometheus/naming.h"

namespace sonde {
namespace {

using prometheus::append_label;

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

struct Lines {
  std::string& out;
  std::string_view name;
  std::string time;  // After each value; empty: none.

  void add(std::string_view suffix, std::string_view labels, std::string_view extra,
           std::string_view value) {
    out.append(name).append(suffix);
    if (!labels.empty() || !extra.empty()) {
      out.append("{").append(labels);
      if (!labels.empty() && !extra.empty()) out.append(",");
      out.append(extra).append("}");
    }
    out.append(" ").append(value).append(time).append("\n");
  }
};

// OpenMetrics counts in seconds, the older format in milliseconds.
std::string timestamp(int64_t unix_ns, const ExpositionOptions& how) {
  if (!how.timestamps || unix_ns == 0) return {};
  const int64_t ms = unix_ns / 1'000'000;
  return how.open_metrics ? fmt::format(" {}.{:03}", ms / 1000, ms % 1000) : fmt::format(" {}", ms);
}

}  // namespace

// Labels are sorted so that one set is one series.
std::string MetricStore::point_labels(const ResourceLabels& resource, const ScopeView& scope,
                                      const AttributesView& attributes) const {
  Labels sorted;
  for (const KeyValueView& a : attributes) {
    std::string name = prometheus::label_name(a.key);
    if (name == "job" || name == "instance") name = "exported_" + name;
    sorted[std::move(name)] = a.value.to_string();
  }
  for (const auto& [name, value] : resource.over) sorted[name] = value;
  if (options_.scope_labels) add_scope(sorted, scope);
  for (const auto& [name, value] : options_.const_labels) {
    sorted[prometheus::label_name(name)] = value;
  }
  std::string out(resource.series);
  for (const auto& [name, value] : sorted) {
    if (value.empty() || (name.starts_with("service_") &&
                          resource.series.find("," + name + "=\"") != std::string_view::npos)) {
      continue;
    }
    append_label(out, name, value);
  }
  return out;
}

void MetricStore::add_scope(Labels& labels, const ScopeView& scope) const {
  for (const KeyValueView& a : scope.attributes()) {
    labels["otel_scope_" + prometheus::label_name(a.key)] = a.value.to_string();
  }
  labels["otel_scope_name"] = scope.name;
  labels["otel_scope_version"] = scope.version;
  labels["otel_scope_schema_url"] = scope.schema_url;
}

MetricStore::ResourceLabels MetricStore::labels_of(const ResourceView& resource) const {
  std::string name, ns, instance, rest;
  ResourceLabels out;
  for (const KeyValueView& a : resource.attributes()) {
    const bool of_service =
        a.key == "service.name" || a.key == "service.namespace" || a.key == "service.instance.id";
    if (options_.resource_labels && (options_.service_labels || !of_service)) {
      out.over[prometheus::label_name(a.key)] = a.value.to_string();
    }
    if (a.key == "service.name") {
      name = a.value.to_string();
    } else if (a.key == "service.namespace") {
      ns = a.value.to_string();
    } else if (a.key == "service.instance.id") {
      instance = a.value.to_string();
    } else if (std::string value = a.value.to_string(); !value.empty()) {
      append_label(rest, prometheus::label_name(a.key), value);
    }
  }
  if (!name.empty()) append_label(out.series, "job", ns.empty() ? name : ns + "/" + name);
  if (!instance.empty()) append_label(out.series, "instance", instance);
  if (!name.empty()) append_label(out.series, "service_name", name);
  if (!ns.empty()) append_label(out.series, "service_namespace", ns);
  if (!out.series.empty()) out.target = std::move(rest);
  return out;
}

MetricStore::Series* MetricStore::at(Family& family, std::string labels, int64_t now) {
  auto it = family.series.find(labels);
  if (it == family.series.end()) {
    if (series_ >= options_.max_series) {
      refused_++;
      return nullptr;
    }
    it = family.series.emplace(std::move(labels), Series{}).first;
    series_++;
  }
  it->second.last_ns = now;
  return &it->second;
}

void MetricStore::add(const Batch& batch, int64_t now) {
  const char* last = nullptr;
  ResourceLabels labels;
  for (const Bytes& chunk : batch.chunks) {
    (void)for_each_metric(chunk, [&](const ResourceView& r, const ScopeView& scope,
                                     const MetricView& m) {
      if (!last || r.message.data() != last) {
        labels = labels_of(r);
        last = r.message.data();
        if (!labels.series.empty()) {
          Family& f = families_["target_info"];
          f.type = "gauge";
          f.help = "Attributes of the resource that the series of a job and instance belong to.";
          if (Series* s = at(f, labels.series, now)) {
            s->value = 1;
            // Queries join on job and instance, so there may be only one. A connector's resource
            // says less than the receiver's of the same service: the one that says most stands.
            if (labels.target.size() > s->info.size()) s->info = labels.target;
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
  std::string name = prometheus_name(m.name, m.unit, m.kind, m.monotonic, options_.suffixes);
  if (!options_.name_prefix.empty()) {
    name = prometheus::label_name(options_.name_prefix) + "_" + name;
  }
  Family& family = families_[name];
  if (family.series.empty()) {
    family.type = type_of(m);
    family.help = std::string(m.description.substr(0, 200));
    std::replace(family.help.begin(), family.help.end(), '\n', ' ');
  } else if (family.type != type_of(m)) {
    refused_ += m.point_count();  // Two types under one name would make the page invalid.
    return;
  }
  const auto series_of = [&](const auto& point) {
    Series* s = at(family, point_labels(resource, scope, point.attributes()), now);
    if (s) s->point_ns = static_cast<int64_t>(point.time_ns);
    return s;
  };
  const bool delta = m.temporality == Temporality::Delta;
  for (const NumberPointView& p : m.numbers()) {
    if (!p.has_value) continue;
    if (Series* s = series_of(p)) {
      s->value = delta ? s->value + p.value() : p.value();
    }
  }
  for (const HistogramPointView& p : m.histograms()) {
    Series* s = series_of(p);
    if (!s) continue;
    std::vector<double> bounds;
    std::vector<uint64_t> buckets;
    p.for_each_bound([&](double b) { bounds.push_back(b); });
    p.for_each_bucket([&](uint64_t n) { buckets.push_back(n); });
    if (!buckets.empty() && buckets.size() != bounds.size() + 1) {
      bounds.clear();
      buckets.clear();
    }
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
      for (const auto& q : p.quantiles()) s->quantiles.emplace_back(q.quantile, q.value);
    }
  }
}

std::string MetricStore::expose(int64_t now, ExpositionOptions how) {
  const int64_t before = now - options_.expiry.count();
  for (auto it = families_.begin(); it != families_.end();) {
    series_ -=
        std::erase_if(it->second.series, [&](const auto& e) { return e.second.last_ns < before; });
    it = it->second.series.empty() ? families_.erase(it) : std::next(it);
  }
  std::string out;
  for (const auto& [name, family] : families_) expose_family(out, name, family, how);
  if (how.open_metrics) out += "# EOF\n";
  return out;
}

void MetricStore::expose_family(std::string& out, std::string_view name, const Family& family,
                                const ExpositionOptions& how) {
  // In OpenMetrics a counter's family has no _total, and each of its samples has.
  const bool counter = how.open_metrics && family.type == "counter";
  if (counter && name.ends_with("_total")) name.remove_suffix(6);
  const auto bound = [&](double value) {
    std::string text = prometheus::number(value);
    const bool whole = text.find_first_not_of("-0123456789") == std::string::npos;
    return how.open_metrics && whole ? text + ".0" : text;
  };
  if (!family.help.empty()) out += fmt::format("# HELP {} {}\n", name, family.help);
  out += fmt::format("# TYPE {} {}\n", name, family.type);
  for (const auto& [labels, s] : family.series) {
    Lines lines{out, name, timestamp(s.point_ns, how)};
    if (family.type == "histogram") {
      uint64_t below = 0;
      for (size_t i = 0; i < s.bounds.size(); i++) {
        below += s.buckets.empty() ? 0 : s.buckets[i];
        lines.add("_bucket", labels, fmt::format("le=\"{}\"", bound(s.bounds[i])),
                  fmt::to_string(below));
      }
      lines.add("_bucket", labels, "le=\"+Inf\"", fmt::to_string(s.count));
    } else if (family.type == "summary") {
      for (auto [q, v] : s.quantiles) {
        lines.add("", labels, fmt::format("quantile=\"{}\"", bound(q)), prometheus::number(v));
      }
    } else {
      lines.add(counter ? "_total" : "", labels, s.info, prometheus::number(s.value));
      continue;
    }
    lines.add("_sum", labels, "", prometheus::number(s.value));
    lines.add("_count", labels, "", fmt::to_string(s.count));
  }
}

}  // namespace sonde
