// SPDX-License-Identifier: Apache-2.0
// The receiver against real clients on loopback, with a sink in place of the pipelines.
#include <gtest/gtest.h>

#include <algorithm>

#include "data/span_writer.h"
#include "net/grpc_client.h"
#include "net/http_client.h"
#include "pipeline/component.h"
#include "pipeline/otlp_export.h"
#include "pipeline/test_host.h"

const sonde::pipeline::ComponentType& sonde_component_receiver_otlp();

namespace sonde {
namespace {

using std::chrono::seconds;

constexpr std::string_view kExportTraces =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

Bytes spans(int count) {
  TraceBatchBuilder builder;
  builder.resource({});
  builder.scope("test", "");
  for (int i = 0; i < count; ++i) builder.span({.name = "span"}, {});
  Batch batch = builder.build();
  return pipeline::joined(batch);
}

// Ends each batch as the test says, at once or later.
class JudgingSink final : public Sink {
 public:
  void consume(Batch batch) override {
    items += batch.items();
    context = batch.context;
    if (failure) return batch.ack.fail(*failure, rejected);
    batch.ack.deliver();
  }
  size_t items = 0;
  std::shared_ptr<const RequestContext> context;
  std::optional<Error> failure;
  uint64_t rejected = 0;
};

// The scheduler of the loop itself: an acknowledgement is posted to where the servers run.
class LoopHost final : public pipeline::Host {
 public:
  Scheduler& scheduler() override { return loop_; }
  net::Loop& loop() override { return loop_; }
  std::string_view id() const override { return "otlp"; }

 private:
  std::shared_ptr<void> lease_erased(std::string_view, const std::type_info&,
                                     const std::function<std::shared_ptr<void>()>& make) override {
    return make();
  }
  net::Loop loop_;
};

class Receiver_otlp : public testing::Test {
 protected:
  void start(std::string_view protocol, const std::string& endpoint, bool metadata = false) {
    config::Value section = config::Value::map();
    if (metadata) section.set("include_metadata", config::Value::boolean_value(true));
    section.set("endpoint", config::Value::string(endpoint));
    config::Value protocols = config::Value::map();
    protocols.set(protocol, std::move(section));
    config::Value value = config::Value::map();
    value.set("protocols", std::move(protocols));
    auto made = sonde_component_receiver_otlp().create(value, "otlp", {.traces = &sink_});
    ASSERT_TRUE(made) << made.error().message;
    receiver_ = std::move(*made);
    auto started = receiver_->start(host_);
    ASSERT_TRUE(started) << started.error().message;
  }
  Result<std::string> call(std::string_view path, Bytes message) {
    net::GrpcClient client(host_.loop(), "unix:" + socket_, seconds(5));
    Result<std::string> answer;
    client.unary(path, std::move(message), [&](Result<std::string> result) {
      answer = std::move(result);
      host_.loop().stop();
    });
    host_.loop().run_for(seconds(10));
    return answer;
  }

  const std::string socket_ = testing::TempDir() + "otlp_receiver_test.sock";
  LoopHost host_;
  JudgingSink sink_;
  std::unique_ptr<pipeline::Component> receiver_;
};

TEST_F(Receiver_otlp, AnswersACallWhenThePipelineHasTakenItsSpans) {
  start("grpc", "unix:" + socket_);
  const auto answer = call(kExportTraces, spans(3));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, "");
  EXPECT_EQ(sink_.items, 3u);
}

TEST_F(Receiver_otlp, TellsTheSenderWhenToTryAgain) {
  start("grpc", "unix:" + socket_);
  sink_.failure = Error{ErrorKind::Exhausted, "the sending queue is full", seconds(7)};
  const auto answer = call(kExportTraces, spans(3));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(answer.error().retry_after, seconds(7));
  EXPECT_NE(answer.error().message.find("the sending queue is full"), std::string::npos);
}

TEST_F(Receiver_otlp, SaysHowManyRecordsThePeerDownstreamRefused) {
  start("grpc", "unix:" + socket_);
  sink_.failure = Error{ErrorKind::Invalid, "two were too old", {}};
  sink_.rejected = 2;
  const auto answer = call(kExportTraces, spans(3));
  ASSERT_TRUE(answer) << answer.error().message;
  const pipeline::Sent sent = pipeline::read_export_response(*answer);
  EXPECT_EQ(sent.rejected, 2u);
  EXPECT_EQ(sent.message, "two were too old");
}

TEST_F(Receiver_otlp, RefusesForGoodWhatDoesNotParseAndWhatNobodyTakes) {
  start("grpc", "unix:" + socket_);
  const auto garbage = call(kExportTraces, Bytes::copy("\x0a\xffgarbage"));
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().kind, ErrorKind::Invalid);
  EXPECT_NE(garbage.error().message.find("not an OTLP export request of traces"), std::string::npos)
      << garbage.error().message;
  const auto unwanted =
      call("/opentelemetry.proto.collector.logs.v1.LogsService/Export", Bytes::copy(""));
  ASSERT_FALSE(unwanted);
  EXPECT_EQ(unwanted.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(sink_.items, 0u);
}

TEST_F(Receiver_otlp, KeepsTheMetadataOfACallWhereItIsToldTo) {
  start("grpc", "unix:" + socket_, true);
  ASSERT_TRUE(call(kExportTraces, spans(1)));
  ASSERT_TRUE(sink_.context);
  const auto& metadata = sink_.context->metadata;
  EXPECT_NE(std::ranges::find(metadata, std::pair<std::string, std::string>("user-agent", "sonde")),
            metadata.end());
}

TEST_F(Receiver_otlp, KeepsNoMetadataUnlessAsked) {
  start("grpc", "unix:" + socket_);
  ASSERT_TRUE(call(kExportTraces, spans(1)));
  EXPECT_EQ(sink_.context, nullptr);
}

TEST_F(Receiver_otlp, NeedsAProtocol) {
  auto made = sonde_component_receiver_otlp().create(config::Value::map(), "otlp", {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("at least one protocol"), std::string::npos);
}

}  // namespace
}  // namespace sonde
