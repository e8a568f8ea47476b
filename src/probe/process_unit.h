// SPDX-License-Identifier: Apache-2.0
// Whether a systemd unit is the service that a process is. A web server's unit is; the unit of
// cron, of a build agent or of a terminal multiplexer is not that of what people start below it.
#ifndef SONDE_PROBE_PROCESS_UNIT_H
#define SONDE_PROBE_PROCESS_UNIT_H

#include <cstdint>
#include <string>
#include <string_view>

namespace sonde::probe {

struct UnitPlaces {
  const std::string& proc_root;    // "/proc"
  const std::string& cgroup_root;  // "/sys/fs/cgroup"; both its v2 and its hybrid layout are known.
};

// `cgroup` is the text of /proc/<tgid>/cgroup and `unit` a part of one of its paths. True when the
// oldest process of the unit is this one, or runs the same program or a shell in the same session,
// and when the unit's processes cannot be listed.
bool unit_names_process(const UnitPlaces& places, uint32_t tgid, std::string_view cgroup,
                        std::string_view unit);

}  // namespace sonde::probe

#endif
