// SPDX-License-Identifier: Apache-2.0
// How a process is named and which language it runs, as functions of texts from /proc. Apart from
// the package.json and the ELF notes they look for, they touch no file.
#ifndef SONDE_PROBE_PROCESS_NAMES_H
#define SONDE_PROBE_PROCESS_NAMES_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probe/process_text.h"

namespace sonde::probe::names {

// The unit is set only for services: slices, scopes and user sessions name no service.
void cgroup_facts(std::string_view cgroup, std::string& unit, std::string& container);
std::string language_of(std::string_view executable, std::string_view path, std::string_view maps,
                        const std::string& proc_root, uint32_t tgid);
std::string instrumented_by(std::string_view command_line, std::string_view preload,
                            std::string_view java_options, std::string_view node_options,
                            std::string_view python_path, std::string_view maps);
// From the script, jar, module or package that the command line runs; empty when it tells nothing.
// `root` is the root that the process sees, /proc/PID/root.
std::string from_command(std::string_view language, const std::vector<std::string>& arguments,
                         const std::string& cwd, const std::string& root);

}  // namespace sonde::probe::names

#endif
