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
#include "pipeline/testing/send_and_wait.h"
#include "wire/otlp_json/otlp_json.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_otlp_http();

namespace sonde {
namespace {

class Exporter_otlp_http : public ::testing::Test {
 protected:
  static Result<std::unique_ptr<pipeline::Component>> make(const std::string& settings) {
    const auto value = config::parse_yaml(settings, "test.yaml");
    EXPECT_TRUE(value) << settings;
    return sonde_component_exporter_otlp_http().create(*value, "otlp_http", {});
  }
  // Where the back end listens from now on, which answers so.
  std::string serve(net::HttpServer::Handler handler) {
    auto listening = net::HttpServer::listen(host_.loop(), "127.0.0.1:0", std::move(handler));
    EXPECT_TRUE(listening);
    server_ = std::move(*listening);
    return "127.0.0.1:" + std::to_string(server_->port());
  }
  void start(const std::string& settings) {
    auto made = make(settings);
    ASSERT_TRUE(made) << made.error().message;
    exporter_ = std::move(*made);
    ASSERT_TRUE(exporter_->start(host_));
  }
  Outcome send(Batch batch) { return pipeline::send_and_wait(host_, *exporter_, std::move(batch)); }

  pipeline::LoopHost host_{"otlp_http"};
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<pipeline::Component> exporter_;
};

TEST_F(Exporter_otlp_http, RefusesSettingsThatCannotWork) {
  EXPECT_TRUE(make("{endpoint: 'http://127.0.0.1:4318'}"));
  EXPECT_TRUE(make("{endpoint: 'https://example.com'}"));
  EXPECT_FALSE(make("{}"));
  EXPECT_FALSE(make("{endpoint: 'http://127.0.0.1:4318', compression: br}"));
  EXPECT_FALSE(make("{endpoint: 'http://127.0.0.1:4318', encoding: xml}"));
  const auto half = make("{endpoint: 'https://example.com', tls: {cert_file: cert.pem}}");
  ASSERT_FALSE(half);
  EXPECT_NE(half.error().message.find("exporters::otlp_http: tls: provide both"), std::string::npos)
      << half.error().message;
}

TEST_F(Exporter_otlp_http, SendsEachSignalWhereItsSettingSays) {
  std::vector<std::string> targets;
  const auto address = serve([&](const net::Request& request, net::Responder responder) {
    targets.push_back(request.target);
    responder.respond({});
  });
  start("{traces_endpoint: 'http://" + address + "/own/traces?key=1', endpoint: 'http://" +
        address + "/base/'}");
  for (const Signal signal : {Signal::Traces, Signal::Logs}) {
    Batch batch = testing::sample_spans(1);
    batch.signal = signal;
    send(std::move(batch));
  }
  EXPECT_EQ(targets, (std::vector<std::string>{"/own/traces?key=1", "/base/v1/logs"}));
}

TEST_F(Exporter_otlp_http, SendsGzipUnlessToldOtherwise) {
  std::string encoding;
  std::string body;
  const auto address = serve([&](const net::Request& request, net::Responder responder) {
    encoding = request.header("content-encoding");
    body = request.body.view();
    responder.respond({});
  });
  const std::string endpoint = "endpoint: 'http://" + address + "'";
  const Bytes plain = testing::sample_spans(3).chunks.front();
  const auto sends = [&](const std::string& settings, std::string_view expected) {
    start("{" + endpoint + settings + "}");
    send(testing::sample_spans(3));
    EXPECT_EQ(encoding, expected);
    const auto read =
        net::decompress(*net::encoding_named(encoding, net::Carrier::Http), body, 1 << 20);
    ASSERT_TRUE(read) << expected << read.error().message;
    EXPECT_EQ(*read, plain) << expected;
  };
  sends("", "gzip");
  sends(", compression: none", "");
  for (const std::string name :
       {"gzip", "zstd", "snappy", "x-snappy-framed", "deflate", "zlib", "lz4"}) {
    sends(", compression: " + name, name);
  }
}

TEST_F(Exporter_otlp_http, TellsNobodyTheSecretsOfItsUrlAndSendsEachHeaderOnce) {
  net::Headers seen;
  const auto address = serve([&](net::Request& request, net::Responder responder) {
    seen = request.headers;
    responder.respond({401, "text/plain", "", {}});
  });
  start("{traces_endpoint: 'http://user:s3cret@" + address +
        "/in?token=s3cret', sending_queue: {enabled: false}, "
        "headers: {content-TYPE: a/b, Content-Length: '7'}}");
  const Outcome outcome = send(testing::sample_spans(3));
  EXPECT_EQ(outcome.error.message, "http://" + address + "/in answered 401");
  const auto times = [&](std::string_view name) {
    return std::ranges::count_if(
        seen, [&](const net::Header& h) { return equals_ignoring_case(h.name, name); });
  };
  EXPECT_EQ(times("content-type"), 1);
  EXPECT_EQ(times("content-length"), 1);
}

// Sent again, it would come to the peer twice.
TEST_F(Exporter_otlp_http, BelievesTheStatusOfAnAnswerThatIsTooLargeToRead) {
  int requests = 0;
  const auto address = serve([&](net::Request&, net::Responder responder) {
    ++requests;
    responder.respond({200, "text/html", std::string(5 << 20, 'x'), {}});
  });
  start("{endpoint: 'http://" + address + "', sending_queue: {enabled: false}}");
  const Outcome outcome = send(testing::sample_spans(3));
  EXPECT_EQ(outcome.kind, Outcome::Delivered) << outcome.error.message;
  EXPECT_EQ(requests, 1) << "it is tried again";
}

TEST_F(Exporter_otlp_http, SendsJsonAndReadsTheAnswerInIt) {
  net::Request seen;
  const auto address = serve([&](net::Request& request, net::Responder responder) {
    seen = std::move(request);
    responder.respond({.content_type = "application/json",
                       .body = R"({"partialSuccess":{"rejectedSpans":"1"}})"});
  });
  start("{endpoint: 'http://" + address + "', compression: gzip, encoding: json}");
  Batch batch = testing::sample_spans(3);
  const Bytes plain = batch.chunks.front();
  // What came compressed was protobuf: it must not be sent as JSON.
  batch.original = std::make_shared<const Encoded>("gzip", Bytes::copy("protobuf"));
  send(std::move(batch));
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_EQ(seen.header("content-encoding"), "gzip");
  const auto json = net::decompress(net::Encoding::Gzip, seen.body.view(), 1 << 20);
  ASSERT_TRUE(json) << json.error().message;
  const auto read =
      wire::otlp_from_json(Signal::Traces, wire::OtlpBody::Request, json->view(), 1 << 20);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_text(Signal::Traces, read->view()), to_text(Signal::Traces, plain.view()));
}

}  // namespace
}  // namespace sonde
