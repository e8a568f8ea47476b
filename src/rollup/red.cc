// SPDX-License-Identifier: Apache-2.0
// The labels of a series, in their fixed order, and how they become points grouped by resource.
#include "rollup/red.h"

#include <fmt/format.h>

#include <array>

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
using Names = std::array<std::string_view, kLabels>;
Names names_of(const Convention& c) {
  return {
      "service.name", "service.namespace", "service.instance.id", c.operation, c.system, c.status,
      c.target,       "server.address",    "server.port",         "error.type"};
}
const Names kNames = names_of(kHttp);

int64_t to_int(std::string_view text) {
  int64_t n = 0;
  for (char c : text) n = n * 10 + (c - '0');
  return n;
}

std::vector<Attribute> attributes_of(const Names& names, const std::vector<std::string>& values,
                                     bool overflow) {
  std::vector<Attribute> out;
  if (overflow) out.push_back({kOverflowLabel, true});
  for (size_t i = kMethod; i < values.size(); i++) {
    if (values[i].empty() || names[i].empty()) continue;
    if (i == kStatus || i == kPort) {
      out.push_back({names[i], to_int(values[i])});
    } else {
      out.push_back({names[i], std::string_view(values[i])});
    }
  }
  return out;
}

}  // namespace

Red::Red(RedOptions options) : options_(options) {}

Red::Family& Red::family_of(const Convention& names) {
  for (Family& family : families_) {
    if (family.names == &names) return family;
  }
  return families_.emplace_back(&names, Table(options_.max_series), Table(options_.max_series));
}

size_t Red::series() const {
  size_t n = 0;
  for (const Family& family : families_) n += family.server.size() + family.client.size();
  return n;
}

uint64_t Red::overflowed() const {
  uint64_t n = 0;
  for (const Family& f : families_) n += f.server.overflowed() + f.client.overflowed();
  return n;
}

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
  Family& family = family_of(*o.convention);
  State& state = (o.server ? family.server : family.client).at(values, o.end_unix_ns).state;
  state.duration.record(static_cast<double>(o.duration_ns) / 1e9);
  if (o.request_bytes >= 0) state.request.record(static_cast<double>(o.request_bytes));
  if (o.response_bytes >= 0) state.response.record(static_cast<double>(o.response_bytes));
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
  struct Sides {
    const Convention* names;
    std::vector<const Series*> server, client;
  };
  std::map<Resource, std::vector<Sides>> by_resource;
  for (Family& family : families_) {
    family.server.expire(now - options_.expiry.count());
    family.client.expire(now - options_.expiry.count());
    const auto sides_of = [&](const Series& s) -> Sides& {
      std::vector<Sides>& all =
          by_resource[s.overflow ? Resource{}
                                 : Resource(s.values.begin(), s.values.begin() + kInstance + 1)];
      if (all.empty() || all.back().names != family.names) {
        all.push_back({.names = family.names, .server = {}, .client = {}});
      }
      return all.back();
    };
    family.server.for_each([&](const Series& s) { sides_of(s).server.push_back(&s); });
    family.client.for_each([&](const Series& s) { sides_of(s).client.push_back(&s); });
  }
  std::erase_if(described_, [&](const auto& e) { return !by_resource.contains(e.first); });
  for (const auto& [key, families] : by_resource) {
    std::vector<Attribute> resource;
    for (size_t i = 0; i < key.size(); i++) {
      if (!key[i].empty()) resource.push_back({kNames[i], std::string_view(key[i])});
    }
    if (auto it = described_.find(key); it != described_.end()) {
      for (const auto& [k, v] : it->second) resource.push_back({k, std::string_view(v)});
    }
    out.resource(resource).scope("sonde");
    for (const Sides& sides : families) {
      write_side(out, sides.server, *sides.names, sides.names->server, now);
      write_side(out, sides.client, *sides.names, sides.names->client, now);
    }
  }
}

void Red::write_side(MetricBatchBuilder& out, const std::vector<const Series*>& series,
                     const Convention& convention, const Convention::Side& side, int64_t now) {
  if (series.empty()) return;
  const Names names = names_of(convention);
  auto write = [&](std::string_view name, std::string_view unit, Histogram State::* which) {
    if (name.empty()) return;
    out.histogram({.name = name, .unit = unit});
    for (const Series* s : series) {
      const Histogram& h = s->state.*which;
      if (h.count() == 0) continue;
      out.histogram_point(
          attributes_of(names, s->values, s->overflow),
          {.count = h.count(), .sum = h.sum(), .bounds = h.bounds(), .buckets = h.counts()},
          {.start_ns = static_cast<uint64_t>(s->start_unix_ns),
           .time_ns = static_cast<uint64_t>(now)});
    }
  };
  write(side.duration, "s", &State::duration);
  write(side.request_size, "By", &State::request);
  write(side.response_size, "By", &State::response);
}

}  // namespace sonde::rollup
