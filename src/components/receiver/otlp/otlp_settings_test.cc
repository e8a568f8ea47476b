// SPDX-License-Identifier: Apache-2.0
// The settings of the receiver's servers, as they are written, and what a client sees of them.
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "net/compression/compression.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"
#include "pipeline/component.h"
#include "pipeline/testing/loop_host.h"

const sonde::pipeline::ComponentType& sonde_component_receiver_otlp();

namespace sonde {
namespace {

class NoSink final : public Sink {
 public:
  void consume(Batch batch) override { batch.ack.deliver(); }
};

class Receiver_otlp_settings : public testing::Test {
 protected:
  Result<std::unique_ptr<pipeline::Component>> make(std::string_view yaml) {
    const auto value = config::parse_yaml(yaml, "test");
    EXPECT_TRUE(value) << value.error().message;
    return sonde_component_receiver_otlp().create(
        *value, "otlp", {.traces = &sink_, .metrics = &sink_, .logs = &sink_});
  }
  std::string why_not(std::string_view yaml) {
    const auto made = make(yaml);
    return made ? "" : made.error().message;
  }
  void start(std::string_view yaml) {
    auto made = make(yaml);
    ASSERT_TRUE(made) << made.error().message;
    receiver_ = std::move(*made);
    const auto started = receiver_->start(host_);
    ASSERT_TRUE(started) << started.error().message;
  }
  net::HttpResponse ask(std::string_view method, net::Headers headers, Bytes body = {},
                        std::string_view path = "/v1/traces") {
    net::HttpClientOptions options;
    options.base_url = "unix:" + socket_;
    net::HttpClient client(host_.loop(), std::move(options));
    const auto answer = net::request_and_wait(host_.loop(), client, method, path, std::move(body),
                                              std::move(headers));
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value_or(net::HttpResponse{});
  }

  const std::string socket_ = testing::TempDir() + "otlp_settings_test.sock";
  pipeline::LoopHost host_{"otlp"};
  NoSink sink_;
  std::unique_ptr<pipeline::Component> receiver_;
};

TEST_F(Receiver_otlp_settings, TakePathsWithoutTheSlashInFront) {
  start("protocols: {http: {endpoint: " + socket_ +
        ", transport: unix, traces_url_path: in/spans, logs_url_path: /in/logs, "
        "metrics_url_path: ''}}");
  const net::Headers json = {{"Content-Type", "application/json"}};
  const auto status = [&](std::string_view path) {
    return ask("POST", json, Bytes::copy("{}"), path).status;
  };
  EXPECT_EQ(status("/in/spans"), 200);
  EXPECT_EQ(status("/"), 200);
  EXPECT_EQ(status("/in/logs"), 200);
  EXPECT_EQ(status("//in/logs"), 404);
  EXPECT_EQ(status("/v1/traces"), 404);
}

TEST_F(Receiver_otlp_settings, LetBrowsersSend) {
  start("protocols: {http: {endpoint: " + socket_ +
        ", transport: unix, response_headers: {X-From: test}, cors: {allowed_origins: "
        "['https://*.shop.example'], max_age: 7200}}}");
  const auto preflight = ask("OPTIONS", {{"Origin", "https://www.shop.example"},
                                         {"Access-Control-Request-Method", "POST"},
                                         {"Access-Control-Request-Headers", "content-type"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("access-control-allow-origin"), "https://www.shop.example");
  EXPECT_EQ(preflight.header("access-control-max-age"), "7200");
  const auto sent =
      ask("POST", {{"Origin", "https://www.shop.example"}, {"Content-Type", "application/json"}},
          Bytes::copy("{}"));
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.header("access-control-allow-origin"), "https://www.shop.example");
  EXPECT_EQ(sent.header("x-from"), "test");
  const auto stranger =
      ask("POST", {{"Origin", "https://evil.example"}, {"Content-Type", "application/json"}},
          Bytes::copy("{}"));
  EXPECT_EQ(stranger.header("access-control-allow-origin"), "");
}

TEST_F(Receiver_otlp_settings, TakeOnlyTheEncodingsThatAreListed) {
  start("protocols: {http: {endpoint: 'unix:" + socket_ +
        "', compression_algorithms: ['', zstd]}}");
  const net::Header type = {"Content-Type", "application/json"};
  EXPECT_EQ(ask("POST", {type}, Bytes::copy("{}")).status, 200);
  const Bytes plain = Bytes::copy("{}");
  const auto packed = [&](net::Encoding encoding) {
    return net::compress(encoding, std::span(&plain, 1)).value();
  };
  EXPECT_EQ(ask("POST", {type, {"Content-Encoding", "zstd"}}, packed(net::Encoding::Zstd)).status,
            200);
  EXPECT_EQ(ask("POST", {type, {"Content-Encoding", "gzip"}}, packed(net::Encoding::Gzip)).status,
            415);
}

TEST_F(Receiver_otlp_settings, AreCheckedBeforeAnythingStarts) {
  EXPECT_EQ(why_not("protocols: {http: {read_header_timeout: 0s, idle_timeout: 0, max_request_body_"
                    "size: 0, keep_alives_enabled: false, write_timeout: 5s, read_timeout: 1s}}"),
            "");
  EXPECT_EQ(
      why_not("protocols: {http: {tls: {cert_file: a}}}"),
      "test:1: receivers::otlp: protocols::http: tls: provide both a certificate and its key, or "
      "neither");
  EXPECT_EQ(
      why_not("protocols: {grpc: {tls: {}}}"),
      "test:1: receivers::otlp: protocols::grpc::tls: a server needs a certificate: cert_file and "
      "key_file");
  EXPECT_NE(why_not("protocols: {http: {compression_algorithms: [br]}}").find("\"br\" is none of"),
            std::string::npos);
  EXPECT_NE(
      why_not("protocols: {http: {cors: {allowed_origins: ['*.*']}}}").find("has more than one *"),
      std::string::npos);
  EXPECT_NE(why_not("protocols: {http: {tls: {cert_file: a, key_file: b, tpm: {enabled: true}}}}")
                .find("tpm: it is not supported"),
            std::string::npos);
}

}  // namespace
}  // namespace sonde
