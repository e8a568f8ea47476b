// SPDX-License-Identifier: Apache-2.0
// What happens to files while their lines are under way.
#include <gtest/gtest.h>

#include <map>

#include "base/counters.h"
#include "components/receiver/otlpjsonfile/reader.h"
#include "components/receiver/otlpjsonfile/testing/files_fixture.h"

namespace sonde {
namespace {

namespace fs = std::filesystem;

class SlowPipeline : public Files {
 protected:
  ~SlowPipeline() override {
    deliver();
    if (component_) component_->stop();
  }
  void start_slowly(std::string_view more = "start_at: beginning") {
    auto made = pipeline::TestComponent::make(sonde_component_receiver_otlpjsonfile(),
                                              settings(more), {&sink_, &sink_, &sink_});
    ASSERT_TRUE(made) << made.error().message;
    component_ = std::move(*made);
    host_.extensions["file_storage"] = &storage_;
    ASSERT_TRUE(component_->start(host_));
    host_.scheduler().run_ready();
  }
  // Takes one line; its body.
  std::string take() {
    if (sink_.held.empty()) return "";
    Batch batch = std::move(sink_.held.front());
    sink_.held.pop_front();
    const std::string text = to_text(batch);
    const size_t at = text.find("body: \"") + 7;
    std::string body = text.substr(at, text.find('"', at) - at);
    ++taken_[body];
    batch.ack.deliver();
    host_.scheduler().run_ready();
    return body;
  }
  // Takes all that comes within this time.
  void deliver(Duration time = {}) {
    for (;;) {
      while (!take().empty()) {
      }
      if (time <= Duration{}) return;
      const Duration step = std::min<Duration>(time, std::chrono::milliseconds(100));
      host_.scheduler().advance(step);
      time -= step;
    }
  }
  std::string taken() const {
    std::string out;
    for (const auto& [body, times] : taken_)
      out += body + (times == 1 ? "" : "x" + std::to_string(times)) + " ";
    return out;
  }

  Holding sink_;
  pipeline::TestHost host_;
  std::unique_ptr<pipeline::Component> component_;
  std::map<std::string, int> taken_;
};

TEST_F(SlowPipeline, GetsWhatWasReadOfAFileBeforeItWasTruncatedAndAllOfANewOneThatBeginsAlike) {
  append("a.json", line("1") + line("2"));
  start_slowly();
  ASSERT_EQ(sink_.held.size(), 1u);
  fs::resize_file(folder_ / "a.json", 0);
  append("b.json", line("3") + line("4"));
  host_.scheduler().advance(std::chrono::seconds(1));
  deliver(std::chrono::seconds(2));
  EXPECT_EQ(taken(), "1 2 3 4 ");
}

TEST_F(SlowPipeline, GetsTheRestOfAFileFromItsCopyThoughItGrewPastWhereItWasRead) {
  append("a.json", line("1") + line("2") + line("3") + line("4"));
  start_slowly();
  EXPECT_EQ(take(), "1");
  copy("a.json", "a.json.1");
  fs::resize_file(folder_ / "a.json", 0);
  append("a.json", line("5") + line("6"));
  deliver(std::chrono::seconds(2));
  EXPECT_EQ(taken(), "1 2 3 4 5 6 ");
}

TEST_F(SlowPipeline, GetsNoMixtureOfAFileAndOfWhatTookItsPlaceBetweenTwoReads) {
  std::string before;
  std::string after;
  for (int i = 100; i < 200; ++i) before += line("old" + std::to_string(i));
  for (int i = 1000; i < 1400; ++i) after += line("new" + std::to_string(i) + "longer");
  const double refused = Counters::sum("sonde_otlpjsonfile_refused_lines_total");
  append("a.json", before);
  start_slowly("start_at: beginning, poll_interval: 1h");
  write("a.json", after);
  deliver();
  EXPECT_LT(taken_.size(), 100u);  // What had been read; the rest is gone.
  host_.scheduler().advance(std::chrono::hours(1));
  deliver();
  EXPECT_EQ(Counters::sum("sonde_otlpjsonfile_refused_lines_total"), refused);
  size_t fresh = 0;
  for (const auto& [body, times] : taken_) {
    EXPECT_EQ(times, 1) << body;
    fresh += body.starts_with("new") ? 1 : 0;
  }
  EXPECT_EQ(fresh, 400u);
}

TEST_F(SlowPipeline, HasOneLineOfAFileAndABoundOfFilesUnderWay) {
  for (int i = 100; i < 200; ++i)
    append(std::to_string(i), line(std::to_string(i) + "a") + line(std::to_string(i) + "b"));
  start_slowly();
  EXPECT_EQ(sink_.held.size(), otlpjsonfile::Reader::kMostReading);
  deliver(std::chrono::seconds(1));
  EXPECT_EQ(taken_.size(), 200u);
}

// Of a line that is taken in part, that part is counted, by whoever rejected it too.
TEST_F(SlowPipeline, CountsAsLostWhatWasRejectedOfALine) {
  append("a.json", R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"b"},)"
                   R"({"name":"c"}]}]}]})"
                   "\n" +
                       line("2"));
  const double before = Counters::sum("sonde_dropped_records_total");
  start_slowly();
  ASSERT_EQ(sink_.held.size(), 1u);
  sink_.held[0].ack.fail({ErrorKind::Invalid, "one is wrong", {}}, 1);
  sink_.held.clear();
  host_.scheduler().run_ready();
  EXPECT_EQ(Counters::sum("sonde_dropped_records_total") - before, 1);
  EXPECT_EQ(take(), "2");
}

TEST_F(SlowPipeline, HasTakenALineWhenAllSignalsOfItAreTaken) {
  const std::string both =
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"n"}]}]}],)" + line("2").substr(1);
  append("a.json", line("1") + both + line("3"));
  start_slowly("start_at: beginning, storage: file_storage");
  EXPECT_EQ(take(), "1");
  ASSERT_EQ(sink_.held.size(), 1u);
  EXPECT_EQ(sink_.held[0].signal, Signal::Traces);
  // One after the other, and again where the pipeline has no room.
  take();
  ASSERT_EQ(sink_.held.size(), 1u);
  EXPECT_EQ(sink_.held[0].signal, Signal::Logs);
  sink_.held[0].ack.fail({ErrorKind::Unavailable, "busy", {}});
  sink_.held.clear();
  host_.scheduler().advance(std::chrono::seconds(2));
  ASSERT_EQ(sink_.held.size(), 1u);
  EXPECT_EQ(sink_.held[0].signal, Signal::Logs);
  // What is not taken whole comes again after a restart.
  component_->stop();
  sink_.held[0].ack.fail({ErrorKind::Unavailable, "stopping", {}});
  sink_.held.clear();
  host_.scheduler().run_ready();
  component_.reset();
  start_slowly("start_at: beginning, storage: file_storage");
  ASSERT_EQ(sink_.held.size(), 1u);
  EXPECT_EQ(sink_.held[0].signal, Signal::Traces);
  take();
  EXPECT_EQ(take(), "2");
  EXPECT_EQ(take(), "3");
}

}  // namespace
}  // namespace sonde
