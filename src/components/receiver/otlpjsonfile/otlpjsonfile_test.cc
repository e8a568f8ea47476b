// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/counters.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_receiver_otlpjsonfile();

namespace sonde {
namespace {

using pipeline::TestComponent;
namespace fs = std::filesystem;

class OtlpJsonFile : public testing::Test {
 protected:
  OtlpJsonFile() {
    std::string name = (fs::temp_directory_path() / "sonde_json_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~OtlpJsonFile() override {
    if (receiver_ && receiver_->component) receiver_->component->stop();
    fs::remove_all(folder_);
  }
  void start(std::string_view more = "") {
    receiver_ =
        std::make_unique<TestComponent>(sonde_component_receiver_otlpjsonfile(),
                                        "{include: [" + (folder_ / "*.json").string() +
                                            "], exclude: [" + (folder_ / "not*").string() + "]" +
                                            (more.empty() ? "" : ", ") + std::string(more) + "}");
    ASSERT_EQ(receiver_->error, "");
  }
  static std::string line(std::string_view body) {
    return R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":")" +
           std::string(body) + R"("}}]}]}]})" + "\n";
  }
  void append(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
  // The bodies that came within one second.
  std::string bodies() {
    receiver_->host.scheduler().advance(std::chrono::seconds(1));
    std::string out;
    std::string text = receiver_->take();
    for (size_t at = text.find("body: \""); at != text.npos; at = text.find("body: \"", at + 1))
      out += text.substr(at + 7, text.find('"', at + 7) - at - 7) + " ";
    return out;
  }

  fs::path folder_;
  std::unique_ptr<TestComponent> receiver_;
};

TEST_F(OtlpJsonFile, GoesOnWhereTheOneThatItReplacesIs) {
  append("a.json", line("old"));
  start();
  append("a.json", line("one"));
  EXPECT_EQ(bodies(), "one ");
  auto before = std::move(receiver_);
  append("a.json", line("two"));
  receiver_ = std::make_unique<TestComponent>(
      sonde_component_receiver_otlpjsonfile(),
      "{include: [" + (folder_ / "*.json").string() + "], poll_interval: 100ms}",
      before->component.get());
  EXPECT_EQ(bodies(), "");  // Not while the other one reads.
  receiver_->component->take_over(*before->component);
  before->component->stop();
  before.reset();
  append("a.json", line("three"));
  EXPECT_EQ(bodies(), "two three ");
}

TEST_F(OtlpJsonFile, FollowsFilesThatGrowAndArrive) {
  append("a.json", line("old"));
  start();
  EXPECT_EQ(bodies(), "");
  append("a.json", line("new") + line("newer").substr(0, 20));
  append("b.json", line("b"));
  append("not.json", line("excluded"));
  EXPECT_EQ(bodies(), "new b ");
  append("a.json", line("newer").substr(20));
  EXPECT_EQ(bodies(), "newer ");
}

TEST_F(OtlpJsonFile, FollowsAFileThatIsPutAsideOrBegunAnew) {
  append("a.json", line("1"));
  start("start_at: beginning");
  EXPECT_EQ(bodies(), "1 ");
  append("a.json", line("2"));
  fs::rename(folder_ / "a.json", folder_ / "a.1");
  append("a.json", line("3"));
  const std::string both = bodies();
  EXPECT_NE(both.find("2 "), both.npos);
  EXPECT_NE(both.find("3 "), both.npos);
  append("a.json", line("4"));
  EXPECT_EQ(bodies(), "4 ");
  std::ofstream(folder_ / "a.json") << line("5");
  EXPECT_EQ(bodies(), "5 ");
}

TEST_F(OtlpJsonFile, PassesOverAndCountsWhatItCannotRead) {
  const double before = Counters::sum("sonde_otlpjsonfile_refused_lines_total");
  append("a.json",
         "no json\n{\"resourceLogs\": 3}\n\n" + line(std::string(300000, 'x')) + line("good"));
  start("start_at: beginning, max_log_size: 200000");
  EXPECT_EQ(bodies(), "good ");
  EXPECT_EQ(Counters::sum("sonde_otlpjsonfile_refused_lines_total") - before, 3);
}

TEST_F(OtlpJsonFile, TakesEachSignalThatTheKeysOfALineName) {
  const double before = Counters::sum("sonde_otlpjsonfile_refused_lines_total");
  start("start_at: beginning, include_file_name: false");
  const auto taken = [&](std::string_view text) {
    append("a.json", std::string(text) + "\n");
    receiver_->host.scheduler().advance(std::chrono::seconds(1));
    return receiver_->take();
  };
  const std::string logs =
      "logs\n  resource\n    scope\n      log\n        body: \"resourceSpans\"\n";
  const std::string spans = "traces\n  resource\n    scope\n      span\n        name: \"n\"\n";
  // What a value says is no key.
  const std::string resource_logs =
      R"("resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"resourceSpans"}}]}]}])";
  const std::string resource_spans =
      R"("resourceSpans":[{"scopeSpans":[{"spans":[{"name":"n"}]}]}])";
  EXPECT_EQ(taken("{" + resource_logs + "}"), logs);
  EXPECT_EQ(taken(R"({"x":{"resourceSpans":[]},)" + resource_logs + "}"), logs);
  EXPECT_EQ(taken(R"({"x":")" + std::string(1000, 'x') + "\"," + resource_logs + "}"), logs);
  EXPECT_EQ(taken("{" + resource_logs + "," + resource_spans + "}"), spans + logs);
  EXPECT_EQ(taken(R"({"resourceMetrics":[],)" + resource_spans + "}"), spans);
  EXPECT_EQ(Counters::sum("sonde_otlpjsonfile_refused_lines_total") - before, 0);
  EXPECT_EQ(taken(R"({"x":)" + ("{" + resource_logs + "}") + "}"), "");
  EXPECT_EQ(Counters::sum("sonde_otlpjsonfile_refused_lines_total") - before, 1);
}

TEST_F(OtlpJsonFile, TriesAgainWhatIsRefusedForATime) {
  struct Once final : Sink {
    void consume(Batch batch) override {
      ++tried;
      if (tried == 1) return batch.ack.fail({ErrorKind::Unavailable, "busy", {}});
      batch.ack.deliver();
    }
    int tried = 0;
  } sink;
  append("a.json", line("1"));
  auto made = TestComponent::make(
      sonde_component_receiver_otlpjsonfile(),
      "{start_at: beginning, include: [" + (folder_ / "a.json").string() + "]}", {.logs = &sink});
  ASSERT_TRUE(made);
  pipeline::TestHost host;
  ASSERT_TRUE((*made)->start(host));
  host.scheduler().run_ready();
  EXPECT_EQ(sink.tried, 1);
  host.scheduler().advance(std::chrono::milliseconds(999));
  EXPECT_EQ(sink.tried, 1);
  host.scheduler().advance(std::chrono::milliseconds(2));
  EXPECT_EQ(sink.tried, 2);
  EXPECT_TRUE((*made)->drained());
  (*made)->stop();
}

TEST_F(OtlpJsonFile, ReadsFilesAgainAndAgainWhereTold) {
  append("a.json", line("1") + line("2"));
  start("start_at: beginning, replay_file: true, poll_interval: 1s");
  EXPECT_EQ(bodies(), "1 2 1 2 ");
  append("a.json", line("3"));
  EXPECT_EQ(bodies(), "1 2 3 ");
  EXPECT_EQ(bodies(), "1 2 3 ");
}

TEST_F(OtlpJsonFile, LeavesAFileAloneThatSomebodyElseHasLocked) {
  append("a.json", line("1"));
  const int other = ::open((folder_ / "a.json").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  start("start_at: beginning, acquire_fs_lock: true, file_cache_advise: true");
  EXPECT_EQ(bodies(), "");
  ::close(other);
  EXPECT_EQ(bodies(), "1 ");
}

TEST_F(OtlpJsonFile, SaysOfWhichFileAnItemIsAsTheCollectorDoes) {
  append("real.txt", R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m"}]}]}]})"
                     "\n" +
                         line("b"));
  fs::permissions(folder_ / "real.txt", fs::perms(0640));
  fs::create_symlink("real.txt", folder_ / "a.json");
  start(
      "start_at: beginning, include_file_path: true, include_file_name_resolved: true, "
      "include_file_path_resolved: true, include_file_permissions: true");
  receiver_->host.scheduler().run_ready();
  const std::string text = receiver_->take();
  for (const std::string& expected :
       {std::string("log.file.name = \"a.json\""),
        "log.file.path = \"" + (folder_ / "a.json").string(),
        std::string("log.file.name_resolved = \"real.txt\""),
        "log.file.path_resolved = \"" + fs::canonical(folder_ / "real.txt").string(),
        std::string("log.file.permissions = \"640\"")}) {
    const size_t first = text.find(expected);
    EXPECT_NE(first, text.npos) << expected << text;
    // Of the metric, and of the log record.
    EXPECT_NE(text.find(expected, first + 1), text.npos) << expected << text;
  }
}

TEST_F(OtlpJsonFile, SaysWhatItCannotDoAndWhatToDo) {
  const auto refusal = [](std::string_view more) {
    return TestComponent(sonde_component_receiver_otlpjsonfile(),
                         "{include: [/tmp/none], " + std::string(more) + "}")
        .error;
  };
  EXPECT_NE(refusal("storage: file_storage").find("add it to service::extensions"),
            std::string::npos);
  EXPECT_NE(refusal("storage: ''").find("storage"), std::string::npos);
  EXPECT_NE(refusal("start_at: beginning, delete_after_read: true").find("another tool"),
            std::string::npos);
  EXPECT_NE(refusal("encoding: utf-16").find("iconv"), std::string::npos);
  EXPECT_NE(refusal("multiline: {line_start_pattern: x}").find("jq -c"), std::string::npos);
  EXPECT_NE(refusal("header: {pattern: x}").find("header"), std::string::npos);
  EXPECT_NE(refusal("exclude: ['/tmp/a[']").find("exclude: \"/tmp/a[\" is no pattern"),
            std::string::npos);
}

TEST_F(OtlpJsonFile, NeedsAFile) {
  EXPECT_NE(
      TestComponent(sonde_component_receiver_otlpjsonfile(), "{}").error.find("include: name"),
      std::string::npos);
}

}  // namespace
}  // namespace sonde
