// SPDX-License-Identifier: Apache-2.0
//
// What the cases of tests/config cannot say: bounds, options, and the forms of messages.
#include "config/resolve.h"

#include <gtest/gtest.h>

#include "config/expand.h"
#include "config/print.h"

namespace sonde::config {
namespace {

Providers providers() {
  return local_providers([](std::string_view name) -> std::optional<std::string> {
    if (name == "TWICE") return "x${env:TWICE}${env:TWICE}";
    if (name == "NESTED") return "k: ${env:NESTED}";
    return std::nullopt;
  });
}

Result<Resolution> read(std::vector<std::string> texts, const ResolveOptions& options = {}) {
  for (std::string& text : texts) text = "yaml:" + text;
  return resolve(texts, providers(), options);
}

TEST(Resolve, JoinsListsOfComponentsWhereTheGateSaysSo) {
  const std::vector<std::string> texts = {
      "{service: {extensions: [a], pipelines: {traces: {receivers: [r], processors: [p]}}}, x: "
      "[1]}",
      "{service: {extensions: [b, a], pipelines: {traces: {receivers: [s], processors: [q]}}}, x: "
      "[2]}"};
  auto joined = read(texts, {.join_lists = true});
  ASSERT_TRUE(joined) << joined.error().message;
  const Value* service = joined->root.find("service");
  const Value* traces = service->find("pipelines")->find("traces");
  EXPECT_EQ(to_yaml(*service->find("extensions")), "- a\n- b\n");
  EXPECT_EQ(to_yaml(*traces->find("receivers")), "- r\n- s\n");
  EXPECT_EQ(to_yaml(*traces->find("processors")), "- q\n");
  EXPECT_EQ(to_yaml(*joined->root.find("x")), "- 2\n");
  auto replaced = read(texts);
  ASSERT_TRUE(replaced);
  EXPECT_EQ(to_yaml(*replaced->root.find("service")->find("extensions")), "- b\n- a\n");
}

TEST(Resolve, NamesTheMistakesOfEveryFile) {
  auto result = read({"a: [", "b: {"});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("yaml:a:2: while parsing"), std::string::npos)
      << result.error().message;
  EXPECT_NE(result.error().message.find("yaml:b:2: while parsing"), std::string::npos)
      << result.error().message;
}

TEST(Resolve, ShowsNeitherThePasswordNorTheQueryOfASource) {
  Providers all = providers();
  all["http"] = [](std::string_view rest) -> Result<Retrieved> {
    if (rest.ends_with("gone")) return fail(ErrorKind::Unavailable, "it is away");
    return Retrieved{.text = "a: ["};
  };
  const auto error = [&](std::vector<std::string> uris) {
    auto result = resolve(uris, all, {});
    return result ? "no error" : result.error().message;
  };
  EXPECT_TRUE(error({"http://me:s3/cret@h/x.yaml?key=s3"}).starts_with("http://h/x.yaml:2: "))
      << error({"http://me:s3/cret@h/x.yaml?key=s3"});
  EXPECT_TRUE(error({"ftp://me:s3@h/x"}).starts_with("--config ftp://h/x: there is no source"));
  for (const char* source : {"http://me:s3@h/gone", "http://me:s3?@h/gone", "ftp://me:s3@h/"}) {
    const std::string message = error({"yaml:a: ${" + std::string(source) + "}"});
    EXPECT_EQ(message.find("s3"), std::string::npos) << message;
    EXPECT_NE(message.find("| a: ***"), std::string::npos) << message;
  }
}

TEST(Expand, EndsWhatGrowsWithoutEnd) {
  for (const char* text : {"a: ${env:TWICE}", "a: y${env:TWICE}", "a: ${env:NESTED}"}) {
    auto result = read({text});
    ASSERT_FALSE(result) << text;
    EXPECT_NE(result.error().message.find("does one name itself?"), std::string::npos)
        << result.error().message;
  }
}

TEST(Expand, FindsEveryMistake) {
  auto result = read({"{a: \"${no:x}\", b: [1, \"${env:1}\"]}"});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("a: ${no:x}: there is no source \"no\""), std::string::npos)
      << result.error().message;
  EXPECT_NE(result.error().message.find("b::1: ${env:1}"), std::string::npos)
      << result.error().message;
}

TEST(Problems, AreCountedPastTheBound) {
  Problems problems;
  for (int i = 0; i < 100; ++i) problems.add({}, "wrong");
  EXPECT_EQ(problems.result().error().message.find("more"), std::string::npos);
  for (int i = 0; i < 3; ++i) problems.add({}, "wrong");
  EXPECT_TRUE(problems.result().error().message.ends_with("\nand 3 more"));
}

TEST(Print, WritesWhatReadsBackTheSame) {
  const std::string text =
      "{a: [1, -2, 1.5, .inf, true, null, \"\", yes, \"1\", \"a: b\", \"- x\", {}, [], [[1]]], "
      "\"on\": {x: {y: [{z: 1, w: [2]}]}}, t: 2024-01-02T03:04:05.5Z, u: 18446744073709551615, "
      "\"~\": \"line\\nbreak \\u00e9\"}";
  auto first = parse_yaml(text, "first");
  ASSERT_TRUE(first) << first.error().message;
  const std::string printed = to_yaml(*first);
  auto second = parse_yaml(printed, "second");
  ASSERT_TRUE(second) << second.error().message << printed;
  EXPECT_EQ(to_yaml(*second), printed);
  EXPECT_EQ(to_json(*second), to_json(*first));
}

}  // namespace
}  // namespace sonde::config
