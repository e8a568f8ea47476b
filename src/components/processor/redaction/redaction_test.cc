// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_redaction();

namespace sonde {
namespace {

using pipeline::TestComponent;

std::string log_after(std::string_view settings, std::string_view lines) {
  TestComponent redaction(sonde_component_processor_redaction(), settings);
  EXPECT_EQ(redaction.error, "");
  if (!redaction.component) return {};
  const std::string head = "logs\n  resource\n    scope\n      log\n";
  const std::string out = redaction.give(head + std::string(lines));
  return out.substr(std::min(out.size(), head.size()));
}

TEST(Redaction, FailsClosed) {
  EXPECT_EQ(log_after("{}", "        body: \"b\"\n        a = 1\n        b = \"x\"\n"),
            "        body: \"b\"\n");
}

TEST(Redaction, MasksValuesAndTellsOfIt) {
  EXPECT_EQ(log_after("{allow_all_keys: true, blocked_values: ['4[0-9]{15}'], allowed_values: "
                      "['@mycompany[.]com$'], blocked_key_patterns: ['.*token.*'], ignored_keys: "
                      "[safe], summary: debug}",
                      "        card = \"is 4111111111111111.\"\n        api_token = \"secret\"\n"
                      "        mail = \"a@mycompany.com\"\n        safe = \"4111111111111111\"\n"
                      "        number = 4111111111111111\n"),
            "        card = \"is ****.\"\n        api_token = \"****\"\n"
            "        mail = \"a@mycompany.com\"\n        safe = \"4111111111111111\"\n"
            "        number = 4111111111111111\n"
            "        redaction.masked.keys = \"api_token,card\"\n"
            "        redaction.masked.count = 2\n        redaction.allowed.keys = \"mail\"\n"
            "        redaction.allowed.count = 1\n        redaction.ignored.count = 1\n");
}

TEST(Redaction, HashesAndLooksAtEveryType) {
  EXPECT_EQ(log_after("{allow_all_keys: true, blocked_values: ['abc|42'], hash_function: md5, "
                      "redact_all_types: true}",
                      "        a = \"abc\"\n        n = 42\n"),
            "        a = \"900150983cd24fb0d6963f7d28e17f72\"\n"
            "        n = \"a1d0c6e83f027327d8461063f4ac58a6\"\n");
}

TEST(Redaction, GoesThroughBodiesOfEveryShape) {
  EXPECT_EQ(
      log_after(
          "{allowed_keys: [user, list, name], blocked_values: [secret], summary: debug}",
          "        body: {user = {name = \"a secret\", mail = \"x\"}, list = [\"secret\", 1]}\n"),
      "        body: {user = {name = \"a ****\"}, list = [\"****\", 1]}\n"
      "        redaction.body.redacted.keys = \"user.mail\"\n"
      "        redaction.body.redacted.count = 1\n"
      "        redaction.body.masked.keys = \"list.[0],user.name\"\n"
      "        redaction.body.masked.count = 2\n");
  EXPECT_EQ(log_after("{blocked_values: [secret]}", "        body: \"my secret\"\n"),
            "        body: \"my ****\"\n");
}

TEST(Redaction, RefusesWhatCannotBeMeant) {
  const auto refusal = [](std::string_view settings) {
    return TestComponent(sonde_component_processor_redaction(), settings).error;
  };
  EXPECT_NE(refusal("hash_function: hmac-sha256").find("needs one"), std::string::npos);
  EXPECT_NE(refusal("blocked_values: ['(']").find("blocked_values: "), std::string::npos);
}

// A long key over many values would be told once for each of them: gigabytes for one request.
TEST(Redaction, TellsOfBodiesNoMoreThanSomeTimesTheirSize) {
  constexpr size_t kValues = 500;
  std::string body = "        body: {" + std::string(20'000, 'k') + " = {";
  for (size_t i = 0; i < kValues; ++i)
    body += (i == 0 ? "a" : ", a") + std::to_string(i) + " = \"secret\"";
  body += "}}\n";
  const std::string out =
      log_after("{allow_all_keys: true, blocked_values: [secret], summary: debug}", body);
  EXPECT_EQ(out.find("secret"), std::string::npos);
  EXPECT_NE(out.find("redaction.body.masked.count = 500\n"), std::string::npos);
  EXPECT_NE(out.find("redaction.body.masked.keys = \"kkk"), std::string::npos);
  EXPECT_LT(out.size(), 6 * body.size());
}

}  // namespace
}  // namespace sonde
