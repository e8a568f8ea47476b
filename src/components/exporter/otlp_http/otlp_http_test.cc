// SPDX-License-Identifier: Apache-2.0
// What the exporter refuses before it starts, and what it puts on the wire. Sending is tested end
// to end against a foreign receiver.
#include <gtest/gtest.h>

#include <algorithm>

#include "config/yaml.h"
#include "data/testing/sample.h"
#include "data/text.h"
#include "net/compression/compression.h"
#include "net/http/http_server.h"
#include "pipeline/component.h"
#include "pipeline/testing/loop_host.h"
#include "wire/otlp_json/otlp_json.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_otlp_http();

namespace sonde {
namespace {

Result<std::unique_ptr<pipeline::Component>> make_otlp_http(std::string_view endpoint,
                                                            std::string_view compression = {},
                                                            std::string_view encoding = {}) {
  config::Value value = config::Value::map();
  if (!endpoint.empty()) value.set("endpoint", config::Value::string(endpoint));
  if (!encoding.empty()) value.set("encoding", config::Value::string(encoding));
  if (!compression.empty()) value.set("compression", config::Value::string(compression));
  return sonde_component_exporter_otlp_http().create(value, "otlp_http", {});
}

TEST(Exporter_otlp_http, RefusesSettingsThatCannotWork) {
  EXPECT_TRUE(make_otlp_http("http://127.0.0.1:4318"));
  EXPECT_TRUE(make_otlp_http("https://example.com"));
  EXPECT_FALSE(make_otlp_http(""));
  config::Value tls = config::Value::map();
  tls.set("cert_file", config::Value::string("cert.pem"));
  config::Value value = config::Value::map();
  value.set("endpoint", config::Value::string("https://example.com"));
  value.set("tls", std::move(tls));
  const auto half = sonde_component_exporter_otlp_http().create(value, "otlp_http", {});
  ASSERT_FALSE(half);
  EXPECT_NE(half.error().message.find("exporters::otlp_http: tls: provide both"), std::string::npos)
      << half.error().message;
}

TEST(Exporter_otlp_http, SendsEachSignalWhereItsSettingSays) {
  pipeline::LoopHost host("otlp_http");
  std::vector<std::string> targets;
  auto server = net::HttpServer::listen(host.loop(), "127.0.0.1:0",
                                        [&](const net::Request& request, net::Responder responder) {
                                          targets.push_back(request.target);
                                          responder.respond({});
                                        });
  ASSERT_TRUE(server);
  const std::string base = "http://127.0.0.1:" + std::to_string((*server)->port());
  config::Value value = config::Value::map();
  value.set("traces_endpoint", config::Value::string(base + "/own/traces?key=1"));
  value.set("endpoint", config::Value::string(base + "/base/"));
  auto exporter = sonde_component_exporter_otlp_http().create(value, "otlp_http", {});
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_TRUE((*exporter)->start(host));
  for (const Signal signal : {Signal::Traces, Signal::Logs}) {
    Batch batch = testing::sample_spans(1);
    batch.signal = signal;
    (*exporter)->consume(std::move(batch));
  }
  for (int i = 0; i < 1000 && targets.size() < 2; ++i) {
    host.loop().run_for(std::chrono::milliseconds(10));
  }
  std::ranges::sort(targets);
  EXPECT_EQ(targets, (std::vector<std::string>{"/base/v1/logs", "/own/traces?key=1"}));
}

TEST(Exporter_otlp_http, SendsGzipUnlessToldOtherwise) {
  pipeline::LoopHost host("otlp_http");
  std::string encoding;
  std::string body;
  auto server = net::HttpServer::listen(host.loop(), "127.0.0.1:0",
                                        [&](const net::Request& request, net::Responder responder) {
                                          encoding = request.header("content-encoding");
                                          body = request.body.view();
                                          responder.respond({});
                                          host.loop().stop();
                                        });
  ASSERT_TRUE(server);
  const std::string endpoint = "http://127.0.0.1:" + std::to_string((*server)->port());
  for (const char* compression :
       {"", "none", "gzip", "zstd", "snappy", "x-snappy-framed", "deflate", "zlib", "lz4"}) {
    auto exporter = make_otlp_http(endpoint, compression);
    ASSERT_TRUE(exporter && (*exporter)->start(host));
    Batch batch = testing::sample_spans(3);
    const Bytes plain = batch.chunks.front();
    (*exporter)->consume(std::move(batch));
    host.loop().run_for(std::chrono::seconds(10));
    const std::string_view name = std::string_view(compression).empty() ? "gzip" : compression;
    EXPECT_EQ(encoding, name == "none" ? "" : name);
    const auto read =
        net::decompress(*net::encoding_named(encoding, net::Carrier::Http), body, 1 << 20);
    ASSERT_TRUE(read) << name << read.error().message;
    EXPECT_EQ(*read, plain) << name;
  }
  EXPECT_FALSE(make_otlp_http(endpoint, "br"));
}

TEST(Exporter_otlp_http, TellsNobodyTheSecretsOfItsUrlAndSendsEachHeaderOnce) {
  pipeline::LoopHost host("otlp_http");
  net::Headers seen;
  auto server = net::HttpServer::listen(host.loop(), "127.0.0.1:0",
                                        [&](net::Request& request, net::Responder responder) {
                                          seen = request.headers;
                                          responder.respond({401, "text/plain", "", {}});
                                        });
  ASSERT_TRUE(server);
  const std::string port = std::to_string((*server)->port());
  auto settings = config::parse_yaml("{traces_endpoint: 'http://user:s3cret@127.0.0.1:" + port +
                                         "/in?token=s3cret', sending_queue: {enabled: false}, "
                                         "headers: {content-TYPE: a/b, Content-Length: '7'}}",
                                     "test.yaml");
  ASSERT_TRUE(settings);
  auto exporter = sonde_component_exporter_otlp_http().create(*settings, "otlp_http", {});
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_TRUE((*exporter)->start(host));
  Batch batch = testing::sample_spans(3);
  std::optional<Outcome> outcome;
  batch.ack = Ack::make(nullptr, [&](Outcome ended) {
    outcome = std::move(ended);
    host.loop().stop();
  });
  (*exporter)->consume(std::move(batch));
  host.loop().run_for(std::chrono::seconds(10));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error.message, "http://127.0.0.1:" + port + "/in answered 401");
  const auto times = [&](std::string_view name) {
    return std::ranges::count_if(
        seen, [&](const net::Header& h) { return equals_ignoring_case(h.name, name); });
  };
  EXPECT_EQ(times("content-type"), 1);
  EXPECT_EQ(times("content-length"), 1);
}

// Sent again, it would come to the peer twice.
TEST(Exporter_otlp_http, BelievesTheStatusOfAnAnswerThatIsTooLargeToRead) {
  pipeline::LoopHost host("otlp_http");
  int requests = 0;
  auto server = net::HttpServer::listen(
      host.loop(), "127.0.0.1:0", [&](net::Request&, net::Responder responder) {
        ++requests;
        responder.respond({200, "text/html", std::string(5 << 20, 'x'), {}});
      });
  ASSERT_TRUE(server);
  const std::string endpoint = "http://127.0.0.1:" + std::to_string((*server)->port());
  config::Value value = config::Value::map();
  value.set("endpoint", config::Value::string(endpoint));
  config::Value queue = config::Value::map();
  queue.set("enabled", config::Value::boolean_value(false));
  value.set("sending_queue", std::move(queue));
  auto exporter = sonde_component_exporter_otlp_http().create(value, "otlp_http", {});
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_TRUE((*exporter)->start(host));
  Batch batch = testing::sample_spans(3);
  std::optional<Outcome> outcome;
  batch.ack = Ack::make(nullptr, [&](Outcome ended) {
    outcome = std::move(ended);
    host.loop().stop();
  });
  (*exporter)->consume(std::move(batch));
  host.loop().run_for(std::chrono::seconds(2));
  ASSERT_TRUE(outcome) << "it is tried again";
  EXPECT_EQ(outcome->kind, Outcome::Delivered) << outcome->error.message;
  EXPECT_EQ(requests, 1);
}

TEST(Exporter_otlp_http, SendsJsonAndReadsTheAnswerInIt) {
  pipeline::LoopHost host("otlp_http");
  net::Request seen;
  auto server = net::HttpServer::listen(
      host.loop(), "127.0.0.1:0", [&](net::Request& request, net::Responder responder) {
        seen = std::move(request);
        responder.respond({.content_type = "application/json",
                           .body = R"({"partialSuccess":{"rejectedSpans":"1"}})"});
      });
  ASSERT_TRUE(server);
  const std::string endpoint = "http://127.0.0.1:" + std::to_string((*server)->port());
  auto exporter = make_otlp_http(endpoint, "gzip", "json");
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_TRUE((*exporter)->start(host));
  Batch batch = testing::sample_spans(3);
  const Bytes plain = batch.chunks.front();
  // What came compressed was protobuf: it must not be sent as JSON.
  batch.original = std::make_shared<const Encoded>("gzip", Bytes::copy("protobuf"));
  (*exporter)->consume(std::move(batch));
  const auto sent = [&] { return !seen.body.empty() && (*exporter)->drained(); };
  for (int i = 0; i < 1000 && !sent(); ++i) host.loop().run_for(std::chrono::milliseconds(10));
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_EQ(seen.header("content-encoding"), "gzip");
  const auto json = net::decompress(net::Encoding::Gzip, seen.body.view(), 1 << 20);
  ASSERT_TRUE(json) << json.error().message;
  const auto read =
      wire::otlp_from_json(Signal::Traces, wire::OtlpBody::Request, json->view(), 1 << 20);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_text(Signal::Traces, read->view()), to_text(Signal::Traces, plain.view()));
  EXPECT_FALSE(make_otlp_http(endpoint, "gzip", "xml"));
}

}  // namespace
}  // namespace sonde
