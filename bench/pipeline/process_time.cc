// SPDX-License-Identifier: Apache-2.0
#include "process_time.h"

#include <dirent.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace sonde::bench {
namespace {

std::string read_file(const std::string& path) {
  FILE* const file = fopen(path.c_str(), "rb");
  if (file == nullptr) return {};
  char text[1024];
  const size_t size = fread(text, 1, sizeof(text), file);
  fclose(file);
  return {text, size};
}

}  // namespace

ProcessTime process_time(int pid) {
  ProcessTime time;
  if (pid <= 0) return time;
  const std::string process = "/proc/" + std::to_string(pid);
  DIR* const tasks = opendir((process + "/task").c_str());
  if (tasks == nullptr) return time;
  while (const dirent* const entry = readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    const std::string schedule = read_file(process + "/task/" + entry->d_name + "/schedstat");
    time.run_ns += strtoll(schedule.c_str(), nullptr, 10);
  }
  closedir(tasks);
  // The name in the second field may hold spaces; what follows it may not.
  const std::string stat = read_file(process + "/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return time;
  const char* at = stat.c_str() + name_end + 1;
  for (int field = 3; field < 14 && at != nullptr; ++field) at = strchr(at + 1, ' ');
  if (at == nullptr) return time;
  char* next = nullptr;
  time.user_ticks = strtoll(at, &next, 10);
  time.system_ticks = strtoll(next, nullptr, 10);
  return time;
}

double user_share(const ProcessTime& before, const ProcessTime& after) {
  const auto user = static_cast<double>(after.user_ticks - before.user_ticks);
  const auto system = static_cast<double>(after.system_ticks - before.system_ticks);
  return user + system > 0 ? user / (user + system) : 0;
}

}  // namespace sonde::bench
