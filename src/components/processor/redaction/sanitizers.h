// SPDX-License-Identifier: Apache-2.0
// What the settings `url_sanitizer` and `db_sanitizer` of the processor redaction ask for: which
// values are URLs or queries, of which database, and what stays of them.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/field.h"
#include "data/edit.h"

namespace sonde::redaction {

struct UrlSettings {
  bool enabled = false;
  std::vector<std::string> attributes;
  std::optional<bool> sanitize_span_name;
};

struct QuerySettings {
  bool enabled = false;
  std::vector<std::string> attributes;
};

struct DatabaseSettings {
  QuerySettings sql, redis, valkey, memcached, mongo, opensearch, es;
  std::optional<bool> sanitize_span_name;
};

inline constexpr auto kUrlFields = config::fields<UrlSettings>(
    config::field("enabled", &UrlSettings::enabled, "Whether ids are taken out of URLs."),
    config::field("attributes", &UrlSettings::attributes,
                  "Attributes that hold URLs. Bodies of log records are looked at as a whole."),
    config::field("sanitize_span_name", &UrlSettings::sanitize_span_name,
                  "Whether the names of HTTP's client and server spans are URLs too; true where it "
                  "is not given."));
inline constexpr auto kQueryFields = config::fields<QuerySettings>(
    config::field("enabled", &QuerySettings::enabled,
                  "Whether values are taken out of such queries."),
    config::field("attributes", &QuerySettings::attributes,
                  "Attributes that hold queries, where db.system.name or db.system says of which "
                  "database. Bodies of log records are looked at as a whole."));
inline constexpr auto kDatabaseFields = config::fields<DatabaseSettings>(
    config::field("sql", &DatabaseSettings::sql, kQueryFields.table(),
                  "MySQL, MariaDB, PostgreSQL, SQLite and others."),
    config::field("redis", &DatabaseSettings::redis, kQueryFields.table(), "Redis."),
    config::field("valkey", &DatabaseSettings::valkey, kQueryFields.table(), "Valkey."),
    config::field("memcached", &DatabaseSettings::memcached, kQueryFields.table(), "Memcached."),
    config::field("mongo", &DatabaseSettings::mongo, kQueryFields.table(), "MongoDB."),
    config::field("opensearch", &DatabaseSettings::opensearch, kQueryFields.table(), "OpenSearch."),
    config::field("es", &DatabaseSettings::es, kQueryFields.table(), "Elasticsearch."),
    config::field("sanitize_span_name", &DatabaseSettings::sanitize_span_name,
                  "Whether the names of spans of databases are queries too; true where it is not "
                  "given."));

class Sanitizers {
 public:
  Sanitizers() = default;
  // Logs rarely say which database they speak of: of their attributes each kind of query that lists
  // the attribute has its turn.
  Sanitizers(const UrlSettings& url, const DatabaseSettings& database, bool logs);

  bool any() const { return url_ || !queries_.empty(); }
  // The database that the attributes speak of, in small letters; empty where they do not.
  std::string system_of(MessageEdit& attributes) const;
  // What stays of an attribute's text.
  std::string attribute(std::string_view key, std::string_view value,
                        std::string_view system) const;
  // The same of a text in a log record's body.
  std::string body(std::string value) const;
  // What stays of a span's name; nothing where it stays as it is. After the attributes.
  std::optional<std::string> span_name(SpanEdit& span) const;

 private:
  enum class Language : unsigned char { Sql, Redis, Memcached, Json };
  struct Query {
    Language language;
    std::vector<std::string_view> systems;
    std::set<std::string, std::less<>> attributes;
    bool of(std::string_view system) const {
      return std::ranges::find(systems, system) != systems.end();
    }
  };
  static std::string hide(Language language, std::string value, std::string_view system);

  bool url_ = false, url_names_ = false, query_names_ = false, logs_ = false;
  std::set<std::string, std::less<>> url_attributes_;
  std::vector<Query> queries_;
};

}  // namespace sonde::redaction
