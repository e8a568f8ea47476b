// SPDX-License-Identifier: Apache-2.0
// Fills the template. User text only ever lands inside quoted YAML scalars.
#include "app/up.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace sonde::app {
namespace {

// A JSON string is a valid double-quoted YAML scalar, but for `$`, which would be expanded.
std::string quoted(std::string_view text) {
  std::string doubled;
  for (char c : text) doubled.append(c == '$' ? 2 : 1, c);
  std::string out;
  append_json_string(out, doubled);
  return out;
}

Result<std::string> selectors(std::string_view name, const std::vector<std::string>& given) {
  if (given.empty()) return std::string();
  std::string out = fmt::format("    {}:\n", name);
  for (const std::string& text : given) {
    size_t equals = text.find('=');
    std::string key = text.substr(0, equals);
    if (key == "exe") key = "executable";
    bool known = key == "executable" || key == "port" || key == "name" || key == "container" ||
                 key == "unit";
    if (equals == std::string::npos || !known || equals + 1 == text.size()) {
      return fail(ErrorKind::Invalid,
                  fmt::format("--{}: \"{}\" is not KEY=GLOB; KEY is exe, port, name, container or "
                              "unit, for example --{} 'name=shop*'",
                              name, text, name));
    }
    out += fmt::format("      - {}\n", quoted(key + text.substr(equals)));
  }
  return out;
}

}  // namespace

Result<std::string> up_config(const UpOptions& o) {
  if (!(o.sample_rate >= 0 && o.sample_rate <= 1)) {
    return fail(ErrorKind::Invalid, "--sample-rate: it is a share between 0 and 1, such as 0.1");
  }
  if (o.port == 0 || o.port == 65535) {
    return fail(ErrorKind::Invalid, "--port: choose one between 1 and 65534, such as 4400");
  }
  std::string include = TRY(selectors("include", o.include));
  std::string exclude = TRY(selectors("exclude", o.exclude));
  std::string receiver = include + exclude;

  std::string exporter, sampler, pipelines, metrics_to;
  if (!o.otlp_endpoint.empty()) {
    std::string_view rest = o.otlp_endpoint;
    const bool scheme = rest.starts_with("http://");
    if (rest.starts_with("https://")) {
      return fail(
          ErrorKind::Invalid,
          "--otlp-endpoint: https is not supported yet; send to a collector on this machine "
          "in the clear, such as http://127.0.0.1:4318");
    }
    if (scheme) rest.remove_prefix(7);
    while (rest.ends_with('/')) rest.remove_suffix(1);
    // Like every OTLP client: 4318 is HTTP, everything else, and what has no scheme, gRPC.
    const bool http = scheme && !rest.ends_with(":4317");
    std::string host(rest);
    if (host.find(':') == std::string::npos && host.find('/') == std::string::npos) {
      host += http ? ":4318" : ":4317";
    }
    const std::string_view type = http ? "otlp_http" : "otlp_grpc";
    exporter =
        fmt::format("  {}:\n    endpoint: {}\n", type, quoted((http ? "http://" : "") + host));
    if (!http) exporter += "    tls: {insecure: true}\n";
    // Bounded by bytes: a thousand batches of a busy host would be half a gigabyte.
    exporter += "    sending_queue: {sizer: bytes, queue_size: 33554432}\n";
    std::string processors;
    if (o.sample_rate < 1) {
      sampler =
          fmt::format("processors:\n  probabilistic_sampler:\n    sampling_percentage: {}\n\n",
                      o.sample_rate * 100);
      processors = "      processors: [probabilistic_sampler]\n";
    }
    pipelines = fmt::format(
        "    traces/otlp:\n      receivers: [ebpf]\n{}      exporters: [{}]\n"
        "    metrics/otlp:\n      receivers: [ebpf, span_metrics, service_graph]\n"
        "      exporters: [{}]\n",
        processors, type, type);
  }
  return fmt::format(
      R"(# What `sonde up` runs. Save it, change it, and start it with: sonde run --config FILE
receivers:
  ebpf:
{}
connectors:
  span_metrics:
  service_graph:

{}exporters:
  rollup:
  prometheus:
    endpoint: 127.0.0.1:{}
    without_scope_info: true
{}
extensions:
  console:
    endpoint: 127.0.0.1:{}

service:
  extensions: [console]
  pipelines:
    traces:
      receivers: [ebpf]
      exporters: [span_metrics, service_graph, rollup]
    metrics:
      receivers: [ebpf, span_metrics, service_graph]
      exporters: [prometheus]
{})",
      receiver, sampler, o.port + 1, exporter, o.port, pipelines);
}

}  // namespace sonde::app
