// SPDX-License-Identifier: Apache-2.0
//
// Runs every tests/scenario/*/*.scn on a virtual clock, against the components that ship. It takes
// the place of the receiver and of the back end, and of nothing else.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/counters.h"
#include "base/log.h"
#include "base/virtual_scheduler.h"
#include "components/all.h"
#include "config/graph.h"
#include "config/yaml.h"
#include "data/text.h"
#include "pipeline/engine.h"
#include "scenario_file.h"

namespace sonde::scenario {
namespace {

using pipeline::Component;
using pipeline::ComponentType;
using pipeline::Kind;

struct Config {};
constexpr auto kFields = config::fields<Config>();

// What exporters `scenario/...` got since it was last asked for.
std::map<std::string, std::string>& captured() {
  static std::map<std::string, std::string> text;
  return text;
}

class Stand final : public Component {
 public:
  Stand(const Config&, std::string_view id, pipeline::Outputs) : id_(id) {}
  void consume(Batch batch) override {
    captured()[id_] += to_text(batch);
    batch.ack.deliver();
  }

 private:
  const std::string id_;
};

const ComponentType& receiver_type() {
  static const ComponentType type = pipeline::make_type<Stand, Config>(
      {.kind = Kind::Receiver, .name = "scenario", .out = pipeline::kAllSignals}, kFields.table());
  return type;
}

const ComponentType& exporter_type() {
  static const ComponentType type = pipeline::make_type<Stand, Config>(
      {.kind = Kind::Exporter, .name = "scenario", .in = pipeline::kAllSignals}, kFields.table());
  return type;
}

// Series of the exposition text with their values.
std::map<std::string, double> series(std::string_view text) {
  std::map<std::string, double> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string_view::npos) continue;
    double value = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
    out[std::string(line.substr(0, space))] = value;
  }
  return out;
}

class Runner {
 public:
  explicit Runner(File& file) : file_(file), before_(series(Counters::exposition())) {
    captured().clear();
    wants_error_ = !file.sections.empty() && file.sections.back().verb == "error";
  }

  void run() {
    for (Section& section : file_.sections) {
      SCOPED_TRACE("line " + std::to_string(section.line) + ": == " + section.verb);
      step(section);
      if (testing::Test::HasFatalFailure()) break;
    }
    if (engine_) engine_->stop();
    settle();
  }

 private:
  void step(Section& section) {
    if (section.verb == "config") {
      start(section.body);
    } else if (section.verb == "input") {
      input(section);
    } else if (section.verb == "advance") {
      const auto duration = config::parse_duration(section.argument);
      ASSERT_TRUE(duration) << duration.error().message;
      scheduler_.advance(*duration);
    } else if (section.verb == "stop") {
      ASSERT_TRUE(engine_);
      engine_->stop();
      settle();
    } else if (section.verb == "expect") {
      expect(section);
    } else if (section.verb == "outcome") {
      EXPECT_EQ(outcome_, section.argument);
    } else if (section.verb == "metrics") {
      metrics(section.body);
    } else if (section.verb == "error") {
      std::string wanted = section.body;
      while (wanted.ends_with('\n')) wanted.pop_back();
      EXPECT_NE(error_.find(wanted), std::string::npos) << "the error was: " << error_;
    } else {
      FAIL() << "unknown section " << section.verb;
    }
  }

  void start(std::string_view text) {
    auto started = try_start(text);
    if (!started) error_ = started.error().message;
    if (!wants_error_) ASSERT_TRUE(started) << error_;
    settle();
  }

  Result<> try_start(std::string_view text) {
    const config::Value value = TRY(config::parse_yaml(text, "scenario.yaml"));
    config::Graph graph = TRY(config::build_graph(value, {.profiles = true}));
    std::vector<const ComponentType*> types = {&receiver_type(), &exporter_type()};
    types.insert(types.end(), all_components().begin(), all_components().end());
    pipeline::EngineOptions options;
    options.schedulers = {&scheduler_};
    options.wait = [this](Duration duration) { scheduler_.advance(duration); };
    engine_ = TRY(pipeline::Engine::create(graph, types, options));
    return engine_->start();
  }

  void input(const Section& section) {
    ASSERT_TRUE(engine_);
    Sink* sink = engine_->input(section.argument);
    ASSERT_TRUE(sink) << "there is no pipeline " << section.argument;
    auto batch = from_text(section.body);
    ASSERT_TRUE(batch) << batch.error().message;
    outcome_ = "pending";
    batch->ack = Ack::make(nullptr, [this](Outcome outcome) {
      outcome_ = outcome.kind == Outcome::Delivered ? "delivered"
                 : outcome.kind == Outcome::Dropped ? "dropped"
                                                    : "failed";
    });
    sink->consume(std::move(*batch));
    settle();
  }

  void expect(Section& section) {
    const std::string got = std::exchange(captured()[section.argument], "");
    if (std::getenv("SONDE_SCENARIO_UPDATE")) {
      section.body = got;
      return;
    }
    std::string wanted = section.body;
    // Through the parser, so that order and spelling of an expectation may differ from the
    // printer's.
    if (auto parsed = from_text(wanted); !wanted.empty() && parsed) {
      if (std::string canonical = to_text(*parsed); from_text(got)) wanted = canonical;
    }
    EXPECT_EQ(got, wanted);
  }

  void metrics(const std::string& body) {
    const auto now = series(Counters::exposition());
    for (const auto& [name, value] : series(body)) {
      const auto at = now.find(name);
      if (at == now.end() && value == 0) continue;
      ASSERT_NE(at, now.end()) << "no series " << name << " in\n" << Counters::exposition();
      const auto old = before_.find(name);
      const double delta = at->second - (old == before_.end() ? 0 : old->second);
      // A gauge is compared as it is; a counter by what this scenario added to it.
      EXPECT_TRUE(delta == value || at->second == value) << name << " rose by " << delta;
    }
  }

  void settle() { scheduler_.run_ready(); }

  File& file_;
  const std::map<std::string, double> before_;
  VirtualScheduler scheduler_;
  std::string outcome_ = "pending";
  std::string error_;
  bool wants_error_ = false;
  std::unique_ptr<pipeline::Engine> engine_;
};

class ScenarioTest : public testing::Test {
 public:
  explicit ScenarioTest(std::string path) : path_(std::move(path)) {}
  void TestBody() override {
    Ack::abort_on_lost(true);
    File file = parse(read_text(path_));
    ASSERT_FALSE(file.sections.empty()) << path_ << " has no section";
    Runner(file).run();
    if (std::getenv("SONDE_SCENARIO_UPDATE")) write_text(path_, print(file));
  }

 private:
  const std::string path_;
};

void register_all() {
  const std::filesystem::path root = SONDE_SOURCE_DIR "/tests/scenario";
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".scn") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const std::string suite = path.parent_path().filename();
    const std::string name = path.stem();
    testing::RegisterTest(
        suite.c_str(), name.c_str(), nullptr, nullptr, path.c_str(), 1,
        [text = path.string()]() -> testing::Test* { return new ScenarioTest(text); });
  }
}

}  // namespace
}  // namespace sonde::scenario

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  sonde::set_log_level(sonde::LogLevel::Error);
  sonde::scenario::register_all();
  return RUN_ALL_TESTS();
}
