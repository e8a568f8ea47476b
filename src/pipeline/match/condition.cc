// SPDX-License-Identifier: Apache-2.0
#include "pipeline/match/condition.h"

#include <algorithm>
#include <limits>

#include "pipeline/match/attribute_actions.h"
#include "pipeline/match/setting_value.h"

namespace sonde::pipeline {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

int64_t varint(MessageEdit& message, uint32_t number) {
  const auto field = message.field(number);
  return field && field->type == proto::Type::Varint ? field->as_int64() : 0;
}

// -1, 0, 1; nothing where the two do not compare.
template <class T>
std::optional<int> order(const T& a, const T& b) {
  if (a < b) return -1;
  if (b < a) return 1;
  return a == b ? std::optional(0) : std::nullopt;
}

}  // namespace

bool Condition::matches(const ConditionSubject& subject) {
  return std::ranges::any_of(any_of_all_, [&](const std::vector<Term>& all) {
    return std::ranges::all_of(all, [&](const Term& term) { return term_matches(term, subject); });
  });
}

bool Condition::term_matches(const Term& term, const ConditionSubject& subject) {
  return (term.path == Path::Yes || compare(look(term, subject), term)) != term.negated;
}

Condition::Found Condition::look(const Term& term, const ConditionSubject& subject) {
  const auto attribute = [&](MessageEdit& message) -> Found {
    const auto value = message.get(term.key);
    if (!value) return {};
    using Kind = AnyValueView::Kind;
    switch (value->kind()) {
      case Kind::Bool:
        return value->as_bool();
      case Kind::Int:
        return value->as_int();
      case Kind::Double:
        return value->as_double();
      case Kind::String:
        return value->as_string();
      case Kind::Empty:
        return {};
      case Kind::Array:
      case Kind::Map:
      case Kind::Bytes:
        break;
    }
    // There, but equal to no literal.
    return std::numeric_limits<double>::quiet_NaN();
  };
  switch (term.path) {
    case Path::Attribute:
      return attribute(*subject.item);
    case Path::ResourceAttribute:
      return attribute(*subject.resource);
    case Path::ScopeAttribute:
      return attribute(subject.scope->attributes());
    case Path::ScopeName:
      return subject.scope->name();
    case Path::ScopeVersion:
      return subject.scope->version();
    case Path::Name: {
      const uint32_t number = context_ == ConditionContext::Span        ? otlp::span::kName
                              : context_ == ConditionContext::SpanEvent ? otlp::event::kName
                                                                        : otlp::metric::kName;
      return subject.item->bytes_field(number);
    }
    case Path::MetricName:
      return subject.metric->bytes_field(otlp::metric::kName);
    case Path::MetricUnit:
      return subject.item->bytes_field(otlp::metric::kUnit);
    case Path::Kind:
      return varint(*subject.item, otlp::span::kKind);
    case Path::SeverityNumber:
      return varint(*subject.item, otlp::log::kSeverityNumber);
    case Path::StatusCode: {
      int64_t code = 0;
      proto::Reader reader(subject.item->bytes_field(otlp::span::kStatus));
      proto::Field field;
      while (reader.next(field))
        if (field.number == otlp::status::kCode) code = field.as_int64();
      return code;
    }
    case Path::SeverityText:
      return subject.item->bytes_field(otlp::log::kSeverityText);
    case Path::Body: {
      const AnyValueView body(subject.item->bytes_field(otlp::log::kBody));
      if (body.is_string()) return body.as_string();
      if (body.kind() == AnyValueView::Kind::Empty) return {};
      scratch_ = body.to_string();
      return std::string_view(scratch_);
    }
    case Path::Request:
      if (!context_value(subject.request, "metadata." + term.key, scratch_)) return {};
      return std::string_view(scratch_);
    case Path::Yes:
      break;
  }
  return {};
}

// Different types are not equal, and neither is less; integers and floats compare by value.
bool Condition::compare(const Found& found, const Term& term) {
  if (term.how == Operator::Match) {
    if (const auto* text = std::get_if<std::string_view>(&found))
      return term.pattern->matches(*text);
    if (const auto* number = std::get_if<int64_t>(&found))
      return term.pattern->matches(std::to_string(*number));
    if (const auto* truth = std::get_if<bool>(&found))
      return term.pattern->matches(*truth ? "true" : "false");
    return false;
  }
  const std::optional<int> ordered = std::visit(
      Overloaded{
          [](std::monostate, std::monostate) { return std::optional(0); },
          [](bool a, bool b) { return order(int{a}, int{b}); },
          [](int64_t a, int64_t b) { return order(a, b); },
          [](double a, double b) { return order(a, b); },
          [](int64_t a, double b) { return order(static_cast<double>(a), b); },
          [](double a, int64_t b) { return order(a, static_cast<double>(b)); },
          [](std::string_view a, const std::string& b) { return order(a, std::string_view(b)); },
          [](const auto&, const auto&) { return std::optional<int>(); }},
      found, term.literal);
  switch (term.how) {
    case Operator::Equal:
      return ordered == 0;
    case Operator::NotEqual:
      return ordered != 0;
    case Operator::Less:
      return ordered == -1;
    case Operator::LessEqual:
      return ordered && *ordered <= 0;
    case Operator::Greater:
      return ordered == 1;
    case Operator::GreaterEqual:
      return ordered && *ordered >= 0;
    case Operator::Match:
      break;
  }
  return false;
}

}  // namespace sonde::pipeline
