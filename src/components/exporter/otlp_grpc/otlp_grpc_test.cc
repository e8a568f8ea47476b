// SPDX-License-Identifier: Apache-2.0
// What the exporter refuses before it starts, and what it puts on the wire. Sending is tested end
// to end against a foreign receiver.
#include <gtest/gtest.h>

#include "data/testing/sample.h"
#include "net/compression/compression.h"
#include "net/grpc/grpc_server.h"
#include "net/testing/certificates.h"
#include "pipeline/component.h"
#include "pipeline/testing/loop_host.h"
#include "pipeline/testing/send_and_wait.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_otlp_grpc();

namespace sonde {
namespace {

Result<std::unique_ptr<pipeline::Component>> make_otlp_grpc(std::string_view endpoint,
                                                            std::string_view compression = {}) {
  config::Value value = config::Value::map();
  if (!endpoint.empty()) value.set("endpoint", config::Value::string(endpoint));
  if (!compression.empty()) value.set("compression", config::Value::string(compression));
  return sonde_component_exporter_otlp_grpc().create(value, "otlp_grpc", {});
}

TEST(Exporter_otlp_grpc, EncryptsUnlessToldOtherwise) {
  pipeline::LoopHost host("otlp_grpc");
  const net::TestCertificate authority = net::make_certificate("authority", nullptr);
  const net::TestCertificate server = net::make_certificate("server", &authority, "DNS:localhost");
  net::TlsSettings settings;
  settings.cert_pem = server.cert_pem();
  settings.key_pem = server.key_pem();
  net::GrpcServerOptions options;
  options.tls = net::make_tls_server(settings).value();
  Bytes message;
  auto listening = net::GrpcServer::listen(
      host.loop(), "127.0.0.1:0",
      [&](net::GrpcRequest request, net::GrpcResponder responder) {
        message = request.message;
        responder.respond({});
      },
      std::move(options));
  ASSERT_TRUE(listening);
  config::Value tls = config::Value::map();
  tls.set("ca_pem", config::Value::string(authority.cert_pem()));
  config::Value value = config::Value::map();
  value.set("endpoint", config::Value::string("localhost:" + std::to_string((*listening)->port())));
  value.set("compression", config::Value::string("none"));
  value.set("tls", tls);
  auto exporter = sonde_component_exporter_otlp_grpc().create(value, "otlp_grpc", {});
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_TRUE((*exporter)->start(host));
  Batch batch = testing::sample_spans(3);
  const Bytes plain = batch.chunks.front();
  pipeline::send_and_wait(host, **exporter, std::move(batch));
  EXPECT_EQ(message, plain);

  tls.set("key_file", config::Value::string("/no/such/key"));
  value.set("tls", tls);
  auto half = sonde_component_exporter_otlp_grpc().create(value, "otlp_grpc", {});
  ASSERT_FALSE(half);
  EXPECT_NE(half.error().message.find("tls: provide both a certificate and its key, or neither"),
            std::string::npos)
      << half.error().message;
}

TEST(Exporter_otlp_grpc, NeedsAnEndpoint) {
  EXPECT_TRUE(make_otlp_grpc("http://127.0.0.1:4318"));
  EXPECT_TRUE(make_otlp_grpc("https://example.com:4317"));
  EXPECT_FALSE(make_otlp_grpc(""));
}

TEST(Exporter_otlp_grpc, SendsGzipUnlessToldOtherwise) {
  pipeline::LoopHost host("otlp_grpc");
  std::string encoding;
  Bytes message;
  auto server = net::GrpcServer::listen(
      host.loop(), "127.0.0.1:0", [&](net::GrpcRequest request, net::GrpcResponder responder) {
        encoding = request.encoding;
        message = request.message;
        responder.respond({});
      });
  ASSERT_TRUE(server);
  const std::string endpoint = "http://127.0.0.1:" + std::to_string((*server)->port());
  for (const char* compression : {"", "none", "gzip", "zstd", "snappy"}) {
    auto exporter = make_otlp_grpc(endpoint, compression);
    ASSERT_TRUE(exporter && (*exporter)->start(host));
    Batch batch = testing::sample_spans(3);
    const Bytes plain = batch.chunks.front();
    pipeline::send_and_wait(host, **exporter, std::move(batch));
    const std::string_view name = std::string_view(compression).empty() ? "gzip" : compression;
    EXPECT_EQ(encoding, name == "none" ? "" : name);
    const auto read = net::decompress(*net::encoding_named(encoding, net::Carrier::Grpc),
                                      message.view(), 1 << 20);
    ASSERT_TRUE(read) << name << read.error().message;
    EXPECT_EQ(*read, plain) << name;
  }
  EXPECT_FALSE(make_otlp_grpc(endpoint, "lz4"));
}

}  // namespace
}  // namespace sonde
