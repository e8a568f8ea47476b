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
// A regular file in the file system that another process sees: `root` is /proc/PID/root, `path` is
// as that process would name it. What it made of its files is not trusted: no link leads out of its
// root or through /proc, and nothing but a regular file that says it has bytes is ever opened.
std::string read_file_below(const std::string& root, const std::string& path, size_t limit);
std::string read_link(const std::string& path);
std::string base_name(std::string_view path);
// At most 256 of them.
std::vector<std::string> split_arguments(std::string_view zero_separated);
std::string percent_decoded(std::string_view text);

}  // namespace sonde::probe::names

#endif
