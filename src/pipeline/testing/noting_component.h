// SPDX-License-Identifier: Apache-2.0
//
// Components that note what happens to them, and graphs of them: for the tests of reload.cc.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/virtual_scheduler.h"
#include "pipeline/engine.h"
#include "pipeline/testing/graph.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline::noting {

struct Config {
  std::string note;
  std::string needs;
  bool broken = false;
  bool hold = false;
  bool keep = false;
  bool fatal = false;
  bool fatal_end = false;
  bool blind = false;
  bool opaque = false;
};
inline constexpr auto kFields = config::fields<Config>(
    config::field("note", &Config::note, "What tells it from another."),
    config::field("needs", &Config::needs, "An extension that it asks for."),
    config::field("broken", &Config::broken, "Whether it does not start."),
    config::field("hold", &Config::hold, "Whether it keeps what comes until it is stopped."),
    config::field("keep", &Config::keep, "Whether it never lets go of what it holds."),
    config::field("fatal", &Config::fatal, "Whether it says at its start that all must end."),
    config::field("fatal_end", &Config::fatal_end, "The same, when it is stopped."),
    config::field("blind", &Config::blind, "Whether it does not look inside."),
    config::field("opaque", &Config::opaque, "Whether nothing that follows may look inside."));

// By all instances, in order: "start sink:note@0", "got 3 sink:note@0", ...
inline std::mutex journal_mutex;
inline std::vector<std::string> journal;

class Noting final : public Component {
 public:
  Noting(Config config, std::string_view id, Outputs outputs)
      : config_(std::move(config)), id_(std::string(id) + ":" + config_.note), outputs_(outputs) {}

  bool looks_inside() const override {
    return !config_.blind || (outputs_.traces && outputs_.look_inside());
  }
  Result<> check_outputs() const override {
    if (!config_.opaque || !outputs_.look_inside()) return {};
    return fail(ErrorKind::Invalid, "what follows looks inside");
  }
  Result<> start(Host& host) override {
    shard_ = host.shard();
    host_ = &host;
    if (!config_.needs.empty()) {
      needed_ = dynamic_cast<Noting*>(host.extension(config_.needs));
      if (!needed_) return fail(ErrorKind::NotFound, "no extension " + config_.needs);
    }
    if (config_.broken) return fail(ErrorKind::Unavailable, "the port is taken");
    if (config_.fatal) report_broken(host);
    add(host.predecessor() ? "start after" : "start");
    return {};
  }
  void take_over(Component& predecessor) override {
    auto& old = dynamic_cast<Noting&>(predecessor);
    add("take over " + old.id_);
    std::ranges::move(std::exchange(old.held_, {}), std::back_inserter(held_));
  }
  void stop() override {
    add("stop");
    if (config_.fatal_end) report_broken(*host_);
    if (config_.keep) return;
    for (Batch& batch : std::exchange(held_, {})) pass(std::move(batch));
  }
  ~Noting() override {
    for (Batch& batch : held_) batch.ack.fail({ErrorKind::Unavailable, "ended", {}});
  }
  bool drained() const override { return held_.empty(); }
  void consume(Batch batch) override {
    if (config_.hold) return held_.push_back(std::move(batch));
    pass(std::move(batch));
  }

 private:
  static void report_broken(Host& host) {
    host.report_status(Status::fatal({ErrorKind::Internal, "it is broken", {}}));
  }
  void pass(Batch batch) {
    if (outputs_.of(batch.signal)) return outputs_.send(std::move(batch));
    add("got " + std::to_string(count_records(batch)));
    batch.ack.deliver();
  }
  void add(const std::string& what) {
    const std::lock_guard lock(journal_mutex);
    journal.push_back(what + " " + id_ + "@" + std::to_string(shard_));
  }

  const Config config_;
  const std::string id_;
  const Outputs outputs_;
  int shard_ = -1;
  Host* host_ = nullptr;
  Noting* needed_ = nullptr;
  std::vector<Batch> held_;
};

inline ComponentType type(Kind kind, std::string_view name,
                          Placement placement = Placement::Pinned) {
  const bool ends = kind == Kind::Exporter || kind == Kind::Extension;
  return make_type<Noting, Config>({.kind = kind,
                                    .name = name,
                                    .in = kTraces,
                                    .out = ends ? kNoSignals : kTraces,
                                    .placement = placement},
                                   kFields.table());
}

inline std::span<const ComponentType* const> types() {
  static const ComponentType source = type(Kind::Receiver, "source");
  static const ComponentType sources = type(Kind::Receiver, "sources", Placement::Replicated);
  static const ComponentType step = type(Kind::Processor, "step");
  static const ComponentType copies = type(Kind::Processor, "copies", Placement::Replicated);
  static const ComponentType parts = type(Kind::Processor, "parts", Placement::Partitioned);
  static const ComponentType sink = type(Kind::Exporter, "sink");
  static const ComponentType joint = type(Kind::Connector, "joint");
  static const ComponentType helper = type(Kind::Extension, "helper");
  static const std::array<const ComponentType*, 8> kAll = {&source, &sources, &step,  &copies,
                                                           &parts,  &sink,    &joint, &helper};
  return kAll;
}

// source, one processor, one exporter, with their settings.
inline std::string chain(std::string_view processor, std::string_view sink = "",
                         std::string_view source = "", std::string_view type = "step") {
  return "receivers: {source: {" + std::string(source) + "}}\nprocessors: {" + std::string(type) +
         ": {" + std::string(processor) + "}}\nexporters: {sink: {" + std::string(sink) +
         "}}\nservice:\n  telemetry: {metrics: {level: none}}\n  pipelines:\n    traces: " +
         "{receivers: [source], processors: [" + std::string(type) + "], exporters: [sink]}\n";
}

using Events = std::vector<std::string>;

class ReloadTest : public testing::Test {
 protected:
  ReloadTest() {
    Ack::abort_on_lost(true);
    journal.clear();
  }
  std::unique_ptr<Engine> start(std::string_view text, int shards = 1) {
    EngineOptions options;
    options.shards = shards;
    for (int i = 0; i < shards; ++i) options.schedulers.push_back(&schedulers_[i]);
    options.wait = [this](Duration d) {
      for (auto& scheduler : schedulers_) scheduler.advance(d);
    };
    auto engine = Engine::create(graph(text), types(), options);
    EXPECT_TRUE(engine) << engine.error().message;
    EXPECT_TRUE((*engine)->start());
    journal.clear();
    return std::move(*engine);
  }
  void settle() {
    for (int i = 0; i < 10; ++i) {
      for (auto& scheduler : schedulers_) scheduler.run_ready();
    }
  }
  static void give(Component* receiver, int count) { receiver->consume(traces(count)); }

  VirtualScheduler schedulers_[2];
};

}  // namespace sonde::pipeline::noting
