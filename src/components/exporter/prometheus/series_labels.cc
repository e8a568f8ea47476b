// SPDX-License-Identifier: Apache-2.0
// Attributes to the labels of a series. Each label comes once, because a scraper refuses a page
// with a line that has one twice; and series that differ keep to differ.
#include <utility>

#include "components/exporter/prometheus/metric_store.h"
#include "components/exporter/prometheus/names.h"
#include "components/exporter/prometheus/naming.h"
#include "data/collector_text.h"

namespace sonde {
namespace {

using prometheus::append_label;
using Labels = std::map<std::string, std::string>;

// Two values of one key, or of keys that become one label:
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes
void join(Labels& labels, std::string name, std::string value) {
  const auto [at, made] = labels.try_emplace(std::move(name), value);
  if (!made) at->second.append(";").append(value);
}

// Names that the page or the scraper writes itself.
bool is_taken(std::string_view name, std::string_view type) {
  return name == "job" || name == "instance" || name == "__name__" ||
         (name == "le" && type == "histogram") || (name == "quantile" && type == "summary");
}

std::string exported(std::string_view name) { return std::string("exported_").append(name); }

std::string text_of(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!value.empty()) append_label(out, name, value);
  }
  return out;
}

}  // namespace

std::string MetricStore::label(std::string_view key) const {
  return options_.naming.utf8 && !key.empty()
             ? prometheus::escape_name(key, prometheus::NameOf::Label, prometheus::Escaping::None)
             : prometheus::label_name(key);
}

MetricStore::Labels MetricStore::named(const Labels& by_key, const ResourceLabels& resource,
                                       std::string_view type) const {
  Labels out;
  for (const auto& [key, value] : by_key) {
    std::string name = label(key);
    bool taken = is_taken(name, type);
    if (const auto own = resource.own.find(name); !taken && own != resource.own.end()) {
      if (own->second == value) continue;
      taken = true;
    }
    join(out, taken ? exported(name) : std::move(name), value);
  }
  return out;
}

// Labels are sorted so that one set is one series.
std::string MetricStore::point_labels(const ResourceLabels& resource, const ScopeView& scope,
                                      const AttributesView& attributes,
                                      std::string_view type) const {
  Labels by_key;
  for (const KeyValueView& a : attributes)
    join(by_key, std::string(a.key), collector_text(a.value));
  for (const auto& [key, value] : resource.over) by_key[key] = value;
  if (options_.scope_labels) add_scope(by_key, scope);
  Labels labels = named(by_key, resource, type);
  for (const auto& [key, value] : options_.const_labels) {
    const std::string name = label(key);
    const bool of_this_page = name != "job" && name != "instance" && is_taken(name, type);
    labels[of_this_page || resource.own.contains(name) ? exported(name) : name] = value;
  }
  const std::string rest = text_of(labels);
  std::string out(resource.series);
  return out.append(out.empty() || rest.empty() ? "" : ",").append(rest);
}

void MetricStore::add_scope(Labels& by_key, const ScopeView& scope) const {
  for (const KeyValueView& a : scope.attributes()) {
    if (a.key == "name" || a.key == "version" || a.key == "schema_url") continue;
    by_key["otel_scope_" + std::string(a.key)] = collector_text(a.value);
  }
  const auto put = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) by_key[std::string(key)] = value;
  };
  put("otel_scope_name", scope.name);
  put("otel_scope_version", scope.version);
  put("otel_scope_schema_url", scope.schema_url);
}

MetricStore::ResourceLabels MetricStore::labels_of(const ResourceView& resource) const {
  ResourceLabels out;
  std::string name, ns, instance;
  Labels rest;
  for (const KeyValueView& a : resource.attributes()) {
    std::string* const of_service = a.key == "service.name"          ? &name
                                    : a.key == "service.namespace"   ? &ns
                                    : a.key == "service.instance.id" ? &instance
                                                                     : nullptr;
    const std::string value = collector_text(a.value);
    if (options_.resource_labels && (options_.service_labels || !of_service)) {
      out.over[std::string(a.key)] = value;
    }
    if (of_service) {
      *of_service = value;
    } else {
      join(rest, std::string(a.key), value);
    }
  }
  const auto own = [&](std::string_view label, const std::string& value) {
    if (value.empty()) return;
    append_label(out.series, label, value);
    out.own.emplace(label, value);
  };
  own("job", name.empty() || ns.empty() ? name : ns + "/" + name);
  own("instance", instance);
  own("service_name", name);
  own("service_namespace", ns);
  out.bytes = out.series.size();
  for (const auto& [key, value] : out.over) out.bytes += key.size() + value.size();
  if (!out.series.empty()) out.target = text_of(named(rest, out, "gauge"));
  return out;
}

}  // namespace sonde
