// SPDX-License-Identifier: Apache-2.0
// One walk over the attributes of a span, because looking each key up would walk them a dozen
// times.
#include "rollup/span_observation.h"

#include <algorithm>

namespace sonde::rollup {

bool is_zero_id(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char c) { return c == 0; });
}

namespace {

// Whether the key is one of a convention's.
bool take_convention(std::string_view key, const AnyValueView& value, Observation& o) {
  for (const Convention* c : kConventions) {
    if (key == c->operation) {
      o.method = value.as_string();
    } else if (key == c->target) {
      o.route = value.as_string();
    } else if (key == c->system) {
      o.scheme = value.as_string();
    } else if (key == c->status) {
      o.status = static_cast<int>(value.as_int());
    } else {
      continue;
    }
    o.convention = c;
    return true;
  }
  return false;
}

}  // namespace

std::optional<Observation> observation_of(const ServiceFacts& resource, const SpanView& span) {
  if (span.kind != SpanKind::Server && span.kind != SpanKind::Client) return std::nullopt;
  Observation o;
  o.server = span.kind == SpanKind::Server;
  o.service = resource.service;
  o.service_namespace = resource.service_namespace;
  o.instance = resource.instance;
  std::string_view path, fallback_peer;
  for (const KeyValueView& a : span.attributes()) {
    const std::string_view k = a.key;
    const AnyValueView& v = a.value;
    if (take_convention(k, v, o)) continue;
    if (k == "http.method") {
      o.method = v.as_string();
    } else if (k == "url.path" || k == "http.target") {
      path = v.as_string();
    } else if (k == "http.scheme") {
      o.scheme = v.as_string();
    } else if (k == "http.status_code") {
      o.status = static_cast<int>(v.as_int());
    } else if (k == "error.type") {
      o.error_type = v.as_string();
    } else if (k == "server.address" || k == "net.host.name" || k == "net.peer.name") {
      o.server_address = v.as_string();
    } else if (k == "server.port") {
      o.server_port = static_cast<int>(v.as_int());
    } else if (k == "network.peer.address") {
      o.peer_address = v.as_string();
    } else if (k == "network.peer.port") {
      o.peer_port = static_cast<int>(v.as_int());
    } else if (k == "client.address") {
      fallback_peer = v.as_string();
    } else if (k == "sonde.peer.service" || k == "peer.service") {
      o.peer_service = v.as_string();
    } else if (k == "sonde.queue_ns") {
      o.queue_ns = std::max<int64_t>(0, v.as_int());
    } else if (k == "http.request.body.size") {
      o.request_bytes = v.as_int();
    } else if (k == "http.response.body.size") {
      o.response_bytes = v.as_int();
    }
  }
  if (o.route.empty()) o.route = o.method.empty() ? span.name : path;
  if (o.peer_address.empty() && o.server) o.peer_address = fallback_peer;
  const bool http = o.convention == &kHttp;
  o.error = span.status_code == StatusCode::Error ||
            (http && (o.status >= 500 || (!o.server && o.status >= 400))) ||
            ((!http || o.status == 0) && !o.error_type.empty());
  o.has_parent = !is_zero_id(span.parent_span_id);
  o.duration_ns = static_cast<int64_t>(span.duration_ns());
  o.end_unix_ns = static_cast<int64_t>(span.end_ns);
  return o;
}

ServiceFacts facts_of(const ResourceView& resource) {
  ServiceFacts f;
  f.service = "unknown_service";
  for (const KeyValueView& a : resource.attributes()) {
    const std::string_view v = a.value.as_string();
    if (a.key == "service.name" && !v.empty()) f.service = v;
    if (a.key == "service.namespace") f.service_namespace = v;
    if (a.key == "service.instance.id") f.instance = v;
    if (a.key == "telemetry.sdk.language") f.language = v;
    if (a.key == "sonde.systemd.unit") f.unit = v;
    // People know a container by its name; the id stands in where no runtime told one.
    if (a.key == "container.id" && f.container.empty()) f.container = v;
    if (a.key == "container.name" && !v.empty()) f.container = v;
    if (a.key == "sonde.instrumented_by") f.instrumented_by = v;
    if (a.key == "sonde.trust") f.trust = v;
  }
  return f;
}

}  // namespace sonde::rollup
