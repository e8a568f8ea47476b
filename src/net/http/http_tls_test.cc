// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over TLS between our own ends, and what it makes of peers that expect something else.
#include <gtest/gtest.h>

#include "net/grpc/grpc_client.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/certificates.h"
#include "net/testing/raw_client.h"
#include "net/testing/run_until.h"

namespace sonde::net {
namespace {

using std::chrono::milliseconds;

class HttpTls : public ::testing::Test {
 protected:
  void serve(TlsSettings settings, HttpServer::Handler handler, HttpServerOptions options = {}) {
    settings.cert_pem = server_certificate_.cert_pem();
    settings.key_pem = server_certificate_.key_pem();
    auto tls = make_tls_server(settings, HttpVersion::Http1);
    ASSERT_TRUE(tls) << tls.error().message;
    options.tls = *tls;
    auto made = HttpServer::listen(loop_, "127.0.0.1:0", std::move(handler), std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    server_ = std::move(*made);
  }
  void serve_echo(TlsSettings settings = {}, HttpServerOptions options = {}) {
    const auto echo = [this](const Request& request, Responder responder) {
      peers_.push_back(request.peer);
      responder.respond({200, "text/plain", std::string(request.body.view()), {}});
    };
    serve(std::move(settings), echo, std::move(options));
  }
  TlsSettings client_settings() const {
    TlsSettings settings;
    settings.ca_pem = authority_.cert_pem();
    return settings;
  }
  std::unique_ptr<HttpClient> client(const TlsSettings& settings) {
    auto tls = make_tls_client(settings, HttpVersion::Http1);
    EXPECT_TRUE(tls) << tls.error().message;
    HttpClientOptions options;
    options.base_url = "https://localhost:" + std::to_string(server_->port());
    options.max_response = size_t{64} << 20;
    options.tls = *tls;
    return std::make_unique<HttpClient>(loop_, std::move(options));
  }
  Result<HttpResponse> post(HttpClient& client, std::string body) {
    return request_and_wait(loop_, client, "POST", "/", Bytes::take(std::move(body)));
  }
  // Everybody who has connected before, and at least one turn of the loop.
  void run_until_all_left() {
    loop_.run_for(milliseconds(10));
    EXPECT_TRUE(run_until(loop_, [&] { return server_->connections() == 0; }));
  }
  Result<HttpResponse> post(const TlsSettings& settings) { return post(*client(settings), "hi"); }

  Loop loop_;
  TestCertificate authority_ = make_certificate("authority", nullptr);
  TestCertificate server_certificate_ = make_certificate("server", &authority_, "DNS:localhost");
  std::unique_ptr<HttpServer> server_;
  std::vector<std::string> peers_;
};

TEST_F(HttpTls, CarriesSmallAndLargeBodiesOverOneConnection) {
  serve_echo();
  const auto kept = client(client_settings());
  EXPECT_EQ(post(*kept, "hello")->body, "hello");
  std::string large(15 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 4096) large[i] = static_cast<char>(i >> 12);
  const auto answer = post(*kept, large);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->body == large);
  ASSERT_EQ(peers_.size(), 2u);
  EXPECT_EQ(peers_[0], peers_[1]) << "session tickets are no reason to connect anew";
}

TEST_F(HttpTls, AsksClientsForACertificateWhereItShould) {
  TlsSettings mutual;
  mutual.client_ca_file = write_test_file("http_tls_test_ca.pem", authority_.cert_pem());
  serve_echo(mutual);
  const auto refused = post(client_settings());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("certificate required"), std::string::npos)
      << refused.error().message;
  TlsSettings settings = client_settings();
  const TestCertificate own = make_certificate("client", &authority_);
  settings.cert_pem = own.cert_pem();
  settings.key_pem = own.key_pem();
  const auto answer = post(settings);
  EXPECT_TRUE(answer) << answer.error().message;
}

TEST_F(HttpTls, ReadsAnEarlyRefusalOfALargeBody) {
  serve_echo({}, {.max_body = 10});
  const auto kept = client(client_settings());
  const auto answer = post(*kept, std::string(2'000'000, 'x'));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
}

TEST_F(HttpTls, TellsWhoSpeaksInTheClear) {
  serve_echo();
  RawClient raw(server_->port());
  raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  run_until_all_left();
  const std::string answer = raw.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 400 ")) << answer;
  EXPECT_TRUE(answer.ends_with("this port speaks https\n")) << answer;
}

TEST_F(HttpTls, EndsAHandshakeThatDoesNotGoOn) {
  serve_echo({}, {.header_timeout = milliseconds(20)});
  RawClient silent(server_->port());
  RawClient slow(server_->port());
  slow.send("\x16\x03\x01");
  run_until_all_left();
  EXPECT_EQ(silent.read_all(), "");
}

TEST_F(HttpTls, AGrpcClientIsRefusedByAlpn) {
  serve_echo();
  auto tls = make_tls_client(client_settings());
  ASSERT_TRUE(tls);
  GrpcClientOptions options;
  options.endpoint = "https://localhost:" + std::to_string(server_->port());
  options.tls = *tls;
  GrpcClient grpc(loop_, std::move(options));
  const auto answer = call_and_wait(loop_, grpc, "/a.B/C", Bytes::copy("a"));
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("no application protocol"), std::string::npos)
      << answer.error().message;
}

TEST_F(HttpTls, StreamsAndTellsThatThePeerLeft) {
  Stream stream;
  bool left = false;
  serve({}, [&](const Request&, Responder responder) {
    stream = responder.start_stream({200, "text/event-stream", ": hello\n\n", {}}, [&] {
      left = true;
      loop_.stop();
    });
    loop_.after(milliseconds(1), [&] { stream.event("tick", "1"); });
    loop_.after(milliseconds(2), [&] { stream.close(); });
  });
  auto kept = client(client_settings());
  const auto answer = post(*kept, "");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, ": hello\n\nevent: tick\ndata: 1\n\n");
  EXPECT_FALSE(left);
}

}  // namespace
}  // namespace sonde::net
