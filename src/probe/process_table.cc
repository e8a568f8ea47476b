// SPDX-License-Identifier: Apache-2.0
// Reads /proc for process_table.h. Every file is read with a bound, and every field may be missing:
// a process can end at any moment, and what it says of itself is not to be trusted.
#include "probe/process_table.h"

#include <unistd.h>

#include <algorithm>

#include "base/utf8.h"
#include "probe/process_names.h"
#include "probe/process_unit.h"

namespace sonde::probe {
namespace {

constexpr size_t kMaxContainerNames = 4096;
constexpr int kMaxForks = 8;
// In bytes: each is part of every series and span of the process.
constexpr size_t kMaxService = 128;
constexpr size_t kMaxValue = 256;

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

// The value of `key` in the zero-separated environment.
std::string_view variable(std::string_view environment, std::string_view key) {
  while (!environment.empty()) {
    const std::string_view entry = environment.substr(0, environment.find('\0'));
    if (entry.size() > key.size() && entry.starts_with(key) && entry[key.size()] == '=') {
      return entry.substr(key.size() + 1);
    }
    environment.remove_prefix(std::min(environment.size(), entry.size() + 1));
  }
  return {};
}

std::string executable_of(const std::string& folder) {
  std::string path = names::read_link(folder + "/exe");
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

uint32_t parent_of(const std::string& folder) {
  const std::string stat = names::read_file(folder + "/stat", 1024);
  const size_t end = stat.rfind(')');
  if (end == std::string::npos || end + 4 >= stat.size()) return 0;
  uint32_t parent = 0;
  for (size_t i = end + 4; i < stat.size() && stat[i] >= '0' && stat[i] <= '9'; ++i) {
    parent = parent * 10 + static_cast<uint32_t>(stat[i] - '0');
  }
  return parent;
}

}  // namespace

ProcessTable::ProcessTable(ProcessTableConfig config)
    : config_(std::move(config)),
      cgroups_(names::read_file(config_.proc_root + "/self/mountinfo", 1 << 20)),
      starts_(config_.max_starts),
      parents_(config_.max_parents) {
  if (config_.host.empty()) config_.host = host_name();
}

Process ProcessTable::read(uint32_t tgid, const ProcessStart* start) const {
  Process out;
  out.tgid = tgid;
  out.leader = tgid;
  const std::string folder = config_.proc_root + "/" + std::to_string(tgid);
  out.executable_path = executable_of(folder);
  std::string raw = names::read_file(folder + "/cmdline", 16384);
  std::string cgroup = names::read_file(folder + "/cgroup", 8192);
  // Of a process that has ended but was not waited for, only its short name is left.
  const bool gone = out.executable_path.empty() && raw.empty();
  if (start != nullptr && raw.empty()) raw = start->arguments;
  if (start != nullptr && gone) {
    // A program without a name of its own runs from a descriptor.
    if (!start->path.starts_with("/dev/fd/")) out.executable_path = start->path;
    out.executable = start->comm;
    if (cgroup.empty()) cgroup = "0::" + cgroups_.path(start->cgroup) + "\n";
  }
  const std::vector<std::string> arguments = names::split_arguments(raw);
  if (!gone && out.executable_path.empty()) out.executable_path = arguments.front();
  if (!out.executable_path.empty()) out.executable = names::base_name(out.executable_path);
  if (out.executable.empty()) {
    out.executable = names::read_file(folder + "/comm", 64);
    while (!out.executable.empty() && out.executable.back() == '\n') out.executable.pop_back();
  }
  out.known = !out.executable.empty();
  for (const std::string& argument : arguments) {
    if (out.command_line.size() > 512) break;
    if (!out.command_line.empty()) out.command_line += ' ';
    out.command_line += argument;
  }
  out.command_line = well_formed_utf8(out.command_line, 512);

  const std::string environment = names::read_file(folder + "/environ", 131072);
  const std::string maps = names::read_file(folder + "/maps", 1048576);
  names::cgroup_facts(cgroup, out.unit, out.container);
  out.language =
      names::language_of(out.executable, out.executable_path, maps, config_.proc_root, tgid);
  out.synchronous = out.language == "php";
  out.instrumented_by = names::instrumented_by(
      raw, variable(environment, "LD_PRELOAD"), variable(environment, "JAVA_TOOL_OPTIONS"),
      variable(environment, "NODE_OPTIONS"), variable(environment, "PYTHONPATH"), maps);

  std::string_view list = variable(environment, "OTEL_RESOURCE_ATTRIBUTES");
  std::string named_by_attribute;
  while (!list.empty() && out.attributes.size() < 32) {
    const std::string_view pair = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    const std::string_view key = cut_utf8(pair.substr(0, equals), kMaxValue);
    // What is cut decodes to at least as many bytes.
    const std::string decoded = names::percent_decoded(pair.substr(equals + 1, 3 * kMaxValue + 12));
    const std::string value(cut_utf8(decoded, kMaxValue));
    if (key == "service.name") {
      named_by_attribute = value;
    } else if (key == "service.namespace") {
      out.service_namespace = value;
    } else if (key == "service.instance.id") {
      out.instance = value;
    } else {
      out.attributes.emplace_back(key, value);
    }
  }
  const std::string cwd = names::read_link(folder + "/cwd");
  if (const std::string_view name = variable(environment, "OTEL_SERVICE_NAME"); !name.empty()) {
    out.service = name;
    out.named_by_owner = true;
  } else if (!named_by_attribute.empty()) {
    out.service = named_by_attribute;
    out.named_by_owner = true;
  } else if (!out.unit.empty() &&
             unit_names_process({config_.proc_root, config_.cgroup_root}, tgid, cgroup, out.unit)) {
    out.service = out.unit.substr(0, out.unit.size() - std::string_view(".service").size());
  } else {
    // nginx's workers do not name their configuration; the master that forked them does.
    const bool worker = !arguments.empty() && arguments.front().starts_with("nginx: worker");
    out.service = names::from_command(
        out.language,
        worker
            ? names::split_arguments(names::read_file(
                  config_.proc_root + "/" + std::to_string(parent_of(folder)) + "/cmdline", 16384))
            : arguments,
        cwd, folder + "/root");
  }
  if (out.service.empty()) out.service = out.executable;
  if (out.service.empty()) out.service = "unknown";
  out.service = well_formed_utf8(out.service, kMaxService);
  for (std::string* text : {&out.executable, &out.service_namespace, &out.instance, &out.unit})
    *text = well_formed_utf8(*text);
  for (auto& [key, value] : out.attributes) {
    key = well_formed_utf8(key);
    value = well_formed_utf8(value);
  }

  if (gone) {
    out.leader = 0;
    if (out.instance.empty()) out.instance = config_.host + ":" + out.service;
    return out;
  }
  // Workers that a server forks are one instance of it, not many.
  uint32_t ancestor = tgid;
  for (int depth = 0; depth < 8; ++depth) {
    const std::string here = config_.proc_root + "/" + std::to_string(ancestor);
    const uint32_t parent = parent_of(here);
    if (parent <= 1 || raw.empty()) break;
    const std::string above = config_.proc_root + "/" + std::to_string(parent);
    if (names::read_link(above + "/exe") != names::read_link(folder + "/exe")) break;
    if (names::read_file(above + "/cmdline", 16384) != raw) break;
    ancestor = parent;
  }
  out.leader = ancestor;
  if (out.instance.empty()) out.instance = config_.host + ":" + std::to_string(out.leader);
  return out;
}

std::shared_ptr<Process> ProcessTable::find(uint32_t tgid) const {
  const auto place = processes_.find(tgid);
  return place == processes_.end() ? nullptr : place->second;
}

std::shared_ptr<Process> ProcessTable::get(uint32_t tgid) { return get(tgid, kMaxForks); }

std::shared_ptr<Process> ProcessTable::get(uint32_t tgid, int forks) {
  if (auto known = find(tgid)) return known;
  std::shared_ptr<Process> process;
  // A child that has not called exec runs what its parent runs, and may be gone before it can be
  // read: servers that fork for each connection are like that.
  const uint32_t parent = parents_.find(tgid);
  if (parent != 0 && forks > 0) {
    const std::shared_ptr<Process> facts = get(parent, forks - 1);
    const std::string program = executable_of(config_.proc_root + "/" + std::to_string(tgid));
    // The parent may run another program by now, or be another process under its id.
    if (facts->known && (program.empty() || program == facts->executable_path)) {
      process = std::make_shared<Process>(*facts);
      process->tgid = tgid;
      process->filtered = false;
    }
  }
  if (process == nullptr) process = std::make_shared<Process>(read(tgid, starts_.find(tgid)));
  if (!process->container.empty()) {
    const auto named = container_names_.find(process->container);
    if (named != container_names_.end()) {
      apply(named->second, *process);
    } else if (unnamed_containers_.size() < config_.max_unnamed_containers) {
      unnamed_containers_.insert(process->container);
    } else if (!unnamed_containers_.contains(process->container)) {
      ++containers_refused_;
    }
  }
  if (processes_.size() >= config_.max_processes) processes_.erase(processes_.begin());
  processes_.emplace(tgid, process);
  return process;
}

void ProcessTable::apply(const ContainerName& names, Process& process) {
  process.container_name = names.name;
  if (!process.named_by_owner) process.service = names.service;
  // What the filter said of the process was said without its name.
  process.filtered = false;
}

std::vector<std::string> ProcessTable::take_unnamed_containers() {
  std::vector<std::string> out(unnamed_containers_.begin(), unnamed_containers_.end());
  unnamed_containers_.clear();
  return out;
}

void ProcessTable::name_container(const std::string& id, const std::string& name,
                                  const std::string& service) {
  if (container_names_.size() >= kMaxContainerNames && !container_names_.contains(id)) {
    container_names_.erase(container_order_.front());
    container_order_.pop_front();
  }
  const auto [place, added] = container_names_.insert_or_assign(id, ContainerName{name, service});
  if (added) container_order_.push_back(id);
  for (const auto& [tgid, process] : processes_) {
    if (process->container == id) apply(place->second, *process);
  }
}

void ProcessTable::exec(uint32_t tgid, ProcessStart start) {
  processes_.erase(tgid);
  parents_.erase(tgid);
  starts_.put(tgid, std::move(start));
}

void ProcessTable::fork(uint32_t child, uint32_t parent, ProcessStart start) {
  if (child == parent) return;
  processes_.erase(child);
  starts_.put(child, std::move(start));
  parents_.put(child, parent);
}

void ProcessTable::exit(uint32_t tgid) {
  parents_.erase(tgid);
  const auto known = processes_.find(tgid);
  if (known == processes_.end()) return;
  exited_.emplace_back(tgid, known->second);
  while (exited_.size() > config_.max_exited) {
    const auto& [old, facts] = exited_.front();
    const auto place = processes_.find(old);
    // The id may belong to a newer process by now.
    if (place != processes_.end() && place->second == facts.lock()) processes_.erase(place);
    exited_.pop_front();
  }
}

}  // namespace sonde::probe
