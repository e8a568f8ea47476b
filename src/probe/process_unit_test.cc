// SPDX-License-Identifier: Apache-2.0
// Which processes a unit names, from trees of files that look like /proc and /sys/fs/cgroup.
#include "probe/process_unit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "probe/process_table.h"

namespace sonde::probe {
namespace {

namespace fs = std::filesystem;

class ProcessUnit : public testing::Test {
 protected:
  ProcessUnit() {
    char path[] = "/tmp/sonde_unit_XXXXXX";
    root_ = mkdtemp(path);
  }
  ~ProcessUnit() override { fs::remove_all(root_); }

  void write(const std::string& path, std::string_view text) {
    fs::create_directories(fs::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path, std::ios::app) << text;
  }
  // Into /system.slice/web.service unless told otherwise.
  void add(uint32_t pid, const std::string& exe, uint64_t session, uint64_t started,
           std::string_view cgroup = "/system.slice/web.service") {
    const std::string folder = "proc/" + std::to_string(pid);
    write(folder + "/stat",
          fmt::format("{} (a) b) S 1 {} {} 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 {} 9", pid,
                      session, session, started));
    write(folder + "/cgroup", fmt::format("4:memory:/other\n0::{}\n", cgroup));
    write(folder + "/cmdline", std::string("./orders\0", 9));
    fs::create_symlink(exe, root_ + "/" + folder + "/exe");
    write(fmt::format("cgroup{}{}/cgroup.procs", layout_, cgroup), std::to_string(pid) + "\n");
  }
  std::string service(uint32_t pid) {
    ProcessTable table(
        {.proc_root = root_ + "/proc", .cgroup_root = root_ + "/cgroup", .host = "h"});
    const Process p = table.read(pid);
    EXPECT_EQ(p.unit, "web.service");
    return p.service;
  }

  std::string root_;
  std::string layout_;
};

TEST_F(ProcessUnit, NamesItsMainProcess) {
  add(50, "/usr/bin/orders", 50, 700);
  EXPECT_EQ(service(50), "web");
}

TEST_F(ProcessUnit, NamesTheWorkersOfItsMainProcess) {
  add(60, "/usr/sbin/nginx", 50, 701);
  add(50, "/usr/sbin/nginx", 50, 700);
  EXPECT_EQ(service(60), "web");
}

TEST_F(ProcessUnit, NamesWhatItsScriptRuns) {
  add(50, "/bin/dash", 50, 700);
  add(60, "/usr/bin/node", 50, 701);
  EXPECT_EQ(service(60), "web");
}

TEST_F(ProcessUnit, DoesNotNameWhatAnotherProgramStarted) {
  // cron, a build agent: their unit is not that of the jobs.
  add(50, "/usr/sbin/cron", 50, 700);
  add(55, "/bin/dash", 50, 701);
  add(60, "/srv/orders", 50, 702);
  EXPECT_EQ(service(60), "orders");
}

TEST_F(ProcessUnit, DoesNotNameWhatBeganASessionOfItsOwn) {
  add(50, "/usr/bin/python3.11", 50, 700);
  add(60, "/usr/bin/python3.11", 60, 701);
  EXPECT_EQ(service(60), "python3.11");
}

TEST_F(ProcessUnit, IsFoundWhereVersionTwoLiesBesideVersionOne) {
  layout_ = "/unified";
  add(50, "/usr/sbin/cron", 50, 700);
  add(60, "/srv/orders", 50, 702);
  EXPECT_EQ(service(60), "orders");
}

TEST_F(ProcessUnit, NamesTheProcessWhereItsMembersCannotBeListed) {
  add(60, "/srv/orders", 60, 702);
  fs::remove_all(root_ + "/cgroup");
  EXPECT_EQ(service(60), "web");
}

TEST_F(ProcessUnit, KeepsToTheUnitAboveItsOwnGroups) {
  add(50, "/usr/sbin/supervisor", 50, 700);
  add(60, "/srv/orders", 50, 702, "/system.slice/web.service/jobs");
  EXPECT_EQ(service(60), "orders");
}

TEST_F(ProcessUnit, LooksAtABoundedNumberOfMembers) {
  for (uint32_t pid = 100; pid < 300; ++pid) add(pid, "/srv/orders", 100, 1000 + pid);
  add(50, "/usr/sbin/cron", 50, 1);  // Joined so late that it is not looked at.
  EXPECT_EQ(service(299), "web");
}

}  // namespace
}  // namespace sonde::probe
