// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "components/extension/healthcheckv2/answers.h"
#include "components/extension/healthcheckv2/grpc_health.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_extension_healthcheckv2();

namespace sonde::healthcheckv2 {
namespace {

using enum pipeline::StatusKind;
using pipeline::Health;
using pipeline::HealthRule;
using pipeline::StatusKind;

constexpr int64_t kStart = 1'767'322'845'000'000'000;  // 2026-01-02T03:00:45Z
constexpr int64_t kSecond = 1'000'000'000;

Health one(StatusKind kind, std::string error = {}, int64_t after = 1) {
  return {.status = {kind, std::move(error)}, .since_unix_ns = kStart + after * kSecond};
}
Health whole() {
  Health all = one(RecoverableError, "refused", 2);
  all.parts["extensions"] = one(Ok);
  all.parts["extensions"].parts["extension:zpages"] = one(Ok);
  all.parts["pipeline:traces"] = one(RecoverableError, "refused", 2);
  return all;
}
net::Response ask(const Health& health, const StatusQuestion& question,
                  std::optional<HealthRule> rule = {}, int64_t after = 10) {
  return status_answer(health, question, rule, kStart, kStart + after * kSecond);
}

TEST(HealthCheckV2, WritesTheMembersOfTheCollectorInItsOrder) {
  const auto answer = ask(whole(), {});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(
      answer.body,
      R"({"start_time":"2026-01-02T03:00:45Z","healthy":true,"status":"StatusRecoverableError",)"
      R"("error":"refused","status_time":"2026-01-02T03:00:47Z","attributes":{}})");
  EXPECT_EQ(ask(whole(), {.scope = "extensions", .verbose = true}).body,
            R"({"start_time":"2026-01-02T03:00:45Z","healthy":true,"status":"StatusOK",)"
            R"("status_time":"2026-01-02T03:00:46Z","attributes":{},"components":{)"
            R"("extension:zpages":{"healthy":true,"status":"StatusOK",)"
            R"("status_time":"2026-01-02T03:00:46Z","attributes":{}}}})");
  EXPECT_EQ(ask(whole(), {.scope = "logs"}).status, 404);
}

TEST(HealthCheckV2, AnswersWithTheStatusThatTheCollectorMapsTo) {
  const std::map<StatusKind, int> codes = {
      {None, 503},           {Starting, 503},   {Ok, 200},       {RecoverableError, 200},
      {PermanentError, 200}, {FatalError, 500}, {Stopping, 503}, {Stopped, 503}};
  for (const auto& [kind, code] : codes) EXPECT_EQ(ask(one(kind), {}).status, code);
  EXPECT_EQ(ask(one(PermanentError), {}, HealthRule{.permanent = true}).status, 500);
  const HealthRule rule{.recoverable = true, .recovery = std::chrono::seconds(5)};
  EXPECT_EQ(ask(one(RecoverableError), {}, rule, 5).status, 200);
  EXPECT_EQ(ask(one(RecoverableError), {}, rule, 6).status, 500);
}

TEST(HealthCheckV2, ReadsWhetherThePartsAreWanted) {
  const auto verbose = [](std::string query) {
    net::Request request;
    request.query = std::move(query);
    return read_question(request).verbose;
  };
  EXPECT_FALSE(verbose(""));
  EXPECT_TRUE(verbose("verbose"));
  EXPECT_TRUE(verbose("verbose=true"));
  EXPECT_FALSE(verbose("verbose=false"));
}

TEST(HealthCheckV2, AnswersPlainlyWithoutV2) {
  const auto plain = [](StatusKind kind, std::optional<PlainBodies> bodies = {}) {
    return plain_answer(one(kind), {}, bodies, kStart, kStart + 90 * kSecond);
  };
  EXPECT_EQ(plain(PermanentError).status, 200);
  EXPECT_EQ(plain(Ok).body,
            R"({"status":"Server available","upSince":"2026-01-02T03:00:45Z","uptime":"1m30s"})");
  EXPECT_EQ(plain(FatalError).status, 503);
  EXPECT_EQ(plain(Starting).body,
            R"({"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""})");
  EXPECT_EQ(plain(Ok, PlainBodies{"good", "bad"}).body, "good");
  EXPECT_EQ(plain(Stopping, PlainBodies{"good", "bad"}).body, "bad");
}

TEST(HealthCheckV2, SpeaksTheMessagesOfGrpcHealth) {
  EXPECT_EQ(decode_request(""), "");
  EXPECT_EQ(decode_request("\x0a\x06traces"), "traces");
  EXPECT_FALSE(decode_request("\x0a\x09traces"));
  EXPECT_FALSE(decode_request("\x08\x01"));
  EXPECT_EQ(encode_response(Serving::Serving), "\x08\x01");
  EXPECT_EQ(encode_response(Serving::NotServing), "\x08\x02");
  EXPECT_EQ(serving_of(one(Ok), {}, 0), Serving::Serving);
  EXPECT_EQ(serving_of(one(PermanentError), {}, 0), Serving::Serving);
  EXPECT_EQ(serving_of(one(PermanentError), {.permanent = true}, 0), Serving::NotServing);
  for (const StatusKind kind : {None, Starting, FatalError, Stopping, Stopped}) {
    EXPECT_EQ(serving_of(one(kind), {}, 0), Serving::NotServing);
  }
}

TEST(HealthCheckV2, RefusesWhatTheCollectorRefuses) {
  const auto refusal = [](std::string_view settings) {
    auto made =
        pipeline::TestComponent::make(sonde_component_extension_healthcheckv2(), settings, {});
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(refusal("{use_v2: true, http: }"), "");
  EXPECT_NE(refusal("{use_v2: true}").find("must specify at least one protocol"),
            std::string::npos);
  EXPECT_NE(refusal("{endpoint: ''}").find("http endpoint required"), std::string::npos);
  EXPECT_NE(refusal("{path: x}").find("path must start with /"), std::string::npos);
  EXPECT_NE(refusal("{use_v2: true, http: {status: {path: x}}}").find("path must start with /"),
            std::string::npos);
  EXPECT_NE(refusal("{use_v2: true, grpc: {endpoint: ''}}").find("grpc endpoint required"),
            std::string::npos);
}

}  // namespace
}  // namespace sonde::healthcheckv2
