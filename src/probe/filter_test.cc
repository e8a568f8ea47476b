// SPDX-License-Identifier: Apache-2.0
// Selectors, and what becomes of them while a container has no name yet.
#include "probe/filter.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "probe/process_table.h"
#include "probe/tracker.h"

namespace sonde::probe {
namespace {

Filter filter_of(const std::vector<std::string>& include, const std::vector<std::string>& exclude) {
  Filter out;
  EXPECT_EQ(Filter::parse(include, exclude, out), "");
  return out;
}

// In a container that nobody has named yet.
Process contained(const std::string& service) {
  Process out;
  out.container = std::string(64, 'a');
  out.executable = "node";
  out.service = service;
  return out;
}

TEST(ContainerFilter, WaitsForTheNameOfTheContainer) {
  const Filter filter = filter_of({"container=web*"}, {});
  Process process = contained("server");
  EXPECT_EQ(filter.verdict(process), Verdict::Watched);
  EXPECT_FALSE(filter.watched(process, 80));
  process.container_name = "web-1";
  EXPECT_TRUE(filter.watched(process, 80));
  process.container_name = "other";
  EXPECT_EQ(filter.verdict(process), Verdict::Excluded);
  process.container.clear();
  process.container_name.clear();
  EXPECT_EQ(filter.verdict(process), Verdict::Excluded);
}

TEST(ContainerFilter, WaitsForTheServiceThatTheContainerNames) {
  for (const char* selector : {"shop", "name=shop"}) {
    const Filter filter = filter_of({selector}, {});
    Process process = contained("server");
    EXPECT_EQ(filter.verdict(process), Verdict::Watched) << selector;
    EXPECT_FALSE(filter.watched(process, 80)) << selector;
    process.named_by_owner = true;
    EXPECT_EQ(filter.verdict(process), Verdict::Excluded) << selector;
    process.named_by_owner = false;
    process.container_name = process.service = "other";
    EXPECT_EQ(filter.verdict(process), Verdict::Excluded) << selector;
    process.service = "shop";
    EXPECT_EQ(filter.verdict(process), Verdict::Watched) << selector;
    EXPECT_TRUE(filter.watched(process, 80)) << selector;
  }
  EXPECT_EQ(filter_of({"executable=ruby"}, {}).verdict(contained("server")), Verdict::Excluded);
}

TEST(ContainerFilter, ExcludesForGoodOnlyWhatNoNameChanges) {
  for (const char* selector : {"server", "name=server"}) {
    const Filter filter = filter_of({}, {selector});
    Process process = contained("server");
    EXPECT_EQ(filter.verdict(process), Verdict::ExcludedForNow) << selector;
    process.container_name = "server";
    EXPECT_EQ(filter.verdict(process), Verdict::Excluded) << selector;
    process.service = "shop";
    EXPECT_EQ(filter.verdict(process), Verdict::Watched) << selector;
  }
  for (const char* selector : {"node", "executable=node", "container=aaa*"}) {
    EXPECT_EQ(filter_of({}, {selector}).verdict(contained("server")), Verdict::Excluded)
        << selector;
  }
  EXPECT_EQ(filter_of({}, {"server", "node"}).verdict(contained("server")), Verdict::Excluded);
}

struct Told final : RequestSink {
  void request(const FinishedRequest& r) override { services.push_back(r.process->service); }
  void excluded(uint32_t tgid) override { tgids.push_back(tgid); }
  std::vector<std::string> services;
  std::vector<uint32_t> tgids;
};

class ContainedRequests : public testing::Test {
 protected:
  ContainedRequests() {
    char path[] = "/tmp/sonde_filter_XXXXXX";
    root = mkdtemp(path);
    std::filesystem::create_directories(root + "/5");
    std::filesystem::create_symlink("/usr/bin/node", root + "/5/exe");
    std::ofstream(root + "/5/cmdline") << std::string("node\0/x/server2.js\0", 19);
    std::ofstream(root + "/5/cgroup") << "0::/system.slice/docker-" + kId + ".scope\n";
  }
  ~ContainedRequests() override { std::filesystem::remove_all(root); }
  void make(const std::vector<std::string>& include, const std::vector<std::string>& exclude) {
    processes = std::make_unique<ProcessTable>(
        ProcessTableConfig{.proc_root = root, .cgroup_root = root, .host = "h"});
    TrackerConfig config;
    config.seed = 7;
    config.filter = filter_of(include, exclude);
    tracker = std::make_unique<Tracker>(std::move(config), *processes, told);
  }
  void exchange() {
    ++cookie;
    event(SONDE_RECEIVE, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    event(SONDE_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    tracker->flush();
  }
  void event(uint8_t type, std::string_view bytes) {
    sonde_event e{};
    e.cookie = cookie;
    e.time_ns = ++now;
    e.tgid = e.tid = 5;
    e.type = type;
    e.length = static_cast<uint32_t>(bytes.size());
    e.captured = static_cast<uint16_t>(bytes.size());
    e.family = SONDE_FAMILY_INET;
    e.protocol = protocol_number("http1");
    tracker->event(e, bytes);
  }

  const std::string kId = std::string(64, 'a');
  std::string root;
  Told told;
  std::unique_ptr<ProcessTable> processes;
  std::unique_ptr<Tracker> tracker;
  uint64_t cookie = 0;
  uint64_t now = 1'000'000;
};

TEST_F(ContainedRequests, AreWatchedOnceTheNameThatIncludesThemIsKnown) {
  make({"shop"}, {});
  exchange();
  EXPECT_TRUE(told.services.empty());
  EXPECT_TRUE(told.tgids.empty());
  processes->name_container(kId, "demo-shop-1", "shop");
  exchange();
  EXPECT_EQ(told.services, std::vector<std::string>{"shop"});
}

TEST_F(ContainedRequests, AreLeftOutByTheKernelOnceTheNameThatExcludesThemIsKnown) {
  make({}, {"name=server2"});
  exchange();
  EXPECT_TRUE(told.services.empty());
  EXPECT_TRUE(told.tgids.empty());
  processes->name_container(kId, "demo-shop-1", "shop");
  exchange();
  EXPECT_EQ(told.services, std::vector<std::string>{"shop"});

  make({"shop"}, {});
  exchange();
  processes->name_container(kId, "demo-cart-1", "cart");
  exchange();
  EXPECT_EQ(told.services.size(), 1U);
  EXPECT_EQ(told.tgids, std::vector<uint32_t>{5});
}

}  // namespace
}  // namespace sonde::probe
