// SPDX-License-Identifier: Apache-2.0
// Records and cgroup handles of process_start.h.
#include "probe/process_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "probe/bpf/event_abi.h"
#include "probe/process_text.h"

namespace sonde::probe {
namespace {

// FILEID_KERNFS of the kernel: the handle is the 64-bit id of the node.
constexpr int kKernfsHandle = 0xfe;

std::string_view word(std::string_view line, size_t index) {
  for (; index > 0; --index) {
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return {};
    line.remove_prefix(space + 1);
  }
  return line.substr(0, line.find(' '));
}

}  // namespace

ProcessStart process_start_of(std::string_view payload) {
  ProcessStart out;
  if (payload.size() < SONDE_PROCESS_HEAD) return out;
  sonde_process p{};
  std::memcpy(&p, payload.data(), std::min(payload.size(), sizeof p));
  out.cgroup = p.cgroup;
  out.comm.assign(p.comm, strnlen(p.comm, sizeof p.comm));
  if (payload.size() < sizeof p) return out;
  const size_t path_length = std::min<size_t>(p.path_length, sizeof p.path);
  // A path that fills its field was cut, and half a path names another file.
  if (path_length < sizeof p.path) out.path.assign(p.path, strnlen(p.path, path_length));
  out.arguments.assign(p.arguments, std::min<size_t>(p.arguments_length, sizeof p.arguments));
  return out;
}

void ProcessStarts::put(uint32_t tgid, ProcessStart start) {
  if (const auto old = starts_.find(tgid); old != starts_.end()) {
    order_.erase(old->second);
    starts_.erase(old);
  } else if (starts_.size() >= max_ && !order_.empty()) {
    starts_.erase(order_.front().first);
    order_.pop_front();
  }
  order_.emplace_back(tgid, std::move(start));
  starts_.emplace(tgid, std::prev(order_.end()));
}

const ProcessStart* ProcessStarts::find(uint32_t tgid) const {
  const auto place = starts_.find(tgid);
  return place == starts_.end() ? nullptr : &place->second->second;
}

CgroupPaths::CgroupPaths(std::string_view mountinfo) {
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    if (line.find(" - cgroup2 ") == std::string_view::npos) continue;
    mount_point_ = word(line, 4);
    mount_fd_ = open(mount_point_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mount_fd_ >= 0) return;
  }
}

CgroupPaths::~CgroupPaths() {
  if (mount_fd_ >= 0) close(mount_fd_);
}

std::string CgroupPaths::path(uint64_t id) const {
  if (mount_fd_ < 0 || id == 0) return {};
  union {
    file_handle handle;
    char space[sizeof(file_handle) + sizeof id];
  } request{};
  request.handle.handle_bytes = sizeof id;
  request.handle.handle_type = kKernfsHandle;
  std::memcpy(request.space + sizeof(file_handle), &id, sizeof id);
  const int fd = open_by_handle_at(mount_fd_, &request.handle, O_PATH | O_CLOEXEC);
  if (fd < 0) return {};
  std::string path = names::read_link("/proc/self/fd/" + std::to_string(fd));
  close(fd);
  if (path.starts_with(mount_point_) && mount_point_ != "/") path.erase(0, mount_point_.size());
  return path.empty() ? "/" : path;
}

}  // namespace sonde::probe
