// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "pipeline/match/condition.h"

namespace sonde::pipeline {
namespace {

bool is_word(char c) { return is_alphanumeric(c) || c == '_' || c == '.'; }

std::unexpected<Error> no(std::string_view what) {
  return fail(ErrorKind::Invalid,
              "condition: \"" + std::string(what.substr(0, 60)) +
                  "\" is not understood; comparisons of a path with a literal and IsMatch() are, "
                  "joined by and, or and not");
}

std::optional<int64_t> enumerated(std::string_view word) {
  constexpr std::string_view kSeverity = "SEVERITY_NUMBER_";
  constexpr std::string_view kLevels[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
  if (word.starts_with(kSeverity)) {
    word.remove_prefix(kSeverity.size());
    if (word == "UNSPECIFIED") return 0;
    for (int64_t i = 0; i < 6; ++i) {
      if (!word.starts_with(kLevels[i])) continue;
      const std::string_view rest = word.substr(kLevels[i].size());
      if (rest.empty()) return i * 4 + 1;
      if (rest.size() == 1 && rest[0] >= '2' && rest[0] <= '4') return i * 4 + (rest[0] - '0');
    }
  }
  constexpr std::string_view kKinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                         "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                         "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
  constexpr std::string_view kCodes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                         "STATUS_CODE_ERROR"};
  const auto* code = std::ranges::find(kCodes, word);
  if (code != std::end(kCodes)) return code - kCodes;
  const auto* kind = std::ranges::find(kKinds, word);
  if (kind != std::end(kKinds)) return kind - kKinds;
  return std::nullopt;
}

}  // namespace

std::optional<ConditionContext> condition_context(std::string_view name) {
  constexpr std::pair<std::string_view, ConditionContext> kNames[] = {
      {"resource", ConditionContext::Resource},   {"span", ConditionContext::Span},
      {"spanevent", ConditionContext::SpanEvent}, {"metric", ConditionContext::Metric},
      {"datapoint", ConditionContext::DataPoint}, {"log", ConditionContext::Log},
      {"request", ConditionContext::Request}};
  for (const auto& [known, context] : kNames)
    if (known == name) return context;
  return std::nullopt;
}

class Condition::Parser {
 public:
  Parser(std::string_view text, ConditionContext context) : rest_(text), context_(context) {}

  Result<std::vector<std::vector<Term>>> all() {
    std::vector<std::vector<Term>> out(1);
    for (;;) {
      out.back().push_back(TRY(term()));
      if (take_word("and")) continue;
      if (take_word("or")) {
        out.emplace_back();
        continue;
      }
      skip();
      if (!rest_.empty()) return no(rest_);
      return out;
    }
  }

 private:
  void skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n'))
      rest_.remove_prefix(1);
  }
  bool take(std::string_view text) {
    skip();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::string_view peek_word() {
    skip();
    const size_t end =
        static_cast<size_t>(std::ranges::find_if_not(rest_, is_word) - rest_.begin());
    return rest_.substr(0, end);
  }
  bool take_word(std::string_view word) {
    if (peek_word() != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  Result<Term> term() {
    Term term;
    while (take_word("not")) term.negated = !term.negated;
    if (take_word("true") || peek_word() == "false") {
      if (take_word("false")) term.negated = !term.negated;
      return term;
    }
    if (take_word("IsMatch")) {
      if (!take("(")) return no(rest_);
      TRY(path(term));
      if (!take(",")) return no(rest_);
      const std::string pattern = TRY(quoted());
      if (!take(")")) return no(rest_);
      term.pattern = TRY(Regex::compile(pattern));
      term.how = Operator::Match;
      return term;
    }
    TRY(path(term));
    constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"==", Operator::Equal},        {"!=", Operator::NotEqual}, {"<=", Operator::LessEqual},
        {">=", Operator::GreaterEqual}, {"<", Operator::Less},      {">", Operator::Greater}};
    const auto* found =
        std::ranges::find_if(kOperators, [&](const auto& o) { return take(o.first); });
    if (found == std::end(kOperators)) return no(rest_);
    term.how = found->second;
    term.literal = TRY(literal());
    return term;
  }

  Result<> path(Term& term) {
    skip();
    const std::string_view from = rest_;
    std::string_view word = peek_word();
    rest_.remove_prefix(word.size());
    const auto keyed = [&](Path path) -> Result<> {
      if (!take("[")) return no(from);
      term.key = TRY(quoted());
      if (!take("]")) return no(from);
      skip();
      if (rest_.starts_with("[")) return no(from);
      term.path = path;
      return {};
    };
    if (context_ == ConditionContext::Request) {
      if (word == "request") return keyed(Path::Request);
      return no(from);
    }
    if (word == "resource.attributes") return keyed(Path::ResourceAttribute);
    if (word == "instrumentation_scope.attributes" || word == "scope.attributes")
      return keyed(Path::ScopeAttribute);
    if (const size_t dot = word.find('.'); dot != std::string_view::npos) {
      if (condition_context(word.substr(0, dot)) == context_) word.remove_prefix(dot + 1);
    }
    if (word == "attributes" && context_ != ConditionContext::Metric) return keyed(Path::Attribute);
    constexpr unsigned kSpan = 1U << static_cast<unsigned>(ConditionContext::Span);
    constexpr unsigned kEvent = 1U << static_cast<unsigned>(ConditionContext::SpanEvent);
    constexpr unsigned kMetric = 1U << static_cast<unsigned>(ConditionContext::Metric);
    constexpr unsigned kPoint = 1U << static_cast<unsigned>(ConditionContext::DataPoint);
    constexpr unsigned kLog = 1U << static_cast<unsigned>(ConditionContext::Log);
    struct Known {
      std::string_view name;
      Path path;
      unsigned contexts;
    };
    constexpr Known kPaths[] = {{"name", Path::Name, kSpan | kEvent | kMetric},
                                {"unit", Path::MetricUnit, kMetric},
                                {"metric.name", Path::MetricName, kPoint},
                                {"kind", Path::Kind, kSpan},
                                {"status.code", Path::StatusCode, kSpan},
                                {"body", Path::Body, kLog},
                                {"severity_number", Path::SeverityNumber, kLog},
                                {"severity_text", Path::SeverityText, kLog},
                                {"instrumentation_scope.name", Path::ScopeName, ~0U},
                                {"instrumentation_scope.version", Path::ScopeVersion, ~0U},
                                {"scope.name", Path::ScopeName, ~0U},
                                {"scope.version", Path::ScopeVersion, ~0U}};
    for (const Known& known : kPaths) {
      if (known.name != word || (known.contexts >> static_cast<unsigned>(context_) & 1U) == 0)
        continue;
      // Of a resource nothing but its attributes is known.
      if (context_ == ConditionContext::Resource) break;
      term.path = known.path;
      return {};
    }
    return no(from);
  }

  Result<std::string> quoted() {
    skip();
    const std::string_view from = rest_;
    if (!take("\"")) return no(from);
    std::string out;
    while (!rest_.empty() && rest_[0] != '"') {
      if (rest_[0] == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
        const char c = rest_[0];
        if (c != '"' && c != '\\' && c != 'n' && c != 't') out += '\\';
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
      } else {
        out += rest_[0];
      }
      rest_.remove_prefix(1);
    }
    if (!take("\"")) return no(from);
    return out;
  }

  Result<Literal> literal() {
    skip();
    if (rest_.starts_with('"')) return Literal(TRY(quoted()));
    const std::string_view from = rest_;
    const bool minus = take("-");
    const std::string_view word = peek_word();
    rest_.remove_prefix(word.size());
    if (!minus) {
      if (word == "nil") return Literal();
      if (word == "true" || word == "false") return Literal(word == "true");
      if (const auto number = enumerated(word)) return Literal(*number);
    }
    const char* const end = word.data() + word.size();
    int64_t whole = 0;
    if (const auto [at, error] = std::from_chars(word.data(), end, whole);
        error == std::errc() && at == end && !word.empty())
      return Literal(minus ? -whole : whole);
    double real = 0;
    if (const auto [at, error] = std::from_chars(word.data(), end, real);
        error == std::errc() && at == end && !word.empty() && word[0] >= '0' && word[0] <= '9')
      return Literal(minus ? -real : real);
    return no(from);
  }

  std::string_view rest_;
  const ConditionContext context_;
};

Result<Condition> Condition::parse(std::string_view text, ConditionContext context) {
  Condition out;
  out.context_ = context;
  out.any_of_all_ = TRY(Parser(text, context).all());
  return out;
}

}  // namespace sonde::pipeline
