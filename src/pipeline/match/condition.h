// SPDX-License-Identifier: Apache-2.0
// The simplest conditions of the Collector's language: comparisons of one path with one literal,
// joined by `and` and `or` (which binds weaker), each with `not` before it where wanted. Enough for
// what most routes and counts say; anything more is refused with what was not understood:
//   attributes["env"] == "prod" and not IsMatch(name, "^health")
//   resource.attributes["service.name"] != "cart" or severity_number >= SEVERITY_NUMBER_ERROR
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/regex.h"
#include "data/edit.h"

namespace sonde::pipeline {

// What bare paths mean, and which prefix they may carry: `span.name` is `name` in context span.
enum class ConditionContext : uint8_t {
  Resource,
  Span,
  SpanEvent,
  Metric,
  DataPoint,
  Log,
  Request
};
std::optional<ConditionContext> condition_context(std::string_view name);

// What a condition is asked about. `item` is the message that the context names; null for Request.
struct ConditionSubject {
  MessageEdit* item = nullptr;
  MessageEdit* resource = nullptr;
  ScopeEdit* scope = nullptr;
  MessageEdit* metric = nullptr;  // Of a data point.
  const RequestContext* request = nullptr;
};

class Condition {
 public:
  // An error (Invalid) quotes what was not understood.
  static Result<Condition> parse(std::string_view text, ConditionContext context);
  bool matches(const ConditionSubject& subject);

 private:
  enum class Path : uint8_t {
    Attribute,
    ResourceAttribute,
    ScopeAttribute,
    ScopeName,
    ScopeVersion,
    Name,
    Kind,
    Body,
    SeverityNumber,
    SeverityText,
    StatusCode,
    MetricName,
    MetricUnit,
    Request,
    Yes
  };
  enum class Operator : uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Match };
  using Literal = std::variant<std::monostate, bool, int64_t, double, std::string>;
  using Found = std::variant<std::monostate, bool, int64_t, double, std::string_view>;
  struct Term {
    bool negated = false;
    Path path = Path::Yes;
    std::string key;  // Of an attribute.
    Operator how = Operator::Equal;
    Literal literal;
    std::optional<Regex> pattern;
  };
  class Parser;

  bool term_matches(const Term& term, const ConditionSubject& subject);
  Found look(const Term& term, const ConditionSubject& subject);
  static bool compare(const Found& found, const Term& term);

  ConditionContext context_ = ConditionContext::Resource;
  std::vector<std::vector<Term>> any_of_all_;
  std::string scratch_;
};

}  // namespace sonde::pipeline
