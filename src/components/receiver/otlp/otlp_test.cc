// SPDX-License-Identifier: Apache-2.0
// The receiver against real clients on loopback, with a sink in place of the pipelines.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/counters.h"
#include "base/memory_ledger.h"
#include "data/span_writer.h"
#include "net/compression/compression.h"
#include "net/grpc/grpc_client.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"
#include "pipeline/component.h"
#include "pipeline/otlp_export.h"
#include "pipeline/testing/loop_host.h"

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

// Has room, or will have it later, or will never have it.
struct Door final : Gate {
  Result<> change(const Need& from, const Need& to) override {
    if (to.requests < from.requests) return {};
    if (refusal) return std::unexpected(*refusal);
    if (to.items > most_items) return fail(ErrorKind::Invalid, "too many at once");
    return {};
  }
  std::optional<Error> refusal;
  uint64_t most_items = 1000;
};

// Ends each batch as the test says, at once or later.
class JudgingSink final : public Sink {
 public:
  void gates(Signal, Gates& out) override { out.push_back(door); }
  std::shared_ptr<Door> door = std::make_shared<Door>();
  void consume(Batch batch) override {
    items += batch.items();
    context = batch.context;
    original = batch.original;
    bytes = batch.bytes();
    sealed = batch.sealed();
    opaque = batch.opaque;
    if (failure) return batch.ack.fail(*failure, rejected);
    batch.ack.deliver();
  }
  bool looks_inside() const override { return looks; }
  bool looks = true;
  size_t items = 0;
  size_t bytes = 0;
  bool sealed = false;
  bool opaque = false;
  std::shared_ptr<const RequestContext> context;
  std::shared_ptr<const Encoded> original;
  std::optional<Error> failure;
  uint64_t rejected = 0;
};

uint16_t free_port(net::Loop& loop) {
  return net::HttpServer::listen(loop, "127.0.0.1:0", [](const auto&, auto) {}).value()->port();
}

class Receiver_otlp : public testing::Test {
 protected:
  void start(std::string_view protocol, const std::string& endpoint, bool metadata = false,
             bool opaque = false) {
    config::Value section = config::Value::map();
    if (metadata) section.set("include_metadata", config::Value::boolean_value(true));
    section.set("endpoint", config::Value::string(endpoint));
    config::Value protocols = config::Value::map();
    protocols.set(protocol, std::move(section));
    config::Value value = config::Value::map();
    value.set("protocols", std::move(protocols));
    if (opaque) value.set("opaque", config::Value::boolean_value(true));
    auto made = sonde_component_receiver_otlp().create(value, "otlp", {.traces = &sink_});
    ASSERT_TRUE(made) << made.error().message;
    receiver_ = std::move(*made);
    checked_ = receiver_->check_outputs();
    if (!checked_) return;
    auto started = receiver_->start(host_);
    ASSERT_TRUE(started) << started.error().message;
  }
  Result<std::string> call(std::string_view path, Bytes message, std::string_view encoding = {}) {
    net::GrpcClient client(host_.loop(), "unix:" + socket_, seconds(5));
    return net::call_and_wait(host_.loop(), client, path, std::move(message), encoding);
  }
  Result<net::HttpResponse> post(uint16_t port, Bytes body, net::Headers headers) {
    net::HttpClientOptions options;
    options.base_url = "http://127.0.0.1:" + std::to_string(port);
    net::HttpClient client(host_.loop(), std::move(options));
    return net::request_and_wait(host_.loop(), client, "POST", "/v1/traces", std::move(body),
                                 std::move(headers));
  }

  const std::string socket_ = testing::TempDir() + "otlp_receiver_test.sock";
  pipeline::LoopHost host_{"otlp"};
  JudgingSink sink_;
  std::unique_ptr<pipeline::Component> receiver_;
  Result<> checked_;
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

Bytes packed(net::Encoding encoding, const Bytes& body) {
  return net::compress(encoding, std::vector<Bytes>{body}).value();
}

TEST_F(Receiver_otlp, TakesEachEncodingOverGrpcAndKeepsTheBodyAsItCame) {
  start("grpc", "unix:" + socket_);
  for (const char* name : {"gzip", "zstd", "snappy", "deflate", "lz4"}) {
    const net::Encoding encoding = *net::encoding_named(name, net::Carrier::Grpc);
    const Bytes body = packed(encoding, spans(3));
    sink_.items = 0;
    const auto answer = call(kExportTraces, body, name);
    ASSERT_TRUE(answer) << name << answer.error().message;
    EXPECT_EQ(sink_.items, 3u);
    ASSERT_TRUE(sink_.original);
    EXPECT_EQ(sink_.original->encoding, net::name_of(encoding));
    EXPECT_EQ(sink_.original->body, body);
  }
  ASSERT_TRUE(call(kExportTraces, spans(1)));
  EXPECT_EQ(sink_.original, nullptr);
}

TEST_F(Receiver_otlp, SealsWhatNothingLooksIntoOnceItIsCounted) {
  sink_.looks = false;
  start("grpc", "unix:" + socket_);
  const Bytes plain = spans(3);
  const Bytes body = packed(net::Encoding::Gzip, plain);
  ASSERT_TRUE(call(kExportTraces, body, "gzip"));
  EXPECT_TRUE(sink_.sealed);
  EXPECT_FALSE(sink_.opaque);
  EXPECT_EQ(sink_.items, 3u);
  EXPECT_EQ(sink_.bytes, plain.size());
  EXPECT_EQ(sink_.original->body, body);
  ASSERT_TRUE(call(kExportTraces, plain));
  EXPECT_FALSE(sink_.sealed) << "it came uncompressed";
  EXPECT_EQ(sink_.items, 6u);
  EXPECT_FALSE(call(kExportTraces, Bytes::copy("no gzip"), "gzip"));
}

TEST_F(Receiver_otlp, PassesOnWhatItMustNotLookIntoAndCountsRequestsAndBytes) {
  sink_.looks = false;
  start("grpc", "unix:" + socket_, false, true);
  const auto counted = [](std::string_view name) { return Counters::sum(name); };
  const double requests = counted("sonde_receiver_accepted_requests_total");
  const double bytes = counted("sonde_receiver_accepted_bytes_total");
  const double items = counted("otelcol_receiver_accepted_spans");
  ASSERT_TRUE(call(kExportTraces, Bytes::copy("no gzip"), "gzip"));
  EXPECT_TRUE(sink_.sealed && sink_.opaque);
  EXPECT_EQ(sink_.items, 0u);
  EXPECT_EQ(sink_.bytes, 7u);
  const Bytes plain = spans(3);
  ASSERT_TRUE(call(kExportTraces, plain));
  EXPECT_TRUE(sink_.opaque && !sink_.sealed);
  EXPECT_EQ(sink_.items, 0u);
  EXPECT_EQ(sink_.bytes, plain.size());
  EXPECT_EQ(counted("sonde_receiver_accepted_requests_total"), requests + 2);
  EXPECT_EQ(counted("sonde_receiver_accepted_bytes_total"),
            bytes + 7 + static_cast<double>(plain.size()));
  EXPECT_EQ(counted("otelcol_receiver_accepted_spans"), items);
  sink_.failure = Error{ErrorKind::Invalid, "two were too old", {}};
  sink_.rejected = 2;
  const auto partly = call(kExportTraces, plain);
  ASSERT_TRUE(partly) << partly.error().message;
  EXPECT_EQ(pipeline::read_export_response(*partly).rejected, 2u);
  sink_.rejected = 0;
  EXPECT_FALSE(call(kExportTraces, plain));
  EXPECT_EQ(counted("sonde_receiver_refused_requests_total"), 1);
}

TEST_F(Receiver_otlp, RefusesToBeOpaqueBeforeAComponentThatLooksInside) {
  start("grpc", "unix:" + socket_, false, true);
  ASSERT_FALSE(checked_);
  EXPECT_TRUE(checked_.error().message.starts_with("opaque: a component that follows"))
      << checked_.error().message;
}

TEST_F(Receiver_otlp, RefusesOverGrpcWhatItCannotOrMustNotDecompress) {
  start("grpc", "unix:" + socket_);
  const auto unknown = call(kExportTraces, spans(1), "br");
  ASSERT_FALSE(unknown);
  EXPECT_TRUE(unknown.error().message.starts_with("UNIMPLEMENTED: the encoding \"br\""))
      << unknown.error().message;
  const auto damaged = call(kExportTraces, Bytes::copy("no gzip"), "gzip");
  ASSERT_FALSE(damaged);
  EXPECT_TRUE(damaged.error().message.starts_with("INVALID_ARGUMENT: gzip"))
      << damaged.error().message;
  const Bytes bomb = packed(net::Encoding::Gzip, Bytes::take(std::string(5 << 20, '\0')));
  const auto over = call(kExportTraces, bomb, "gzip");
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().message,
            "RESOURCE_EXHAUSTED: gzip: the decompressed body is over the limit of 4194304 bytes");
  EXPECT_EQ(sink_.items, 0u);
}

TEST_F(Receiver_otlp, TakesEachEncodingOverHttpAndSaysWhyNot) {
  const uint16_t port = free_port(host_.loop());
  start("http", "127.0.0.1:" + std::to_string(port));
  const net::Header type = {"Content-Type", "application/x-protobuf"};
  for (const char* name :
       {"gzip", "zstd", "snappy", "x-snappy-framed", "deflate", "zlib", "lz4", "identity"}) {
    const net::Encoding encoding = *net::encoding_named(name, net::Carrier::Http);
    sink_.items = 0;
    const auto answer = post(port, packed(encoding, spans(2)), {type, {"Content-Encoding", name}});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200) << name;
    EXPECT_EQ(sink_.items, 2u) << name;
  }
  const auto status = [&](Bytes body, std::string encoding) {
    return post(port, std::move(body), {type, {"Content-Encoding", std::move(encoding)}});
  };
  const auto unknown = status(spans(1), "br");
  EXPECT_EQ(unknown->status, 415);
  EXPECT_NE(unknown->header("accept-encoding").find("zstd"), std::string_view::npos);
  EXPECT_EQ(status(Bytes::copy("no gzip"), "gzip")->status, 400);
  const Bytes bomb = packed(net::Encoding::Zstd, Bytes::take(std::string(21 << 20, '\0')));
  EXPECT_EQ(status(bomb, "zstd")->status, 413);
}

TEST_F(Receiver_otlp, TakesJsonAndAnswersInIt) {
  const uint16_t port = free_port(host_.loop());
  start("http", "127.0.0.1:" + std::to_string(port));
  const net::Header type = {"Content-Type", "Application/JSON; charset=utf-8"};
  const Bytes json =
      Bytes::copy(R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"b"}]}]}]})");
  const auto plain = post(port, json, {type});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->status, 200);
  EXPECT_EQ(plain->header("content-type"), "application/json");
  EXPECT_EQ(plain->body, "{}");
  EXPECT_EQ(sink_.items, 2u);
  // The compressed JSON is not the compressed form of what goes on.
  const auto gzip =
      post(port, packed(net::Encoding::Gzip, json), {type, {"Content-Encoding", "gzip"}});
  EXPECT_EQ(gzip->status, 200);
  EXPECT_EQ(sink_.items, 4u);
  EXPECT_EQ(sink_.original, nullptr);

  const auto wrong = post(port, Bytes::copy(R"({"resourceSpans":{}})"), {type});
  EXPECT_EQ(wrong->status, 400);
  EXPECT_EQ(wrong->body,
            R"({"code":3,"message":"the JSON is wrong at resourceSpans: is no array"})");
  sink_.failure = Error{ErrorKind::Invalid, "one was too old", {}};
  sink_.rejected = 1;
  EXPECT_EQ(post(port, json, {type})->body,
            R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"one was too old"}})");
  EXPECT_EQ(post(port, json, {{"Content-Type", "application/jsonl"}})->status, 415);
}

TEST_F(Receiver_otlp, AsksForRoomInTheBranchesBeforeItTakesABody) {
  start("grpc", "unix:" + socket_);
  const auto turned_away = [] {
    return Counters::sum("sonde_receiver_turned_away_requests_total");
  };
  const double before = turned_away();
  sink_.door->refusal = Error{ErrorKind::Exhausted, "the sending queue is full", seconds(3)};
  // What cannot even be read is refused for want of room: nobody looked at it.
  const auto full = call(kExportTraces, Bytes::take(std::string(3 << 20, 'x')));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().message, "RESOURCE_EXHAUSTED: the sending queue is full");
  EXPECT_EQ(full.error().retry_after, seconds(3));
  EXPECT_EQ(turned_away(), before + 1);
  sink_.door->refusal.reset();
  EXPECT_TRUE(call(kExportTraces, spans(3)));
  // Data turns to other queues while the receiver goes on, as when the configuration is read again.
  const auto before_it = sink_.door;
  sink_.door = std::make_shared<Door>();
  sink_.door->refusal = Error{ErrorKind::Exhausted, "the other queue is full", seconds(3)};
  GateEpoch::advance();
  const auto other = call(kExportTraces, spans(3));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "RESOURCE_EXHAUSTED: the other queue is full");
  sink_.door = before_it;
  GateEpoch::advance();
  // Its items are known once it is read.
  sink_.door->most_items = 2;
  const auto large = call(kExportTraces, spans(3));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(sink_.items, 3u);
}

TEST_F(Receiver_otlp, TellsTheSenderToComeBackWhenThereIsNoMemory) {
  start("grpc", "unix:" + socket_);
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  const Bytes large = Bytes::take(std::string(2 << 20, 'x'));
  // 1 MiB of room, and what the test and its client need for the message itself.
  ledger.set_limit((33 << 20) + ledger.held());
  const auto refused = call(kExportTraces, large);
  EXPECT_TRUE(call(kExportTraces, spans(3)));
  // It is small until it is decompressed.
  const Bytes bomb = packed(net::Encoding::Gzip, Bytes::take(std::string(3 << 20, '\0')));
  const auto grown = call(kExportTraces, bomb, "gzip");
  // What will never fit is not worth another try.
  ledger.set_limit(33 << 20);
  const auto never = call(kExportTraces, large);
  ledger.set_limit(limit);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().kind, ErrorKind::Invalid);
  EXPECT_NE(never.error().message.find("2097152 bytes are more than the memory limit ever has"),
            std::string::npos)
      << never.error().message;
  for (const auto& answer : {refused, grown}) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message,
              "RESOURCE_EXHAUSTED: the memory limit is reached, try again later");
    EXPECT_EQ(answer.error().retry_after, seconds(1));
  }
  EXPECT_EQ(ledger.promised(), 0u);
  EXPECT_TRUE(call(kExportTraces, packed(net::Encoding::Gzip, spans(3)), "gzip"));
}

TEST_F(Receiver_otlp, NeedsNoMemoryForMoreThanWhatCameWhereItMustNotLookInside) {
  sink_.looks = false;
  start("grpc", "unix:" + socket_, false, true);
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  const Bytes bomb = packed(net::Encoding::Gzip, Bytes::take(std::string(3 << 20, '\0')));
  // Opened, it would be taken for ten times this.
  const Bytes large = Bytes::take(std::string(300 << 10, 'x'));
  ledger.set_limit((33 << 20) + ledger.held());
  const auto small = call(kExportTraces, bomb, "gzip");
  const auto passed = call(kExportTraces, large, "gzip");
  const size_t bytes = sink_.bytes;
  sink_.looks = true;
  const auto opened = call(kExportTraces, large, "gzip");
  ledger.set_limit(limit);
  ASSERT_TRUE(small) << small.error().message;
  ASSERT_TRUE(passed) << passed.error().message;
  EXPECT_EQ(bytes, large.size());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().retry_after, seconds(1));
  EXPECT_EQ(ledger.promised(), 0u);
}

TEST_F(Receiver_otlp, NeedsAProtocol) {
  auto made = sonde_component_receiver_otlp().create(config::Value::map(), "otlp", {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("at least one protocol"), std::string::npos);
}

}  // namespace
}  // namespace sonde
