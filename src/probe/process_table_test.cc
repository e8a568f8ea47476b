// SPDX-License-Identifier: Apache-2.0
// Names, languages and containers from a tree of files that looks like /proc.
#include "probe/process_table.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "probe/bpf/event_abi.h"
#include "probe/process_names.h"

namespace sonde::probe {
namespace {

namespace fs = std::filesystem;

class Processes : public testing::Test {
 protected:
  Processes() {
    char path[] = "/tmp/sonde_proc_XXXXXX";
    root = mkdtemp(path);
  }
  ~Processes() override { fs::remove_all(root); }

  void write(const std::string& path, std::string_view text) {
    fs::create_directories(fs::path(root + "/" + path).parent_path());
    std::ofstream(root + "/" + path) << text;
  }
  void add(uint32_t pid, const std::string& exe, std::vector<std::string> arguments,
           std::vector<std::string> environment = {}, std::string_view cgroup = "0::/\n",
           uint32_t parent = 1) {
    const std::string folder = std::to_string(pid);
    const auto joined = [](const std::vector<std::string>& list) {
      std::string out;
      for (const std::string& s : list) out += s + '\0';
      return out;
    };
    write(folder + "/cmdline", joined(arguments));
    write(folder + "/environ", joined(environment));
    write(folder + "/cgroup", cgroup);
    write(folder + "/maps", "");
    write(folder + "/stat", folder + " (x) y) S " + std::to_string(parent) + " 1 1");
    fs::remove(root + "/" + folder + "/exe");
    fs::create_symlink(exe, root + "/" + folder + "/exe");
    fs::create_symlink(root + "/cwd/shop", root + "/" + folder + "/cwd");
    fs::create_symlink("/", root + "/" + folder + "/root");
  }
  std::string name(const std::string& exe, std::vector<std::string> arguments) {
    add(++last, exe, std::move(arguments));
    return table().read(last).service;
  }
  ProcessTable table() { return ProcessTable({.proc_root = root, .host = "h"}); }

  std::string root;
  uint32_t last = 1000;
};

TEST_F(Processes, NamesThemByWhatTheyRun) {
  const std::string python = "/usr/bin/python3.11";
  EXPECT_EQ(name(python, {"python3", "-u", "/srv/orders.py", "80"}), "orders");
  EXPECT_EQ(name(python, {"python3", "-m", "flask", "--app", "shop.py", "run"}), "shop");
  EXPECT_EQ(name(python, {"python3", "-m", "http.server", "80"}), "http.server");
  EXPECT_EQ(name(python, {"/usr/bin/python3", "/usr/bin/gunicorn", "-w", "2", "-b",
                          "127.0.0.1:8000", "--chdir", "/x", "counted_flask:application"}),
            "counted_flask");
  EXPECT_EQ(name(python, {"python3", "/srv/blog/manage.py", "runserver"}), "blog");
  EXPECT_EQ(name(python, {"python3", "-c", "import x"}), "python3.11");
  EXPECT_EQ(name("/usr/bin/java", {"java", "-Xmx1g", "-jar", "/a/payments-1.2.jar"}), "payments");
  EXPECT_EQ(name("/usr/bin/java", {"java", "-cp", "x", "org.shop.Main"}), "Main");
  EXPECT_EQ(name("/usr/bin/java", {"java", "-Da=b", "/x/CountedJava.java", "80"}), "CountedJava");
  EXPECT_EQ(name("/usr/bin/php8.2", {"php", "-S", "a:80", "/x/pricing.php"}), "pricing");
  EXPECT_EQ(name("/usr/bin/php8.2", {"php", "-S", "a:80", "-t", "/srv/blog/public"}), "blog");
  EXPECT_EQ(name("/usr/bin/ruby3.1", {"ruby", "/x/reviews.rb"}), "reviews");
  EXPECT_EQ(name("/usr/bin/ruby3.1", {"puma 5.6.5 (tcp://0.0.0.0:80) [shop]"}), "shop");
  EXPECT_EQ(name("/usr/bin/ruby3.1", {"unicorn worker[0] -l 127.0.0.1:80 shop.ru", "", ""}),
            "unicorn");
  EXPECT_EQ(name("/usr/bin/perl", {"perl", "/x/counted_perl.pl", "80"}), "counted_perl");
  EXPECT_EQ(name("/usr/bin/perl", {"starman worker --workers 2 shop.psgi"}), "starman");
  EXPECT_EQ(name("/usr/bin/perl", {"/usr/bin/twiggy"}), "twiggy");
  EXPECT_EQ(name("/usr/lib/erlang/bin/beam.smp",
                 {"beam.smp", "--", "-eval", "counted_erlang:main([\"80\"])."}),
            "counted_erlang");
  EXPECT_EQ(name("/usr/sbin/nginx", {"nginx: master process"}), "nginx");
  EXPECT_EQ(name("/usr/sbin/nginx", {"nginx: master process nginx -c /etc/shop.conf -e /tmp/e"}),
            "shop");
  EXPECT_EQ(name("/usr/sbin/nginx", {"nginx: master process nginx -c /x/nginx.conf"}), "nginx");
  EXPECT_EQ(name("/srv/bin/inventory (deleted)", {"./inventory"}), "inventory");
}

TEST_F(Processes, ReadsTheNearestPackage) {
  write("cwd/shop/package.json", R"({"author": {"name": "me"}, "name": "catalog"})");
  write("cwd/shop/src/x", "");
  EXPECT_EQ(name("/usr/bin/node", {"node", "src/server.js"}), "catalog");
  EXPECT_EQ(name("/usr/bin/node", {"node", "/nowhere/counted_node.js"}), "counted_node");
}

TEST_F(Processes, PutsTheEnvironmentFirst) {
  add(5, "/usr/bin/node", {"node", "x.js"},
      {"A=b", "OTEL_SERVICE_NAME=cart",
       "OTEL_RESOURCE_ATTRIBUTES=service.namespace=eu%20west,team=a,service.name=no"},
      "0::/system.slice/web.service\n");
  const Process p = table().read(5);
  EXPECT_EQ(p.service, "cart");
  EXPECT_EQ(p.service_namespace, "eu west");
  EXPECT_EQ(p.unit, "web.service");
  EXPECT_EQ(p.language, "nodejs");
  EXPECT_EQ(p.instance, "h:5");
  ASSERT_EQ(p.attributes.size(), 1U);
  EXPECT_EQ(p.attributes[0].first, "team");
}

TEST_F(Processes, CutsWhatTheEnvironmentSays) {
  const std::string much(120'000, 'x');
  std::string encoded;
  for (int i = 0; i < 300; ++i) encoded += "%c3%a9";
  add(5, "/usr/bin/node", {"node", "x.js"},
      {"OTEL_SERVICE_NAME=" + std::string(127, 'n') + "\u00e9" + much,
       "OTEL_RESOURCE_ATTRIBUTES=service.instance.id=i" + encoded + ",service.namespace=" +
           encoded + "," + std::string(300, 'k') + "=v,team=" + much.substr(0, 90'000)});
  const Process p = table().read(5);
  EXPECT_EQ(p.service, std::string(127, 'n'));
  std::string accents;
  for (int i = 0; i < 128; ++i) accents += "\u00e9";
  EXPECT_EQ(p.service_namespace, accents);
  EXPECT_EQ(p.instance, "i" + accents.substr(0, 254));
  ASSERT_EQ(p.attributes.size(), 2U);
  EXPECT_EQ(p.attributes[0].first, std::string(256, 'k'));
  EXPECT_EQ(p.attributes[1].second, std::string(256, 'x'));
}

TEST_F(Processes, MakesTextsOfAnyBytes) {
  add(5, "/usr/bin/caf\xe9", {"x", "\xff"},
      {"OTEL_SERVICE_NAME=" + std::string(126, 'a') + "\xf0\x9f\x98\x80",
       "OTEL_RESOURCE_ATTRIBUTES=service.namespace=%ff,service.instance.id=\xfe,t=%c3"});
  const Process p = table().read(5);
  EXPECT_EQ(p.executable, "caf\uFFFD");
  EXPECT_EQ(p.command_line, "x \uFFFD");
  EXPECT_EQ(p.service, std::string(126, 'a'));
  EXPECT_EQ(p.service_namespace, "\uFFFD");
  EXPECT_EQ(p.instance, "\uFFFD");
  ASSERT_EQ(p.attributes.size(), 1U);
  EXPECT_EQ(p.attributes[0].second, "\uFFFD");
}

TEST_F(Processes, UsesUnitsOfServicesOnly) {
  add(5, "/usr/bin/x", {"x"}, {}, "0::/system.slice/web.service\n");
  EXPECT_EQ(table().read(5).service, "web");
  add(6, "/usr/bin/x", {"x"}, {}, "0::/user.slice/user-0.slice/user@0.service/app.slice/a.scope\n");
  EXPECT_EQ(table().read(6).service, "x");
  const std::string id(64, 'a');
  add(7, "/usr/bin/x", {"x"}, {}, "0::/system.slice/docker-" + id + ".scope\n");
  EXPECT_EQ(table().read(7).container, id);
  EXPECT_EQ(table().read(7).unit, "");
}

TEST_F(Processes, SeesWhoInstrumentsThem) {
  add(5, "/usr/bin/java", {"java", "-javaagent:/o/opentelemetry-javaagent.jar", "-jar", "a.jar"});
  EXPECT_EQ(table().read(5).instrumented_by, "opentelemetry");
  add(6, "/usr/bin/node", {"node", "a.js"}, {"NODE_OPTIONS=--require dd-trace/init"});
  EXPECT_EQ(table().read(6).instrumented_by, "datadog");
  add(7, "/usr/bin/node", {"node", "a.js"});
  EXPECT_EQ(table().read(7).instrumented_by, "");
}

TEST_F(Processes, CountsForkedWorkersAsOneInstance) {
  add(5, "/usr/bin/python3", {"python3", "a.py"});
  add(6, "/usr/bin/python3", {"python3", "a.py"}, {}, "0::/\n", 5);
  add(7, "/usr/bin/python3", {"python3", "b.py"}, {}, "0::/\n", 5);
  EXPECT_EQ(table().read(6).instance, "h:5");
  EXPECT_EQ(table().read(7).instance, "h:7");
}

TEST_F(Processes, KeepsFactsAfterExitAndForgetsThemAtExec) {
  add(5, "/usr/bin/ruby", {"ruby", "a.rb"});
  ProcessTable processes = table();
  const auto before = processes.get(5);
  EXPECT_EQ(before->service, "a");
  fs::remove_all(root + "/5");
  processes.exit(5);
  EXPECT_EQ(processes.get(5), before);
  processes.fork(8, 5);
  EXPECT_EQ(processes.get(8)->service, "a");
  EXPECT_EQ(processes.get(8)->instance, "h:5");
  processes.exec(5);
  EXPECT_EQ(processes.get(5)->service, "unknown");
}

// Its parent may run another program by the time that the child is looked at, or be another
// process.
TEST_F(Processes, TakesTheFactsOfItsParentOnlyForTheSameProgram) {
  add(5, "/usr/sbin/nginx", {"nginx"});
  add(6, "/usr/bin/ruby", {"ruby", "a.rb"}, {}, "0::/\n", 5);
  add(7, "/usr/sbin/nginx (deleted)", {"nginx: worker process"}, {}, "0::/\n", 5);
  ProcessTable processes = table();
  for (const uint32_t child : {6U, 7U, 8U}) processes.fork(child, 5);
  EXPECT_EQ(processes.get(6)->service, "a");
  EXPECT_EQ(processes.get(6)->executable, "ruby");
  EXPECT_EQ(processes.get(6)->instance, "h:6");
  EXPECT_EQ(processes.get(7)->instance, "h:5");
  EXPECT_EQ(processes.get(8)->service, "nginx") << "gone, so nothing contradicts";
}

TEST_F(Processes, AsksTheFilterAnewOfAFork) {
  add(5, "/usr/sbin/nginx", {"nginx"});
  ProcessTable processes = table();
  processes.get(5)->filtered = true;
  processes.fork(6, 5);
  EXPECT_FALSE(processes.get(6)->filtered);
}

TEST_F(Processes, NamesWhatIsGoneByItsStart) {
  ProcessTable processes = table();
  processes.exec(5, {.comm = "curl", .path = "/usr/bin/curl", .arguments = {}, .cgroup = 0});
  const auto curl = processes.get(5);
  EXPECT_TRUE(curl->known);
  EXPECT_EQ(curl->service, "curl");
  EXPECT_EQ(curl->executable_path, "/usr/bin/curl");
  EXPECT_EQ(curl->instance, "h:curl");
  EXPECT_EQ(curl->leader, 0U);

  processes.exec(6, {.comm = "report",
                     .path = "/usr/bin/python3.11",
                     .arguments = std::string("python3\0/srv/report.py\0", 23),
                     .cgroup = 0});
  EXPECT_EQ(processes.get(6)->service, "report");
  EXPECT_EQ(processes.get(6)->language, "python");
  // A descriptor is no name.
  processes.exec(7, {.comm = "hidden", .path = "/dev/fd/3", .arguments = {}, .cgroup = 0});
  EXPECT_EQ(processes.get(7)->service, "hidden");
  // Forks that are gone are what their parent was.
  processes.fork(8, 6, {.comm = "report", .path = {}, .arguments = {}, .cgroup = 0});
  EXPECT_EQ(processes.get(8)->service, "report");
  // One whose parent nobody knows has at least the name that the kernel gave it.
  processes.fork(10, 9, {.comm = "cron", .path = {}, .arguments = {}, .cgroup = 0});
  EXPECT_EQ(processes.get(10)->service, "cron");
}

TEST_F(Processes, PrefersProcToTheStart) {
  add(5, "/usr/bin/ruby", {"ruby", "a.rb"});
  ProcessTable processes = table();
  processes.exec(5, {.comm = "other", .path = "/x/other", .arguments = {}, .cgroup = 0});
  EXPECT_EQ(processes.get(5)->service, "a");
  EXPECT_EQ(processes.get(5)->instance, "h:5");
}

TEST(ProcessStart, DecodesRecordsOfAnyLength) {
  sonde_process p{};
  p.cgroup = 77;
  memcpy(p.comm, "sixteen_bytes_xx", 16);
  memcpy(p.path, "/bin/x", 7);
  p.path_length = 7;
  memcpy(p.arguments, "x\0-v", 5);
  p.arguments_length = 5;
  const std::string_view all(reinterpret_cast<const char*>(&p), sizeof p);
  const ProcessStart start = process_start_of(all);
  EXPECT_EQ(start.cgroup, 77U);
  EXPECT_EQ(start.comm, "sixteen_bytes_xx");
  EXPECT_EQ(start.path, "/bin/x");
  EXPECT_EQ(start.arguments, std::string_view("x\0-v", 5));
  EXPECT_EQ(process_start_of(all.substr(0, SONDE_PROCESS_HEAD)).comm, "sixteen_bytes_xx");
  EXPECT_EQ(process_start_of(all.substr(0, SONDE_PROCESS_HEAD)).path, "");
  EXPECT_EQ(process_start_of(all.substr(0, 5)).comm, "");
  p.path_length = sizeof p.path;
  EXPECT_EQ(process_start_of(all).path, "");
  p.arguments_length = 0xffff;
  EXPECT_EQ(process_start_of(all).arguments.size(), sizeof p.arguments);
}

TEST(ProcessStarts, ForgetsTheOldestAtTheBound) {
  ProcessStarts starts(3);
  for (uint32_t i = 0; i < 5; ++i) starts.put(i, {.comm = "a", .path = {}, .arguments = {}});
  starts.put(4, {.comm = "b", .path = {}, .arguments = {}});
  EXPECT_EQ(starts.size(), 3U);
  EXPECT_EQ(starts.find(1), nullptr);
  ASSERT_NE(starts.find(4), nullptr);
  EXPECT_EQ(starts.find(4)->comm, "b");
}

TEST_F(Processes, TakesTheNamesOfContainersWhenTheyCome) {
  const std::string id(64, 'a');
  const std::string cgroup = "0::/system.slice/docker-" + id + ".scope\n";
  add(5, "/usr/bin/x", {"x"}, {}, cgroup);
  add(6, "/usr/bin/x", {"x"}, {"OTEL_SERVICE_NAME=mine"}, cgroup);
  add(7, "/usr/bin/x", {"x"}, {}, cgroup);
  ProcessTable processes = table();
  const auto early = processes.get(5);
  early->filtered = true;
  EXPECT_EQ(early->service, "x");
  EXPECT_EQ(processes.get(6)->service, "mine");
  EXPECT_EQ(processes.take_unnamed_containers(), std::vector<std::string>{id});
  EXPECT_TRUE(processes.take_unnamed_containers().empty());

  processes.name_container(id, "shop-web-1", "web");
  EXPECT_EQ(early->service, "web");
  EXPECT_EQ(early->container_name, "shop-web-1");
  EXPECT_FALSE(early->filtered);
  EXPECT_EQ(processes.get(6)->service, "mine");
  EXPECT_EQ(processes.get(6)->container_name, "shop-web-1");
  EXPECT_EQ(processes.get(7)->service, "web");
  EXPECT_TRUE(processes.take_unnamed_containers().empty());
}

TEST_F(Processes, CountsTheContainersThatItsListHasNoRoomFor) {
  ProcessTable processes({.proc_root = root, .host = "h", .max_unnamed_containers = 3});
  for (uint32_t pid = 10; pid < 15; ++pid) {
    add(pid, "/usr/bin/x", {"x"}, {},
        "0::/docker-" + std::string(62, 'a') + std::to_string(pid) + ".scope\n");
    processes.get(pid);
  }
  EXPECT_EQ(processes.take_unnamed_containers().size(), 3U);
  EXPECT_EQ(processes.containers_refused(), 2U);
}

TEST_F(Processes, BoundsTheTable) {
  ProcessTable processes({.proc_root = root, .host = "h", .max_processes = 8, .max_exited = 2});
  for (uint32_t pid = 1; pid < 100; ++pid) processes.get(pid);
  EXPECT_LE(processes.size(), 8U);
  for (uint32_t pid = 1; pid < 100; ++pid) processes.exit(pid);
  EXPECT_LE(processes.size(), 2U);
}

TEST(ProcessLanguage, ReadsThisTestAsCpp) {
  EXPECT_EQ(ProcessTable().read(static_cast<uint32_t>(getpid())).language, "cpp");
}

}  // namespace
}  // namespace sonde::probe
