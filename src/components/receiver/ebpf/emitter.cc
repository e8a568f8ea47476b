// SPDX-License-Identifier: Apache-2.0
// What of a request becomes an attribute, by the table of its protocol's convention, and what a
// label. A host that was named in a request is the peer's word, so it is on spans and never on
// series.
#include "components/receiver/ebpf/emitter.h"

#include <algorithm>

#include "probe/protocol/protocol.h"

namespace sonde {
namespace {

constexpr std::string_view kScope = "sonde/ebpf";

std::string_view raw(const auto& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

// The host without its port; an IPv6 literal keeps its colons and loses its brackets.
std::string_view host_of(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

}  // namespace

Emitter::Emitter(EmitterConfig config)
    : config_(std::move(config)), red_({.max_series = config_.max_series}) {}

void Emitter::request(const probe::FinishedRequest& request) {
  if (config_.traces) spans_.push_back(request);
  if (config_.metrics) observe(request);
}

std::vector<Attribute> Emitter::resource_of(const probe::Process& process) const {
  std::vector<Attribute> out;
  const auto text = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) out.push_back({key, value});
  };
  text("service.name", process.service);
  text("service.namespace", process.service_namespace);
  text("service.instance.id", process.instance);
  text("host.name", config_.host_name);
  text("host.id", config_.host_id);
  text("os.type", "linux");
  if (process.leader != 0) out.push_back({"process.pid", int64_t{process.leader}});
  text("process.executable.name", process.executable);
  text("telemetry.sdk.language", process.language);
  text("telemetry.sdk.name", "sonde");
  text("container.id", process.container);
  text("container.name", process.container_name);
  text("sonde.systemd.unit", process.unit);
  text("sonde.instrumented_by", process.instrumented_by);
  text("sonde.trust", process.trusts_thread ? "thread" : "none");
  for (const auto& [key, value] : process.attributes) {
    const std::string_view name = key;
    const auto same = [name](const Attribute& other) { return other.key == name; };
    if (std::find_if(out.begin(), out.end(), same) == out.end()) text(key, value);
  }
  return out;
}

void Emitter::write_span(const probe::FinishedRequest& request) {
  std::vector<Attribute> attributes;
  attributes.reserve(20);
  const auto text = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) attributes.push_back({key, value});
  };
  const auto number = [&](std::string_view key, int64_t value) {
    attributes.push_back({key, value});
  };
  const probe::Protocol& protocol = *request.protocol;
  const Convention& names = protocol.convention();
  text(names.operation, request.operation);
  if (!names.original.empty()) text(names.original, request.operation_original);
  text(names.system, protocol.system());
  text(names.target, request.route);
  if (request.status != 0 && !names.status.empty()) number(names.status, request.status);
  const std::string_view host = host_of(request.host);
  text("server.address", !host.empty()    ? host
                         : request.server ? request.local_address
                                          : request.peer_address);
  const uint16_t port = request.server ? request.local_port : request.peer_port;
  if (port != 0) number("server.port", port);
  if (request.server) text("client.address", request.peer_address);
  text("network.peer.address", request.peer_address);
  if (request.peer_port != 0) number("network.peer.port", request.peer_port);
  protocol.attributes(request, attributes);
  text("error.type", request.error_type);
  if (request.server && request.queue_ns >= 0) number("sonde.queue_ns", request.queue_ns);
  text("sonde.peer.service", request.peer_service);

  const std::string name = protocol.span_name(request);
  SpanFields fields{.trace_id = raw(request.trace_id), .span_id = raw(request.span_id)};
  if (request.has_parent) fields.parent_span_id = raw(request.parent_span_id);
  fields.name = name;
  fields.kind = request.server ? SpanKind::Server : SpanKind::Client;
  fields.start_ns = static_cast<uint64_t>(request.start_unix_ns);
  fields.end_ns = static_cast<uint64_t>(request.end_unix_ns);
  if (!request.error_type.empty()) fields.status = StatusCode::Error;
  traces_.span(fields, attributes);
}

Batch Emitter::take_spans() {
  std::sort(spans_.begin(), spans_.end(), [](const auto& a, const auto& b) {
    if (a.process != b.process) return a.process < b.process;
    return a.start_unix_ns < b.start_unix_ns;
  });
  const probe::Process* open = nullptr;
  for (const probe::FinishedRequest& request : spans_) {
    if (request.process.get() != open) {
      open = request.process.get();
      traces_.resource(resource_of(*open)).scope(kScope, SONDE_VERSION);
    }
    write_span(request);
  }
  spans_.clear();
  return traces_.build();
}

void Emitter::observe(const probe::FinishedRequest& request) {
  const probe::Process& process = *request.process;
  if (described_.size() < config_.max_series &&
      described_.try_emplace(&process, request.process).second) {
    red_.describe(process.service, process.service_namespace, process.instance,
                  resource_of(process));
  }
  rollup::Observation o;
  o.service = process.service;
  o.service_namespace = process.service_namespace;
  o.instance = process.instance;
  o.server = request.server;
  o.has_parent = request.has_parent;
  o.convention = &request.protocol->convention();
  o.method = request.operation;
  o.route = request.route;
  o.scheme = request.protocol->system();
  o.status = request.status;
  o.error_type = request.error_type;
  o.error = !request.error_type.empty();
  o.peer_service = request.peer_service;
  o.peer_address = request.peer_address;
  o.peer_port = request.peer_port;
  o.server_address = request.server ? request.local_address : request.peer_address;
  o.server_port = request.server ? request.local_port : request.peer_port;
  o.duration_ns = request.end_unix_ns - request.start_unix_ns;
  o.queue_ns = std::max<int64_t>(0, request.queue_ns);
  o.request_bytes = static_cast<int64_t>(request.request_bytes);
  o.response_bytes = static_cast<int64_t>(request.response_bytes);
  o.end_unix_ns = request.end_unix_ns;
  red_.observe(o);
}

Batch Emitter::take_metrics(int64_t now_unix_ns) {
  described_.clear();
  red_.write_metrics(metrics_, now_unix_ns);
  return metrics_.build();
}

}  // namespace sonde
