// SPDX-License-Identifier: Apache-2.0
#include "net/socket/address.h"

#include <gtest/gtest.h>

namespace sonde::net {
namespace {

std::string error_of(std::string_view text) {
  const auto parsed = parse_address(text);
  return parsed ? "no error" : parsed.error().message;
}

TEST(Address, ReadsHostAndPort) {
  EXPECT_EQ(parse_address("127.0.0.1:4317")->to_string(), "127.0.0.1:4317");
  EXPECT_EQ(parse_address("[::1]:4318")->to_string(), "[::1]:4318");
  EXPECT_EQ(parse_address(":8888")->host, "");
  EXPECT_EQ(parse_address("localhost:0")->port, 0);
}

TEST(Address, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("localhost:70000"), "address \"localhost:70000\": port 70000 is above 65535");
  EXPECT_EQ(error_of("a:99999999999999999999999"),
            "address \"a:99999999999999999999999\": port 99999999999999999999999 is above 65535");
  EXPECT_EQ(error_of("localhost:http"),
            "address \"localhost:http\": port \"http\" is not a number");
  EXPECT_EQ(error_of("localhost:-1"), "address \"localhost:-1\": port \"-1\" is not a number");
  EXPECT_EQ(error_of("localhost"),
            "address \"localhost\": the port is missing; expected \"host:port\"");
  EXPECT_EQ(error_of("localhost:"), "address \"localhost:\": the port is missing after \":\"");
  EXPECT_EQ(error_of("::1:4317"),
            "address \"::1:4317\": an IPv6 address needs brackets, as in \"[::1]:4317\"");
  EXPECT_EQ(error_of("[::1"), "address \"[::1\": \"[\" has no matching \"]\"");
  EXPECT_EQ(error_of(""), "address \"\": it is empty; expected \"host:port\"");
  EXPECT_EQ(error_of("http://a:1"),
            "address \"http://a:1\": expected \"host:port\" without a scheme");
  EXPECT_NE(error_of("a b:1"), "no error");
}

TEST(Url, ReadsSchemeAddressAndPath) {
  const auto url = parse_url("http://collector:4318/base/");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->address.to_string(), "collector:4318");
  EXPECT_EQ(url->path, "/base");
  EXPECT_EQ(parse_url("http://collector")->address.port, 80);
  EXPECT_EQ(parse_url("https://collector")->address.port, 443);
  EXPECT_TRUE(parse_url("https://collector")->tls);
  EXPECT_EQ(parse_url("collector:4317")->address.port, 4317);
  EXPECT_EQ(parse_url("http://collector", 4318)->address.port, 4318);
  EXPECT_EQ(parse_url("http://collector")->authorization, "");
  const auto with_user = parse_url("https://user:p%40ss@collector:1/base");
  ASSERT_TRUE(with_user);
  EXPECT_EQ(with_user->authority(), "collector:1");
  EXPECT_EQ(with_user->authorization, "Basic dXNlcjpwQHNz");
}

TEST(Url, IsShownWithoutWhatMayBeSecret) {
  EXPECT_EQ(shown_url("https://user:p@ss@host:1/a@b?token=x#y"), "https://host:1/a@b");
  EXPECT_EQ(shown_url("http://host/v1/traces"), "http://host/v1/traces");
  EXPECT_EQ(shown_url("host:1"), "host:1");
  EXPECT_EQ(shown_url("unix:/run/x"), "unix:/run/x");
  // Passwords that nobody encoded.
  EXPECT_EQ(shown_url("http://user:s3/cret@host:1/a"), "http://host:1/a");
  for (const char* url : {"http://user:s3?cret@host:1/a", "http://user:s3#cret@host:1/a"}) {
    EXPECT_EQ(shown_url(url), "http://...");
  }
}

TEST(Url, SaysWhatIsWrong) {
  EXPECT_EQ(parse_url("ftp://a").error().message,
            "address \"ftp://a\": scheme \"ftp\" is not http or https");
  EXPECT_EQ(parse_url("http://:80").error().message, "address \"http://:80\": the host is missing");
  EXPECT_EQ(parse_url("http://a:0").error().message,
            "address \"http://a:0\": port 0 cannot be connected to");
  EXPECT_EQ(parse_url("http://a/b?c").error().message,
            "address \"http://a/b\": a query, a fragment or a space is not allowed here");
  EXPECT_EQ(parse_url("http://user:s3/cret@a").error().message,
            "address \"http://a\": write /, ?, # and @ of a user and password as %2F, %3F, %23 and "
            "%40");
  EXPECT_EQ(parse_url("http://user:s3?cret@a").error().message,
            "address \"http://...\": write /, ?, # and @ of a user and password as %2F, %3F, %23 "
            "and %40");
  EXPECT_EQ(parse_url("http://user:secret@a:x").error().message,
            "address \"http://a:x\": port \"x\" is not a number");
  EXPECT_EQ(parse_url("http://us%er@a").error().message,
            "address \"http://a\": its user has a broken percent escape");
}

}  // namespace
}  // namespace sonde::net
