// SPDX-License-Identifier: Apache-2.0
// Where a process comes from: the unit or container that its cgroup names, and who instruments it.
#include <algorithm>
#include <cctype>

#include "probe/process_names.h"

namespace sonde::probe::names {

void cgroup_facts(std::string_view cgroup, std::string& unit, std::string& container) {
  while (!cgroup.empty()) {
    const std::string_view line = cgroup.substr(0, cgroup.find('\n'));
    cgroup.remove_prefix(std::min(cgroup.size(), line.size() + 1));
    // hierarchy:controllers:path, where the path may hold colons of its own.
    size_t start = line.find(':');
    if (start != std::string_view::npos) start = line.find(':', start + 1);
    std::string_view path = line.substr(start == std::string_view::npos ? 0 : start + 1);
    while (!path.empty()) {
      path.remove_prefix(path.front() == '/' ? 1 : 0);
      const std::string_view part = path.substr(0, path.find('/'));
      path.remove_prefix(part.size());
      // docker-<64 hex>.scope, cri-containerd-<64 hex>.scope, <slice>:cri-containerd:<64 hex>, or
      // the bare id.
      std::string_view id = part;
      if (id.ends_with(".scope")) id.remove_suffix(6);
      const size_t mark = id.find_last_of("-:");
      const std::string_view runtime = id.substr(0, mark == std::string_view::npos ? 0 : mark);
      if (mark != std::string_view::npos) id.remove_prefix(mark + 1);
      // A runtime's monitor lives beside its container, not in it.
      if (runtime.ends_with("conmon")) continue;
      if (id.size() == 64 && std::all_of(id.begin(), id.end(), [](char c) {
            return std::isxdigit(static_cast<unsigned char>(c)) != 0;
          })) {
        container = id;
        unit.clear();
      } else if (part.ends_with(".service") && container.empty() && !part.starts_with("user@") &&
                 !path.starts_with("/user.slice") && !line.contains("user.slice")) {
        // The container runtimes are units themselves, but what runs in a container is not theirs.
        unit = part;
      }
    }
  }
}

std::string instrumented_by(std::string_view command_line, std::string_view preload,
                            std::string_view java_options, std::string_view node_options,
                            std::string_view python_path, std::string_view maps) {
  struct Mark {
    std::string_view text;
    std::string_view who;
  };
  constexpr Mark kMarks[] = {{"opentelemetry", "opentelemetry"},
                             {"libotelinject", "opentelemetry"},
                             {"ddtrace", "datadog"},
                             {"dd-java-agent", "datadog"},
                             {"dd-trace", "datadog"},
                             {"newrelic", "newrelic"},
                             {"elastic-apm", "elastic"},
                             {"dynatrace", "dynatrace"},
                             {"oneagent", "dynatrace"},
                             {"skywalking", "skywalking"},
                             {"splunk-otel", "opentelemetry"},
                             {"appdynamics", "appdynamics"},
                             {"sentry", "sentry"}};
  for (const std::string_view text :
       {command_line, preload, java_options, node_options, python_path, maps}) {
    for (const Mark& mark : kMarks) {
      if (text.find(mark.text) != std::string_view::npos) return std::string(mark.who);
    }
  }
  return {};
}

}  // namespace sonde::probe::names
