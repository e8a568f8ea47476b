// SPDX-License-Identifier: Apache-2.0
#include "components/extension/healthcheckv2/answers.h"

#include "base/json_writer.h"
#include "base/rfc3339.h"
#include "config/field.h"

namespace sonde::healthcheckv2 {
namespace {

using pipeline::Health;
using pipeline::HealthRule;
using pipeline::StatusKind;

net::Response unknown_scope() { return {404, "", "", {}}; }

int code_of(StatusKind kind) {
  switch (kind) {
    case StatusKind::Ok:
    case StatusKind::RecoverableError:
    case StatusKind::PermanentError:
      return 200;
    case StatusKind::FatalError:
      return 500;
    default:
      return 503;
  }
}

struct Form {
  const std::optional<HealthRule>& rule;
  bool verbose;
  int64_t now;
  bool healthy(const Health& h) const { return !rule || pipeline::is_healthy(h, *rule, now); }
};

// The members in the Collector's order.
void write(JsonWriter& json, const Health& health, const Form& form) {
  json.member("healthy", form.healthy(health));
  json.member("status", pipeline::status_name(health.status.kind));
  if (!health.status.error.empty()) json.member("error", health.status.error);
  json.member("status_time", format_rfc3339(health.since_unix_ns));
  json.key("attributes").object().end();
  if (!form.verbose || health.parts.empty()) return;
  json.key("components").object();
  for (const auto& [name, part] : health.parts) {
    json.key(name).object();
    write(json, part, form);
    json.end();
  }
  json.end();
}

}  // namespace

StatusQuestion read_question(const net::Request& request) {
  const auto verbose = request.query_param("verbose");
  return {.scope = request.query_param("pipeline").value_or(""),
          .verbose = verbose && *verbose != "false"};
}

net::Response status_answer(const Health& health, const StatusQuestion& question,
                            const std::optional<HealthRule>& rule, int64_t started_unix_ns,
                            int64_t now_unix_ns) {
  const Health* scope = pipeline::scope_of(health, question.scope);
  if (!scope) return unknown_scope();
  const Form form{rule, question.verbose, now_unix_ns};
  JsonWriter json;
  json.object().member("start_time", format_rfc3339(started_unix_ns));
  write(json, *scope, form);
  json.end();
  const int code = form.healthy(*scope) ? code_of(scope->status.kind) : 500;
  return {code, "application/json", json.take(), {}};
}

net::Response plain_answer(const Health& health, const StatusQuestion& question,
                           const std::optional<PlainBodies>& bodies, int64_t started_unix_ns,
                           int64_t now_unix_ns) {
  const Health* scope = pipeline::scope_of(health, question.scope);
  if (!scope) return unknown_scope();
  const bool well = code_of(scope->status.kind) == 200;
  const int code = well ? 200 : 503;
  if (bodies) {
    return {code, "text/plain; charset=utf-8", well ? bodies->healthy : bodies->unhealthy, {}};
  }
  const int64_t up = std::max<int64_t>(0, now_unix_ns - started_unix_ns);
  JsonWriter json;
  json.object().member("status", well ? "Server available" : "Server not available");
  json.member("upSince", well ? format_rfc3339(started_unix_ns) : "0001-01-01T00:00:00Z");
  json.member("uptime", well ? config::format_duration(Duration(up)) : "").end();
  return {code, "application/json", json.take(), {}};
}

}  // namespace sonde::healthcheckv2
