// SPDX-License-Identifier: Apache-2.0
// gRPC over TLS between our own ends, with certificates made on the spot, and what each mistake in
// settings or certificates is told as.
#include "net/tls/tls.h"

#include <gtest/gtest.h>

#include "net/grpc/grpc_client.h"
#include "net/grpc/grpc_server.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/certificates.h"

namespace sonde::net {
namespace {

using std::chrono::seconds;

class Tls : public ::testing::Test {
 protected:
  TlsSettings server_settings() const {
    TlsSettings settings;
    settings.cert_pem = server_.cert_pem();
    settings.key_pem = server_.key_pem();
    return settings;
  }
  TlsSettings client_settings() const {
    TlsSettings settings;
    settings.ca_pem = authority_.cert_pem();
    return settings;
  }
  void listen(const TlsSettings& settings) {
    auto tls = make_tls_server(settings);
    ASSERT_TRUE(tls) << tls.error().message;
    GrpcServerOptions options;
    options.max_message = size_t{64} << 20;
    options.tls = *tls;
    auto made = GrpcServer::listen(
        loop_, "127.0.0.1:0",
        [](GrpcRequest request, GrpcResponder responder) {
          responder.respond(std::move(request.message));
        },
        std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    listening_ = std::move(*made);
  }
  Result<std::string> call(const TlsSettings& settings, std::string message = "hello",
                           std::string host = "localhost") {
    auto tls = make_tls_client(settings);
    if (!tls) return std::unexpected(tls.error());
    GrpcClientOptions options;
    options.endpoint = "https://" + host + ":" + std::to_string(listening_->port());
    options.tls = *tls;
    options.timeout = seconds(20);
    options.max_response = size_t{64} << 20;
    GrpcClient client(loop_, std::move(options));
    return call_and_wait(loop_, client, "/a.B/C", Bytes::take(std::move(message)));
  }
  void expect_refused(const Result<std::string>& answer, std::string_view why) {
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().message.find(why), std::string::npos) << answer.error().message;
    EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
  }

  Loop loop_;
  TestCertificate authority_ = make_certificate("authority", nullptr);
  TestCertificate server_ =
      make_certificate("server", &authority_, "DNS:localhost,DNS:collector,IP:127.0.0.1");
  std::unique_ptr<GrpcServer> listening_;
};

TEST_F(Tls, CarriesSmallAndLargeMessagesBothWays) {
  listen(server_settings());
  EXPECT_EQ(call(client_settings()), "hello");
  std::string large(20 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 4096) large[i] = static_cast<char>(i >> 12);
  const auto answer = call(client_settings(), large);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(*answer == large);
}

TEST_F(Tls, ChecksTheNameOfTheServer) {
  listen(server_settings());
  EXPECT_TRUE(call(client_settings(), "a", "127.0.0.1"));
  TlsSettings settings = client_settings();
  settings.server_name_override = "collector";
  EXPECT_TRUE(call(settings));
  settings.server_name_override = "other";
  expect_refused(call(settings), "TLS with other: the certificate is refused: hostname mismatch");
  settings.server_name_override = "127.0.0.2";
  expect_refused(call(settings), "IP address mismatch");
  settings.insecure_skip_verify = true;
  EXPECT_TRUE(call(settings));
}

TEST_F(Tls, BelievesOnlyWhomItIsToldTo) {
  listen(server_settings());
  TlsSettings settings;
  settings.ca_pem = make_certificate("stranger", nullptr).cert_pem();
  expect_refused(call(settings), "the certificate is refused: unable to get local issuer");
  server_ = make_certificate("server", &authority_, "DNS:localhost", -60);
  listen(server_settings());
  expect_refused(call(client_settings()), "the certificate is refused: certificate has expired");
}

TEST_F(Tls, AsksClientsForACertificateWhereItShould) {
  TlsSettings mutual = server_settings();
  mutual.client_ca_file = write_test_file("tls_test_ca.pem", authority_.cert_pem());
  listen(mutual);
  expect_refused(call(client_settings()), "certificate required");
  const auto with = [&](const TestCertificate& certificate) {
    TlsSettings settings = client_settings();
    settings.cert_pem = certificate.cert_pem();
    settings.key_pem = certificate.key_pem();
    return call(settings);
  };
  EXPECT_TRUE(with(make_certificate("client", &authority_)));
  const TestCertificate other = make_certificate("stranger", nullptr);
  expect_refused(with(make_certificate("client", &other)), "unknown ca");
}

TEST_F(Tls, HoldsTheVersionsItIsGiven) {
  TlsSettings newest = server_settings();
  newest.min_version = "1.3";
  listen(newest);
  TlsSettings old = client_settings();
  old.max_version = "1.2";
  expect_refused(call(old), "protocol version");
  EXPECT_TRUE(call(client_settings()));
}

TEST_F(Tls, SpeaksOldVersionsWhereItIsToldTo) {
  TlsSettings old = server_settings();
  old.min_version = "1.0";
  listen(old);
  TlsSettings client = client_settings();
  client.min_version = "1.0";
  client.max_version = "1.1";
  const auto answer = call(client);
  EXPECT_TRUE(answer) << answer.error().message;
}

TEST_F(Tls, HoldsTheSuitesAndCurvesItIsGiven) {
  TlsSettings chosen = server_settings();
  chosen.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
  chosen.max_version = "1.2";
  listen(chosen);
  TlsSettings client = client_settings();
  EXPECT_TRUE(call(client));
  client.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  expect_refused(call(client), "handshake failure");
  client.cipher_suites.emplace_back("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
  EXPECT_TRUE(call(client));

  chosen = server_settings();
  chosen.curve_preferences = {"X25519MLKEM768", "P384"};
  listen(chosen);
  client = client_settings();
  EXPECT_TRUE(call(client));
  client.curve_preferences = {"X25519"};
  expect_refused(call(client), "handshake failure");
}

TEST_F(Tls, OnlySuitesOfTheNewestVersionMeanThatVersion) {
  TlsSettings newest = server_settings();
  newest.cipher_suites = {"TLS_AES_128_GCM_SHA256"};
  listen(newest);
  EXPECT_TRUE(call(client_settings()));
  TlsSettings old = client_settings();
  old.max_version = "1.2";
  expect_refused(call(old), "protocol version");
}

TEST_F(Tls, ReadsAServersCertificateAgain) {
  TlsSettings files;
  files.cert_file = write_test_file("tls_test_reload.crt", server_.cert_pem());
  files.key_file = write_test_file("tls_test_reload.key", server_.key_pem());
  files.reload_interval = std::chrono::nanoseconds(1);
  listen(files);
  EXPECT_TRUE(call(client_settings()));
  // Half of what is being written is no reason to turn anybody away.
  write_test_file("tls_test_reload.crt", server_.cert_pem().substr(0, 100));
  EXPECT_TRUE(call(client_settings()));
  const TestCertificate second = make_certificate("second", nullptr);
  const TestCertificate next = make_certificate("server", &second, "DNS:localhost");
  write_test_file("tls_test_reload.crt", next.cert_pem());
  write_test_file("tls_test_reload.key", next.key_pem());
  expect_refused(call(client_settings()), "the certificate is refused");
  TlsSettings renewed;
  renewed.ca_pem = second.cert_pem();
  EXPECT_TRUE(call(renewed));
}

TEST_F(Tls, ReadsAClientsAuthorityAgain) {
  listen(server_settings());
  TlsSettings settings;
  settings.ca_file =
      write_test_file("tls_test_authority.pem", make_certificate("stranger", nullptr).cert_pem());
  settings.reload_interval = std::chrono::nanoseconds(1);
  GrpcClientOptions options;
  options.endpoint = "https://localhost:" + std::to_string(listening_->port());
  options.tls = make_tls_client(settings).value();
  GrpcClient client(loop_, std::move(options));
  const auto once = [&] { return call_and_wait(loop_, client, "/a.B/C", Bytes::copy("hello")); };
  EXPECT_FALSE(once());
  write_test_file("tls_test_authority.pem", authority_.cert_pem());
  EXPECT_EQ(once(), "hello");
}

TEST_F(Tls, ReadsTheAuthoritiesOfClientsAgainOnlyWhereItIsToldTo) {
  const TestCertificate other = make_certificate("other", nullptr);
  TlsSettings own = client_settings();
  const TestCertificate mine = make_certificate("client", &other);
  own.cert_pem = mine.cert_pem();
  own.key_pem = mine.key_pem();
  for (const bool reload : {true, false}) {
    TlsSettings mutual = server_settings();
    mutual.client_ca_file = write_test_file("tls_test_clients.pem", authority_.cert_pem());
    mutual.client_ca_file_reload = reload;
    mutual.client_ca_file_interval = std::chrono::nanoseconds(1);
    listen(mutual);
    EXPECT_FALSE(call(own));
    write_test_file("tls_test_clients.pem", other.cert_pem());
    EXPECT_EQ(call(own).has_value(), reload);
  }
}

TEST_F(Tls, AClientInTheClearIsToldNothingAndEndsSoon) {
  listen(server_settings());
  GrpcClient client(loop_, "127.0.0.1:" + std::to_string(listening_->port()), seconds(20));
  ASSERT_FALSE(call_and_wait(loop_, client, "/a.B/C", Bytes::copy("a")));
  EXPECT_EQ(listening_->connections(), 0u);
}

TEST_F(Tls, SaysWhichSettingIsWrong) {
  const auto why = [](const auto& made) { return made ? "" : made.error().message; };
  TlsSettings settings = server_settings();
  settings.key_pem = make_certificate("x", nullptr).key_pem();
  EXPECT_TRUE(why(make_tls_server(settings)).starts_with("tls: key_pem: it does not fit cert_pem"))
      << why(make_tls_server(settings));
  settings.key_pem.clear();
  EXPECT_EQ(why(make_tls_server(settings)),
            "tls: provide both a certificate and its key, or neither");
  EXPECT_EQ(why(make_tls_server({})), "tls: a server needs a certificate: cert_file and key_file");
  TlsSettings client;
  client.ca_file = "/no/such/ca.pem";
  EXPECT_EQ(why(make_tls_client(client)),
            "tls: ca_file: /no/such/ca.pem: No such file or directory");
  client.ca_file = write_test_file("tls_test_garbage.pem", "garbage");
  EXPECT_NE(why(make_tls_client(client)).find("it holds no certificate: no start line"),
            std::string::npos);
  client.ca_pem = "both";
  EXPECT_FALSE(check_tls(client));
  client = {};
  client.min_version = "1.4";
  EXPECT_FALSE(check_tls(client));
  client = {};
  client.max_version = "1.1";
  EXPECT_FALSE(check_tls(client));
  client = {};
  client.cipher_suites = {"TLS_NONE_OF_THESE"};
  EXPECT_EQ(why(check_tls(client)), "cipher_suites: \"TLS_NONE_OF_THESE\" is no cipher suite");
  client.cipher_suites = {"TLS_RSA_WITH_AES_128_CBC_SHA"};
  EXPECT_EQ(why(check_tls(client)),
            "cipher_suites: \"TLS_RSA_WITH_AES_128_CBC_SHA\" is weak; "
            "include_insecure_cipher_suites allows it");
  client.include_insecure_cipher_suites = true;
  EXPECT_TRUE(check_tls(client));
  client = {};
  client.curve_preferences = {"P224"};
  EXPECT_EQ(why(check_tls(client)),
            "curve_preferences: \"P224\" is none of P256, P384, P521, X25519, X25519MLKEM768");
}

}  // namespace
}  // namespace sonde::net
