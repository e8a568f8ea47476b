// SPDX-License-Identifier: Apache-2.0
// Bounded reading of /proc, and the small texts that names are made of. What cannot be read is
// empty: a process may end between two of its files.
#ifndef SONDE_PROBE_PROCESS_TEXT_H
#define SONDE_PROBE_PROCESS_TEXT_H

#include <string>
#include <string_view>
#include <vector>

namespace sonde::probe::names {

std::string read_file(const std::string& path, size_t limit);
std::string read_link(const std::string& path);
std::string base_name(std::string_view path);
// At most 256 of them.
std::vector<std::string> split_arguments(std::string_view zero_separated);
std::string percent_decoded(std::string_view text);

}  // namespace sonde::probe::names

#endif
