// SPDX-License-Identifier: Apache-2.0
#include "components/processor/redaction/sanitizers.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "components/processor/redaction/json_values.h"
#include "components/processor/redaction/redis_arguments.h"
#include "components/processor/redaction/sql_values.h"
#include "components/processor/redaction/url_words.h"
#include "data/otlp_fields.h"

namespace sonde::redaction {
namespace {

// Any of these makes a span one of HTTP, as a slash in its name does.
constexpr std::string_view kHttp[] = {"http.route",
                                      "http.request.method",
                                      "http.request.method_original",
                                      "http.response.status_code",
                                      "url.full",
                                      "http.scheme",
                                      "http.target",
                                      "http.method",
                                      "http.url"};

// The protocol's lines end so; what follows the first is a value.
std::string memcached_command(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  text = text.substr(0, text.find("\r\n"));
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlank) + 1 - first));
}

// "/*/" says nothing: then the name stays.
bool says_nothing(std::string_view name) {
  return name.find_first_not_of("*/") == std::string_view::npos;
}

SpanKind kind_of(SpanEdit& span) {
  const auto field = span.message().field(otlp::span::kKind);
  const uint64_t kind = field && field->type == proto::Type::Varint ? field->value : 0;
  return kind <= 5 ? static_cast<SpanKind>(kind) : SpanKind::Unspecified;
}

bool is_http(SpanEdit& span) {
  return span.name().contains('/') || std::ranges::any_of(kHttp, [&](std::string_view key) {
           return span.attributes().has(key);
         });
}

}  // namespace

Sanitizers::Sanitizers(const UrlSettings& url, const DatabaseSettings& database, bool logs)
    : url_(url.enabled),
      url_names_(url.enabled && url.sanitize_span_name.value_or(true)),
      query_names_(database.sanitize_span_name.value_or(true)),
      logs_(logs),
      url_attributes_(url.attributes.begin(), url.attributes.end()) {
  const auto add = [&](const QuerySettings& from, Language language,
                       std::vector<std::string_view> systems) {
    if (!from.enabled) return;
    queries_.push_back(
        {language, std::move(systems), {from.attributes.begin(), from.attributes.end()}});
  };
  add(database.sql, Language::Sql, {"other_sql", "mysql", "postgresql", "mariadb", "sqlite"});
  add(database.redis, Language::Redis, {"redis"});
  add(database.valkey, Language::Redis, {"valkey"});
  add(database.memcached, Language::Memcached, {"memcached"});
  add(database.mongo, Language::Json, {"mongodb"});
  add(database.opensearch, Language::Json, {"opensearch"});
  add(database.es, Language::Json, {"elasticsearch"});
}

std::string Sanitizers::system_of(MessageEdit& attributes) const {
  if (queries_.empty()) return {};
  for (const std::string_view key : {"db.system.name", "db.system"}) {
    const auto value = attributes.get(key);
    if (value && !value->as_string().empty()) return lower(value->as_string());
  }
  return {};
}

std::string Sanitizers::hide(Language language, std::string value, std::string_view system) {
  switch (language) {
    case Language::Sql:
      return hide_sql_values(
          value, system == "mysql" || system == "mariadb" ? SqlDialect::MySql : SqlDialect::Common);
    case Language::Redis:
      return hide_redis_values(value);
    case Language::Memcached:
      return memcached_command(value);
    case Language::Json:
      break;
  }
  // What is no JSON is no query of these.
  return hide_json_values(value).value_or(std::move(value));
}

std::string Sanitizers::attribute(std::string_view key, std::string_view value,
                                  std::string_view system) const {
  std::string out = url_ && url_attributes_.contains(key) ? cluster_url(value) : std::string(value);
  if (system.empty() && !logs_) return out;
  for (const Query& query : queries_) {
    if (!query.attributes.contains(key)) continue;
    if (!system.empty() && !query.of(system)) continue;
    out = hide(query.language, std::move(out), system);
    if (!system.empty()) break;
  }
  return out;
}

std::string Sanitizers::body(std::string value) const {
  if (url_) value = cluster_url(value);
  for (const Query& query : queries_) value = hide(query.language, std::move(value), {});
  return value;
}

std::optional<std::string> Sanitizers::span_name(SpanEdit& span) const {
  const SpanKind kind = kind_of(span);
  const bool remote = kind == SpanKind::Client || kind == SpanKind::Server;
  if (url_names_ && remote && is_http(span)) {
    std::string name = cluster_url(span.name());
    if (name != span.name() && !name.empty() && !says_nothing(name)) return name;
  }
  if (!query_names_ || queries_.empty() || (!remote && kind != SpanKind::Internal)) return {};
  const std::string system = system_of(span.attributes());
  const auto query =
      std::ranges::find_if(queries_, [&](const Query& candidate) { return candidate.of(system); });
  if (query == queries_.end()) return {};
  std::string name = hide(query->language, std::string(span.name()), system);
  if (name.empty() || name == span.name()) return {};
  return name;
}

}  // namespace sonde::redaction
