// SPDX-License-Identifier: Apache-2.0
// The labels of a series, in their fixed order, and how they become points grouped by resource.
#include "rollup/red.h"

#include <fmt/format.h>

namespace sonde::rollup {
namespace {

enum Label {
  kService,
  kNamespace,
  kInstance,
  kMethod,
  kScheme,
  kStatus,
  kRoute,
  kAddress,
  kPort,
  kErrorType,
  kLabels
};
constexpr std::string_view kNames[kLabels] = {"service.name",        "service.namespace",
                                              "service.instance.id", "http.request.method",
                                              "url.scheme",          "http.response.status_code",
                                              "http.route",          "server.address",
                                              "server.port",         "error.type"};

int64_t to_int(std::string_view text) {
  int64_t n = 0;
  for (char c : text) n = n * 10 + (c - '0');
  return n;
}

std::vector<Attribute> attributes_of(const std::vector<std::string>& values, bool overflow) {
  std::vector<Attribute> out;
  if (overflow) out.push_back({kOverflowLabel, true});
  for (size_t i = kMethod; i < values.size(); i++) {
    if (values[i].empty()) continue;
    if (i == kStatus || i == kPort) {
      out.push_back({kNames[i], to_int(values[i])});
    } else {
      out.push_back({kNames[i], std::string_view(values[i])});
    }
  }
  return out;
}

}  // namespace

Red::Red(RedOptions options)
    : options_(options), server_(options.max_series), client_(options.max_series) {}

void Red::observe(const Observation& o) {
  const fmt::format_int status(o.status > 0 ? o.status : 0),
      port(o.server_port > 0 ? o.server_port : 0);
  std::string_view values[kLabels];
  values[kService] = o.service;
  values[kNamespace] = o.service_namespace;
  values[kInstance] = o.instance;
  values[kMethod] = o.method;
  values[kScheme] = o.scheme;
  if (o.status > 0) values[kStatus] = {status.data(), status.size()};
  values[kRoute] = o.route;
  values[kAddress] = o.server_address;
  if (o.server_port > 0) values[kPort] = {port.data(), port.size()};
  values[kErrorType] = o.error_type;
  Http& http = (o.server ? server_ : client_).at(values, o.end_unix_ns).state;
  http.duration.record(static_cast<double>(o.duration_ns) / 1e9);
  if (o.request_bytes >= 0) http.request.record(static_cast<double>(o.request_bytes));
  if (o.response_bytes >= 0) http.response.record(static_cast<double>(o.response_bytes));
}

void Red::describe(std::string_view service, std::string_view service_namespace,
                   std::string_view instance, Attributes attributes) {
  if (described_.size() >= options_.max_series) return;
  auto& kept =
      described_[{std::string(service), std::string(service_namespace), std::string(instance)}];
  kept.clear();
  for (const Attribute& a : attributes) {
    if (a.key == kNames[kService] || a.key == kNames[kNamespace] || a.key == kNames[kInstance]) {
      continue;
    }
    if (auto* text = std::get_if<std::string_view>(&a.value)) kept.emplace_back(a.key, *text);
  }
}

void Red::write_metrics(MetricBatchBuilder& out, int64_t now) {
  server_.expire(now - options_.expiry.count());
  client_.expire(now - options_.expiry.count());
  struct Sides {
    std::vector<const Series*> server, client;
  };
  std::map<Resource, Sides> by_resource;
  auto key_of = [](const Series& s) {
    return s.overflow ? Resource{} : Resource(s.values.begin(), s.values.begin() + kInstance + 1);
  };
  server_.for_each([&](const Series& s) { by_resource[key_of(s)].server.push_back(&s); });
  client_.for_each([&](const Series& s) { by_resource[key_of(s)].client.push_back(&s); });
  std::erase_if(described_, [&](const auto& e) { return !by_resource.contains(e.first); });
  for (const auto& [key, sides] : by_resource) {
    std::vector<Attribute> resource;
    for (size_t i = 0; i < key.size(); i++) {
      if (!key[i].empty()) resource.push_back({kNames[i], std::string_view(key[i])});
    }
    if (auto it = described_.find(key); it != described_.end()) {
      for (const auto& [k, v] : it->second) resource.push_back({k, std::string_view(v)});
    }
    out.resource(resource).scope("sonde");
    write_side(out, sides.server, "server", now);
    write_side(out, sides.client, "client", now);
  }
}

void Red::write_side(MetricBatchBuilder& out, const std::vector<const Series*>& series,
                     std::string_view side, int64_t now) const {
  if (series.empty()) return;
  auto write = [&](std::string_view what, std::string_view unit, Histogram Http::* which) {
    std::string name = fmt::format("http.{}.{}", side, what);
    out.histogram({.name = name, .unit = unit});
    for (const Series* s : series) {
      const Histogram& h = s->state.*which;
      if (h.count() == 0) continue;
      out.histogram_point(
          attributes_of(s->values, s->overflow),
          {.count = h.count(), .sum = h.sum(), .bounds = h.bounds(), .buckets = h.counts()},
          {.start_ns = static_cast<uint64_t>(s->start_unix_ns),
           .time_ns = static_cast<uint64_t>(now)});
    }
  };
  write("request.duration", "s", &Http::duration);
  write("request.body.size", "By", &Http::request);
  write("response.body.size", "By", &Http::response);
}

}  // namespace sonde::rollup
