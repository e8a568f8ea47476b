// SPDX-License-Identifier: Apache-2.0
#include "pipeline/match/condition.h"

#include <gtest/gtest.h>

#include "data/text.h"

namespace sonde::pipeline {
namespace {

// Whether the one record of a fixed batch meets the condition.
class Ask : public Editor {
 public:
  explicit Ask(Condition condition) : condition_(std::move(condition)) {}
  bool log(LogEdit& log, Owners& owners) override {
    answer = condition_.matches(
        {.item = &log.message(), .resource = &owners.resource.message(), .scope = &owners.scope});
    return true;
  }
  bool answer = false;

 private:
  Condition condition_;
};

bool holds(std::string_view text) {
  auto condition = Condition::parse(text, ConditionContext::Log);
  EXPECT_TRUE(condition) << condition.error().message;
  if (!condition) return false;
  auto batch = from_text(
      "logs\n  resource\n    service.name = \"cart\"\n    scope\n      name: \"lib\"\n      log\n"
      "        severity: 17\n        body: \"it broke\"\n        env = \"prod\"\n        n = 3\n"
      "        d = 2.5\n        b = true\n        list = [1]\n");
  EXPECT_TRUE(batch) << batch.error().message;
  Ask ask(std::move(*condition));
  Rewriter rewriter;
  EXPECT_TRUE(rewriter.rewrite(Signal::Logs, batch->chunks[0], ask));
  return ask.answer;
}

TEST(Condition, ComparesAsTheLanguageDoes) {
  EXPECT_TRUE(holds("attributes[\"env\"] == \"prod\""));
  EXPECT_TRUE(holds("log.attributes[\"n\"] == 3.0 and attributes[\"d\"] > 2"));
  EXPECT_FALSE(holds("attributes[\"env\"] == 3"));
  EXPECT_TRUE(holds("attributes[\"env\"] != 3"));
  EXPECT_TRUE(holds("attributes[\"none\"] == nil"));
  EXPECT_FALSE(holds("attributes[\"env\"] == nil"));
  EXPECT_FALSE(holds("attributes[\"list\"] == nil"));
  EXPECT_TRUE(holds("attributes[\"list\"] != 1"));
  EXPECT_TRUE(holds("attributes[\"b\"] == true"));
  EXPECT_TRUE(holds("resource.attributes[\"service.name\"] == \"cart\""));
  EXPECT_TRUE(holds("instrumentation_scope.name == \"lib\""));
  EXPECT_TRUE(holds("severity_number >= SEVERITY_NUMBER_ERROR"));
  EXPECT_FALSE(holds("severity_number < SEVERITY_NUMBER_ERROR"));
  EXPECT_TRUE(holds("IsMatch(body, \"bro.e\")"));
  EXPECT_TRUE(holds("attributes[\"n\"] > -1"));
}

TEST(Condition, JoinsTerms) {
  EXPECT_TRUE(holds("false and true or true"));
  EXPECT_FALSE(holds("true and false or false"));
  EXPECT_TRUE(holds("not IsMatch(body, \"^broke\") and not false"));
}

TEST(Condition, RefusesWhatItDoesNotKnow) {
  for (const std::string_view text :
       {"", "attributes", "attributes[\"a\"]", "attributes[\"a\"][\"b\"] == 1", "name == \"a\"",
        "attributes[\"a\"] == b", "(true)", "Len(body) > 3", "body == \"open", "true true",
        "attributes[\"a\"] =~ \"b\"", "IsMatch(body, \"(\")", "body == -"}) {
    EXPECT_FALSE(Condition::parse(text, ConditionContext::Log)) << text;
  }
  EXPECT_FALSE(Condition::parse("scope.name == \"a\"", ConditionContext::Resource));
  EXPECT_FALSE(Condition::parse("attributes[\"a\"] == 1", ConditionContext::Request));
  EXPECT_TRUE(Condition::parse("request[\"X-Tenant\"] == \"a\"", ConditionContext::Request));
}

}  // namespace
}  // namespace sonde::pipeline
