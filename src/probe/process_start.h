// SPDX-License-Identifier: Apache-2.0
// What the kernel said of a process when its program began. It stands in for /proc where the
// process is gone before anybody looked, as curl in a script always is.
#ifndef SONDE_PROBE_PROCESS_START_H
#define SONDE_PROBE_PROCESS_START_H

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sonde::probe {

struct ProcessStart {
  std::string comm;
  std::string path;       // Of the file that runs; empty after a fork without exec.
  std::string arguments;  // Each ended by a zero; cut where they were longer than the record.
  uint64_t cgroup = 0;    // Id in the unified hierarchy; 0 is unknown.
};

// From the payload of SONDE_EXEC and SONDE_FORK. A payload that is too short gives empty fields.
ProcessStart process_start_of(std::string_view payload);

// The latest starts, by process id. The oldest is forgotten at the bound.
class ProcessStarts {
 public:
  explicit ProcessStarts(size_t max) : max_(max) {}
  void put(uint32_t tgid, ProcessStart start);
  // Until the next put; nullptr where nothing is known.
  const ProcessStart* find(uint32_t tgid) const;
  size_t size() const { return starts_.size(); }

 private:
  size_t max_;
  std::list<std::pair<uint32_t, ProcessStart>> order_;  // Oldest first.
  std::unordered_map<uint32_t, std::list<std::pair<uint32_t, ProcessStart>>::iterator> starts_;
};

// Paths of cgroups in the unified hierarchy by their ids, as long as they exist. Needs
// CAP_DAC_READ_SEARCH; without it, or without such a hierarchy, every path is empty.
class CgroupPaths {
 public:
  // Looks for the mount point in the text of /proc/self/mountinfo.
  explicit CgroupPaths(std::string_view mountinfo);
  ~CgroupPaths();
  CgroupPaths(const CgroupPaths&) = delete;
  CgroupPaths& operator=(const CgroupPaths&) = delete;
  // Like "/system.slice/web.service".
  std::string path(uint64_t id) const;

 private:
  std::string mount_point_;
  int mount_fd_ = -1;
};

}  // namespace sonde::probe

#endif
