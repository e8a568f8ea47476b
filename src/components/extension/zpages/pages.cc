// SPDX-License-Identifier: Apache-2.0
#include "components/extension/zpages/pages.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <vector>

#include "base/counters.h"
#include "base/rfc3339.h"
#include "pipeline/introspection/output_meter.h"

namespace sonde::zpages {
namespace {

using pipeline::ComponentStatus;
using pipeline::Topology;
using pipeline::TopologyComponent;

constexpr std::string_view kStyle =
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;width:100%;margin:0 0 1.5rem}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}"
    "nav a{margin-right:1rem}.n{text-align:right;font-variant-numeric:tabular-nums}";

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>"
      "<style>{1}</style></head><body><nav><a href=\"servicez\">Service</a>"
      "<a href=\"pipelinez\">Pipelines</a><a href=\"extensionz\">Extensions</a>"
      "<a href=\"featurez\">Feature gates</a><a href=\"tracez\">Traces</a></nav><h1>{0}</h1>\n{2}"
      "</body></html>\n",
      escape_html(title), kStyle, body);
}

using Row = std::vector<std::string>;

// Cells are text and are escaped here.
std::string table(const Row& head, const std::vector<Row>& rows) {
  std::string out = "<table><tr>";
  for (const std::string& cell : head) out += "<th>" + escape_html(cell) + "</th>";
  out += "</tr>\n";
  for (const Row& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += "<td>" + escape_html(cell) + "</td>";
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

Row status_cells(std::string_view key, std::span<const ComponentStatus> statuses) {
  const auto found = std::ranges::find(statuses, key, &ComponentStatus::key);
  if (found == statuses.end()) return {"StatusNone", "", ""};
  return {std::string(pipeline::status_name(found->status.kind)),
          format_rfc3339(found->since_unix_ns), found->status.error};
}

// What passed an edge: what its component gave to all of the signal, and to this pipeline alone.
uint64_t counted(std::string_view name, const pipeline::TopologyEdge& edge) {
  double sum = 0;
  for (const CounterSample& s : Counters::samples(name)) {
    const auto label = [&](std::string_view key) -> std::string_view {
      const auto at = std::ranges::find(s.labels, key, [](const auto& pair) { return pair.first; });
      return at == s.labels.end() ? std::string_view() : std::string_view(at->second);
    };
    if (label("component") != edge.from || label("signal") != edge.signal) continue;
    const std::string_view pipeline = label("pipeline");
    if (pipeline.empty() || pipeline == edge.pipeline) sum += s.value;
  }
  return static_cast<uint64_t>(sum);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string service_page(const pipeline::ProcessFacts& facts) {
  utsname system{};
  ::uname(&system);
  std::string body = "<h2>Build</h2>\n";
  body += table({"", ""}, {{"Command", "sonde"}, {"Version", facts.version}});
  body += "<h2>Runtime</h2>\n";
  body += table({"", ""}, {{"StartTimestamp", format_rfc3339(facts.started_unix_ns)},
                           {"Compiler", __VERSION__},
                           {"OS", fmt::format("{} {}", system.sysname, system.release)},
                           {"Arch", system.machine}});
  return page("Service sonde", body);
}

std::string pipeline_page(const Topology& topology, std::span<const ComponentStatus> statuses) {
  std::vector<std::string> pipelines;
  for (const TopologyComponent& c : topology.components) {
    for (const std::string& p : c.pipelines) {
      if (std::ranges::find(pipelines, p) == pipelines.end()) pipelines.push_back(p);
    }
  }
  std::string body;
  for (const std::string& pipeline : pipelines) {
    body += "<h2>" + escape_html(pipeline) + "</h2>\n";
    std::vector<Row> rows;
    for (const TopologyComponent& c : topology.components) {
      if (std::ranges::find(c.pipelines, pipeline) == c.pipelines.end()) continue;
      Row row = {c.kind, c.id};
      for (std::string& cell : status_cells(c.key, statuses)) row.push_back(std::move(cell));
      rows.push_back(std::move(row));
    }
    body += table({"Kind", "Component", "Status", "Since", "Error"}, rows);
    rows.clear();
    for (const pipeline::TopologyEdge& e : topology.edges) {
      if (e.pipeline != pipeline) continue;
      rows.push_back({e.from, e.to, fmt::format("{}", counted(pipeline::kOutputItems, e)),
                      fmt::format("{}", counted(pipeline::kOutputBytes, e))});
    }
    body += table({"From", "To", "Items since the start", "Bytes"}, rows);
  }
  if (body.empty()) body = "<p>No pipeline runs.</p>\n";
  return page("Pipelines", body);
}

std::string extension_page(const Topology& topology, std::span<const ComponentStatus> statuses) {
  std::vector<Row> rows;
  for (const TopologyComponent& c : topology.components) {
    if (c.kind != "extension") continue;
    Row row = {c.id};
    for (std::string& cell : status_cells(c.key, statuses)) row.push_back(std::move(cell));
    rows.push_back(std::move(row));
  }
  return page("Extensions", table({"Extension", "Status", "Since", "Error"}, rows));
}

std::string feature_page(const pipeline::ProcessFacts& facts) {
  std::vector<Row> rows;
  for (const pipeline::GateFact& gate : facts.gates) {
    rows.push_back({gate.id, gate.enabled ? "true" : "false", gate.description, gate.stage,
                    gate.from_version});
  }
  return page("Feature gates", table({"ID", "Enabled", "Description", "Stage", "From"}, rows));
}

std::string trace_page() {
  return page(
      "Traces",
      "<p>Sonde records no spans of its own work, so there is none to show. What passes its "
      "pipelines is on <a href=\"pipelinez\">Pipelines</a> and, batch by batch, in the live "
      "tap of the extension <code>console</code>.</p>\n");
}

}  // namespace sonde::zpages
