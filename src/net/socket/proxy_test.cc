// SPDX-License-Identifier: Apache-2.0
#include "net/socket/proxy.h"

#include <gtest/gtest.h>

#include "net/grpc/grpc_client.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"

namespace sonde::net {
namespace {

TEST(Proxy, IsReadAsUsersWriteIt) {
  const auto read = [](std::string_view text) {
    const auto proxy = parse_proxy(text);
    return proxy ? proxy->address.to_string() + " " + proxy->authorization : proxy.error().message;
  };
  EXPECT_EQ(read("http://proxy:3128"), "proxy:3128 ");
  EXPECT_EQ(read("proxy:3128/"), "proxy:3128 ");
  EXPECT_EQ(read("http://proxy"), "proxy:80 ");
  EXPECT_EQ(read("http://Aladdin:open%20sesame@[::1]:1"),
            "[::1]:1 Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(read("http://user@proxy:1"), "proxy:1 Basic dXNlcjo=");
  EXPECT_EQ(read("socks5://me:secret@proxy:1"),
            "proxy \"proxy:1\": only http:// proxies are known");
  EXPECT_FALSE(parse_proxy("http://a%zz@proxy"));
  EXPECT_FALSE(parse_proxy("http://proxy:99999"));
  EXPECT_FALSE(parse_proxy(""));
}

TEST(Proxy, IsLeftOutForWhatNoProxyNames) {
  const auto without = [](std::string_view host, std::string_view list) {
    return is_without_proxy({std::string(host), 4317}, list);
  };
  EXPECT_TRUE(without("a.example", "*"));
  EXPECT_TRUE(without("a.example", "b.example, A.example"));
  EXPECT_TRUE(without("x.a.example", "a.example"));
  EXPECT_FALSE(without("xa.example", "a.example"));
  EXPECT_TRUE(without("x.a.example", ".a.example"));
  EXPECT_FALSE(without("a.example", ".a.example"));
  EXPECT_TRUE(without("x.a.example", "*.a.example"));
  EXPECT_TRUE(without("a.example", "a.example:4317"));
  EXPECT_FALSE(without("a.example", "a.example:80"));
  EXPECT_TRUE(without("10.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(without("11.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(without("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(without("10.1.2.3", "10.1.2.3:80"));
  EXPECT_TRUE(without("fd00::1", "fd00::/8"));
  EXPECT_TRUE(without("fd00::1", "[fd00::1]:4317"));
  EXPECT_FALSE(without("fd00::1", "10.0.0.0/8"));
  EXPECT_FALSE(without("a.example", "10.0.0.0/8,,10.0.0.0/99, /, :80"));
  EXPECT_FALSE(without("a.example", ""));
}

TEST(Proxy, IsChosenByTheEnvironment) {
  const ProxyEnvironment environment{"http://plain:1", "secure:2", "inside.example"};
  const auto chosen = [&](std::string_view url) {
    const auto proxy = proxy_for(parse_url(url).value(), environment);
    if (!proxy) return proxy.error().message;
    return *proxy ? (*proxy)->address.to_string() : "";
  };
  EXPECT_EQ(chosen("http://a.example"), "plain:1");
  EXPECT_EQ(chosen("https://a.example"), "secure:2");
  EXPECT_EQ(chosen("https://x.inside.example"), "");
  EXPECT_EQ(chosen("http://localhost:4318"), "");
  EXPECT_EQ(chosen("http://127.0.0.7:4318"), "");
  EXPECT_EQ(chosen("unix:/a"), "");
  const auto wrong = proxy_for(parse_url("http://a").value(), {"ftp://x", "", ""});
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error().message.starts_with("HTTP_PROXY: ")) << wrong.error().message;
}

class ThroughProxy : public ::testing::Test {
 protected:
  void serve() {
    auto made = HttpServer::listen(loop_, "127.0.0.1:0", [this](Request& request, Responder to) {
      seen_ = std::move(request);
      to.respond({200, "text/plain", "from the proxy", {}});
    });
    ASSERT_TRUE(made);
    server_ = std::move(*made);
    proxy_ = parse_proxy("http://me:pass@127.0.0.1:" + std::to_string(server_->port())).value();
  }
  Result<HttpResponse> get(HttpClientOptions options) {
    options.proxy = proxy_;
    HttpClient client(loop_, std::move(options));
    return request_and_wait(loop_, client, "GET", "/path");
  }
  Loop loop_;
  std::unique_ptr<HttpServer> server_;
  Proxy proxy_;
  Request seen_;
};

TEST_F(ThroughProxy, GoPlainRequestsWhole) {
  serve();
  const auto answer = get({.base_url = "http://collector.example:4318/base"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "from the proxy");
  EXPECT_EQ(seen_.target, "http://collector.example:4318/base/path");
  EXPECT_EQ(seen_.path, "/base/path");
  EXPECT_EQ(seen_.header("host"), "collector.example:4318");
  EXPECT_EQ(seen_.header("proxy-authorization"), "Basic bWU6cGFzcw==");
}

TEST_F(ThroughProxy, ARefusedTunnelIsToldWithItsStatus) {
  serve();  // It knows no CONNECT.
  HttpClientOptions options{.base_url = "https://collector.example"};
  options.tls = make_tls_client({}, HttpVersion::Http1).value();
  const auto answer = get(std::move(options));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(answer.error().message.find("opened no tunnel to collector.example:443: HTTP/1.1 400"),
            std::string::npos)
      << answer.error().message;
}

}  // namespace
}  // namespace sonde::net
