// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/temporary_directory.h"
#include "config/yaml.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/authenticator_fixture.h"

const sonde::pipeline::ComponentType& sonde_component_extension_headers_setter();
const sonde::pipeline::ComponentType& sonde_component_extension_bearertokenauth();

namespace sonde {
namespace {

std::string text(const Result<net::Headers>& headers) {
  if (!headers) return "error: " + headers.error().message;
  std::string out;
  for (const net::Header& header : *headers) out += header.name + "=" + header.value + ";";
  return out;
}

class HeadersSetterTest : public pipeline::AuthenticatorTest<pipeline::TestHost> {
 protected:
  HeadersSetterTest() : AuthenticatorTest(sonde_component_extension_headers_setter()) {}
  std::string set(net::Headers headers, const RequestContext* context = nullptr,
                  net::Carrier carrier = net::Carrier::Http) {
    Result<net::Headers> out;
    client().authorize(carrier, std::move(headers), context, host_.scheduler(),
                       [&](Result<net::Headers> answer) { out = std::move(answer); });
    return text(out);
  }

  std::unique_ptr<pipeline::Component> other_;
};

TEST_F(HeadersSetterTest, InsertsUpdatesUpsertsAndDeletes) {
  ASSERT_TRUE(start(
      "{headers: [{action: insert, key: a, value: '1'}, {action: update, key: B, value: '2'}, "
      "{action: upsert, key: c, value: '3'}, {action: delete, key: D}, {key: e, value: ''}]}"));
  EXPECT_EQ(set({}), "a=1;c=3;e=;");
  EXPECT_EQ(set({{"A", "0"}, {"b", "0"}, {"C", "0"}, {"d", "0"}, {"f", "0"}}),
            "A=0;f=0;B=2;c=3;e=;");
  EXPECT_FALSE(client().needs_encryption());
}

TEST_F(HeadersSetterTest, TakesValuesFromWhatCameWithTheData) {
  ASSERT_TRUE(
      start("{headers: [{action: insert, key: tenant, from_context: X-Tenant}, "
            "{action: insert, key: who, from_attribute: username, default_value: nobody}, "
            "{action: insert, key: region, from_context: region, default_value: eu}]}"));
  RequestContext context;
  context.metadata = {{"x-tenant", "acme"}, {"other", "1"}};
  context.auth = {{"username", "me"}};
  EXPECT_EQ(set({}, &context), "tenant=acme;who=me;region=eu;");
  EXPECT_EQ(set({}), "tenant=;who=nobody;region=eu;");
  context.metadata.emplace_back("x-tenant", "umbrella");
  EXPECT_TRUE(set({}, &context).starts_with("error: header \"tenant\": the request had 2 values"));
}

TEST_F(HeadersSetterTest, TakesAValueFromAFileThatMayChange) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "value").string();
  const std::string settings =
      "{headers: [{action: upsert, key: a, value: x}, {action: upsert, key: b, value_file: " +
      path + "}]}";
  expect_refused(start(settings), "headers::1::value_file: cannot read");
  std::ofstream(path) << "first\n";
  ASSERT_TRUE(start(settings));
  EXPECT_EQ(set({}), "a=x;b=first;");
  std::ofstream(path) << "another";
  host_.scheduler().advance(std::chrono::seconds(1));
  EXPECT_EQ(set({}), "a=x;b=another;");
}

TEST_F(HeadersSetterTest, AddsToAnotherAuthenticator) {
  const config::Value value = *config::parse_yaml("{token: secret}", "test.yaml");
  other_ = std::move(*sonde_component_extension_bearertokenauth().create(value, "bearer", {}));
  ASSERT_TRUE(other_->start(host_));
  host_.extensions["bearer"] = other_.get();
  ASSERT_TRUE(
      start("{headers: [{action: update, key: Authorization, value: ours}], "
            "additional_auth: bearer}"));
  EXPECT_TRUE(client().needs_encryption());
  // Over gRPC the other one comes first, over HTTP it has the last word.
  EXPECT_EQ(set({}, nullptr, net::Carrier::Grpc), "Authorization=ours;");
  EXPECT_EQ(set({}, nullptr, net::Carrier::Http), "Authorization=Bearer secret;");
}

// As one that fetches a token, which a reload leaves as it is while it waits.
class Waiting final : public pipeline::Component, public pipeline::ClientAuthenticator {
 public:
  void authorize(net::Carrier, net::Headers, const RequestContext*, Scheduler&,
                 Done done) override {
    asked.push_back(std::move(done));
  }
  std::vector<Done> asked;
};

TEST_F(HeadersSetterTest, AnAnswerThatComesWhenItIsGoneHarmsNobody) {
  const std::string key = "x-" + std::string(100, 'k');  // None of it fits into a string object.
  const std::string wanted = "x-" + std::string(100, 'w'), value(100, 'v');
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "value").string();
  std::ofstream(path) << "from a file";
  for (const auto carrier : {net::Carrier::Grpc, net::Carrier::Http}) {
    Waiting other;
    host_.extensions["waiting"] = &other;
    ASSERT_TRUE(start("{headers: [{action: upsert, key: " + key + ", from_context: " + wanted +
                      ", default_value: " + value + "}, {action: upsert, key: f, value_file: " +
                      path + "}], additional_auth: waiting}"));
    std::vector<std::string> answers;
    const auto ask = [&](const RequestContext* context) {
      client().authorize(carrier, {}, context, host_.scheduler(),
                         [&](Result<net::Headers> answer) { answers.push_back(text(answer)); });
    };
    auto context = std::make_unique<RequestContext>();
    context->metadata = {{wanted, value + "!"}};
    ask(context.get());
    ask(nullptr);
    context.reset();
    extension_.reset();
    ASSERT_EQ(other.asked.size(), 2u);
    for (auto& done : other.asked) done(net::Headers{{"theirs", "1"}});
    const auto expected = [&](std::string_view said) {
      const bool last = carrier == net::Carrier::Grpc;  // Over HTTP the other one is.
      return last ? fmt::format("theirs=1;{}={};f=from a file;", key, said) : "theirs=1;";
    };
    EXPECT_EQ(answers, (std::vector{expected(value + "!"), expected(value)}));
  }
}

TEST_F(HeadersSetterTest, NeedsTheOtherAuthenticatorToRun) {
  const auto started = start("{headers: [{key: a, value: b}], additional_auth: bearer}");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "additional_auth: auth extension \"bearer\" not found");
  const auto make = [&](const std::string& additional) {
    const config::Value value = *config::parse_yaml(
        "{headers: [{key: a, value: b}], additional_auth: " + additional + "}", "test.yaml");
    return std::move(*sonde_component_extension_headers_setter().create(value, "x", {}));
  };
  const auto first = make("second"), second = make("first");
  host_.extensions = {{"first", first.get()}, {"second", second.get()}};
  EXPECT_TRUE(first->start(host_));
  EXPECT_FALSE(second->start(host_));
  class Other final : public pipeline::Component {};
  Other other;
  host_.extensions["bearer"] = &other;
  ASSERT_TRUE(start("{headers: [{key: a, value: b}], additional_auth: bearer}"));
  EXPECT_EQ(set({}), "a=b;");
}

TEST_F(HeadersSetterTest, ShowsNoSecrets) {
  const auto shown = config::effective(
      *config::parse_yaml("{headers: [{key: a, value: hidden}, {key: b, from_context: c, "
                          "default_value: hidden}]}",
                          "test.yaml"),
      *sonde_component_extension_headers_setter().fields, "x", false);
  ASSERT_TRUE(shown);
  const auto& headers = shown->find("headers")->items;
  EXPECT_EQ(headers.at(0).find("value")->text, "[REDACTED]");
  EXPECT_EQ(headers.at(1).find("default_value")->text, "[REDACTED]");
}

TEST_F(HeadersSetterTest, RefusesWhatHasNoKeyOrNotOneSource) {
  expect_refused(start("{}"), "missing headers configuration");
  expect_refused(start("{headers: [{value: a}]}"), "headers::0: missing header name");
  expect_refused(start("{headers: [{action: delete, key: a}, {key: a}]}"),
                 "headers::1: missing header source");
  expect_refused(start("{headers: [{key: a, value: b, from_context: c}]}"), "must be only one of");
  EXPECT_TRUE(start("{headers: [{action: replace, key: a, value: b}]}"));
  EXPECT_EQ(set({{"a", "old"}}), "a=b;");
}

}  // namespace
}  // namespace sonde
