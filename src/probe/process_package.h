// SPDX-License-Identifier: Apache-2.0
// The name that a package.json gives to what Node runs.
#ifndef SONDE_PROBE_PROCESS_PACKAGE_H
#define SONDE_PROBE_PROCESS_PACKAGE_H

#include <string>
#include <string_view>

namespace sonde::probe::names {

// The "name" of the outermost object; empty where it has none, or the text is no JSON up to there.
// Takes one walk over the text. Escapes in the name stay as they are.
std::string_view name_in_package(std::string_view json);
// Of the nearest package.json at `folder` or one of the four folders above it, below `root`, which
// is /proc/PID/root. Reads at most 64 KiB of each.
std::string package_name(std::string folder, const std::string& root);

}  // namespace sonde::probe::names

#endif
