// SPDX-License-Identifier: Apache-2.0
// What is known of the processes whose sockets are watched: name, language, unit, container and who
// else instruments them, read from /proc once a process. The root of /proc is a parameter, so tests
// use a tree of files. Facts outlive their process for as long as its requests do.
#ifndef SONDE_PROBE_PROCESS_TABLE_H
#define SONDE_PROBE_PROCESS_TABLE_H

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "probe/process_parents.h"
#include "probe/process_start.h"

namespace sonde::probe {

struct Process {
  uint32_t tgid = 0;
  // The first of a family of forks that runs the same command line. 0: it was gone before it could
  // be looked at, and all such processes of one program count as one instance.
  uint32_t leader = 0;
  bool known = false;     // /proc could be read, or the kernel told of its start.
  bool filtered = false;  // The filter was asked.
  bool excluded = false;
  bool trusts_thread = false;  // Its server sockets block, so the thread names the parent.
  bool synchronous = false;    // One request at a time on a thread, whatever its sockets say.
  std::string executable;      // Base name.
  std::string executable_path;
  std::string command_line;  // Bounded, for people.
  std::string service;
  std::string service_namespace;
  std::string instance;
  std::string language = "unknown";
  std::string unit;
  std::string container;        // Id.
  std::string container_name;   // Nothing in /proc tells it: see name_container.
  bool named_by_owner = false;  // The environment names the service, which overrules all else.
  std::string instrumented_by;
  std::vector<std::pair<std::string, std::string>> attributes;  // OTEL_RESOURCE_ATTRIBUTES.
};

struct ProcessTableConfig {
  std::string proc_root = "/proc";
  std::string cgroup_root = "/sys/fs/cgroup";
  std::string host;  // Empty: gethostname.
  size_t max_processes = 16384;
  size_t max_exited = 1024;
  size_t max_starts = 4096;  // Each takes about 300 bytes.
  size_t max_parents = 16384;
  size_t max_unnamed_containers = 4096;  // Read between two calls of take_unnamed_containers.
};

class ProcessTable {
 public:
  explicit ProcessTable(ProcessTableConfig config = {});

  // Never null; reads /proc the first time. What cannot be read is named `unknown`.
  std::shared_ptr<Process> get(uint32_t tgid);
  std::shared_ptr<Process> find(uint32_t tgid) const;
  // A new program runs under this id: what was known is void.
  void exec(uint32_t tgid, ProcessStart start = {});
  void fork(uint32_t child, uint32_t parent, ProcessStart start = {});
  // Facts stay findable for a while, for events that are still on their way.
  void exit(uint32_t tgid);

  // Ids of containers of processes that were read since the last call and that nobody has named.
  std::vector<std::string> take_unnamed_containers();
  // Times that such an id found no room; another process of its container may bring it again.
  uint64_t containers_refused() const { return containers_refused_; }
  // What a container runtime calls a container, and the service in it: for its processes, known and
  // to come. The oldest of 4096 is forgotten.
  void name_container(const std::string& id, const std::string& name, const std::string& service);

  // The rest of the table is a function of /proc and, where that has nothing, of the start.
  Process read(uint32_t tgid, const ProcessStart* start = nullptr) const;
  size_t size() const { return processes_.size(); }
  // Those that may still run the program of their parent; at most max_parents.
  size_t forks() const { return parents_.size(); }
  const std::string& host() const { return config_.host; }

 private:
  struct ContainerName {
    std::string name;
    std::string service;
  };
  static void apply(const ContainerName& names, Process& process);
  std::shared_ptr<Process> get(uint32_t tgid, int forks);

  ProcessTableConfig config_;
  CgroupPaths cgroups_;
  ProcessStarts starts_;
  std::unordered_map<uint32_t, std::shared_ptr<Process>> processes_;
  std::unordered_map<std::string, ContainerName> container_names_;
  std::deque<std::string> container_order_;
  std::unordered_set<std::string> unnamed_containers_;
  uint64_t containers_refused_ = 0;
  Parents parents_;
  std::deque<std::pair<uint32_t, std::weak_ptr<Process>>> exited_;
};

}  // namespace sonde::probe

#endif
