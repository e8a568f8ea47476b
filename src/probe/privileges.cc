// SPDX-License-Identifier: Apache-2.0
#include "probe/privileges.h"

#include <dirent.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <set>
#include <vector>

namespace sonde::probe {
namespace {

std::atomic<int> followed;
std::atomic<int> refused;

// Only system calls: it runs in a signal handler.
bool drop_in_this_thread() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  constexpr __u32 kKeep = 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_READ_SEARCH;
  for (int i = 0; i < 2; i++) {
    const __u32 keep = i == 0 ? kKeep : 0;
    data[i].permitted &= keep;
    data[i].effective &= keep;
    data[i].inheritable = 0;
  }
  const bool locked = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  // What is no longer permitted also leaves the ambient set.
  return syscall(SYS_capset, &header, data) == 0 && locked;
}

void on_signal(int) {
  const int saved = errno;
  if (!drop_in_this_thread()) refused.fetch_add(1);
  followed.fetch_add(1);
  errno = saved;
}

std::vector<pid_t> threads() {
  std::vector<pid_t> out;
  DIR* folder = opendir("/proc/self/task");
  if (folder == nullptr) return out;
  while (const dirent* entry = readdir(folder)) {
    pid_t tid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, tid).ptr == end) out.push_back(tid);
  }
  closedir(folder);
  return out;
}

}  // namespace

bool drop_privileges() {
  if (!drop_in_this_thread()) return false;
  followed = 0;
  refused = 0;
  const int number = SIGRTMAX - 1;
  struct sigaction before{};
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  if (sigaction(number, &action, &before) != 0) return false;
  std::set<pid_t> told{static_cast<pid_t>(syscall(SYS_gettid))};
  int sent = 0;
  // A thread that was made meanwhile has what its maker had, hence once more until there is no new
  // one.
  for (bool more = true; more;) {
    more = false;
    for (const pid_t tid : threads()) {
      if (!told.insert(tid).second) continue;
      more = true;
      if (syscall(SYS_tgkill, getpid(), tid, number) == 0) sent++;
    }
    constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 1'000'000};
    for (int i = 0; i < 1000 && followed < sent; i++) nanosleep(&kPause, nullptr);
    if (followed < sent) return false;  // The handler stays, for a thread that follows late.
  }
  sigaction(number, &before, nullptr);
  return refused == 0;
}

}  // namespace sonde::probe
