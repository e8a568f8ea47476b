// SPDX-License-Identifier: Apache-2.0
// JSON from the book's structs, field by field in the order of the schema.
#include "components/extension/console/answers.h"

#include <fmt/format.h>

#include <charconv>

#include "base/ascii.h"
#include "base/digest.h"
#include "base/json_writer.h"

namespace sonde::console {
namespace {

void text_or_null(JsonWriter& w, std::string_view key, const std::string& text) {
  w.key(key);
  if (text.empty()) {
    w.null();
  } else {
    w.value(text);
  }
}

void write_answers(JsonWriter& w, const std::vector<rollup::AnswerRow>& rows) {
  w.key("answers").array();
  for (const auto& r : rows) {
    w.object().member("method", r.method).member("code", r.code).member("count", r.count).end();
  }
  w.end();
}

void write_service(JsonWriter& w, const rollup::ServiceRow& s) {
  w.object().member("name", s.name).member("namespace", s.service_namespace);
  w.member("language", s.language);
  text_or_null(w, "unit", s.unit);
  text_or_null(w, "container", s.container);
  w.member("instrumented_by", s.instrumented_by).member("trust", s.trust);
  w.member("instances", s.instances).member("count", s.count);
  write_answers(w, s.answers);
  w.member("rate", s.rate).member("error_share", s.error_share);
  w.member("p50", s.p50).member("p95", s.p95).member("p99", s.p99);
  w.key("sparkline").array();
  for (const auto& v : s.sparkline) w.value(v);
  w.end().member("last_seen", s.last_seen_ms).end();
}

void write_spent(JsonWriter& w, const rollup::TimeSpent& t) {
  w.member("total_s", t.total_s).member("queue_s", t.queue_s).member("own_s", t.own_s);
  w.key("callees").array();
  for (const auto& c : t.callees) {
    w.object().member("peer", c.peer).member("seconds", c.seconds).member("share", c.share);
    w.member("calls", c.calls).end();
  }
  w.end();
}

void write_peer(JsonWriter& w, const rollup::PeerRow& p) {
  w.member("count", p.count);
  write_answers(w, p.answers);
  w.member("rate", p.rate).member("error_share", p.error_share).member("p95", p.p95).end();
}

template <class Get>
void column(JsonWriter& w, std::string_view key, const std::vector<rollup::SeriesPoint>& points,
            Get get) {
  w.key(key).array();
  for (const auto& p : points) w.value(get(p));
  w.end();
}

}  // namespace

std::string services_json(const rollup::ServicesAnswer& a, uint64_t lost_events) {
  JsonWriter w;
  w.object().member("now", a.now_ms).member("range_s", a.range_s).member("step_s", a.step_s);
  w.member("lost_events", lost_events).key("services").array();
  for (const auto& s : a.services) write_service(w, s);
  w.end().end();
  return w.take();
}

std::string service_json(const rollup::ServiceAnswer& a) {
  JsonWriter w;
  w.object().member("now", a.now_ms).member("range_s", a.range_s).member("step_s", a.step_s);
  w.key("service");
  write_service(w, a.service);
  w.key("series").object();
  column(w, "time", a.series, [](const auto& p) { return p.time_ms; });
  column(w, "rate", a.series, [](const auto& p) { return p.rate; });
  column(w, "errors", a.series, [](const auto& p) { return p.errors; });
  column(w, "p50", a.series, [](const auto& p) { return p.p50; });
  column(w, "p95", a.series, [](const auto& p) { return p.p95; });
  column(w, "p99", a.series, [](const auto& p) { return p.p99; });
  w.end().key("endpoints").array();
  for (const auto& e : a.endpoints) {
    w.object().member("method", e.method).member("route", e.route).member("count", e.count);
    write_answers(w, e.answers);
    w.member("rate", e.rate).member("error_share", e.error_share).member("p50", e.p50);
    w.member("p95", e.p95).member("p99", e.p99).member("total_s", e.total_s);
    w.member("queue_s", e.queue_s).end();
  }
  w.end().key("inbound").array();
  for (const auto& p : a.inbound) {
    w.object().member("peer", p.peer);
    write_peer(w, p);
  }
  w.end().key("outbound").array();
  for (const auto& p : a.outbound) {
    w.object().member("peer", p.peer).member("address", p.address).member("protocol", p.protocol);
    write_peer(w, p);
  }
  w.end().key("time_spent").object();
  write_spent(w, a.spent);
  w.key("baseline");
  if (a.baseline) {
    w.object();
    write_spent(w, *a.baseline);
    w.end();
  } else {
    w.null();
  }
  w.end().member("verdict", a.verdict).end();
  return w.take();
}

std::string map_json(const rollup::MapAnswer& a) {
  JsonWriter w;
  w.object().member("now", a.now_ms).member("range_s", a.range_s).key("nodes").array();
  for (const auto& n : a.nodes) {
    w.object().member("name", n.name).member("language", n.language);
    w.member("kind", n.external ? "external" : "service").member("count", n.count);
    w.member("rate", n.rate).member("error_share", n.error_share).member("p95", n.p95).end();
  }
  w.end().key("edges").array();
  for (const auto& e : a.edges) {
    w.object().member("client", e.client).member("server", e.server).member("protocol", e.protocol);
    w.member("calls", e.count);
    write_answers(w, e.answers);
    w.member("rate", e.rate).member("error_share", e.error_share).member("p95", e.p95).end();
  }
  w.end().end();
  return w.take();
}

std::string status_json(const Status& s) {
  JsonWriter w;
  w.object().member("version", SONDE_VERSION).member("uptime_s", s.uptime_s);
  w.member("lost_events", s.lost_events).member("front_end", s.front_end);
  w.member("series", s.series).member("series_overflow", s.series_overflow);
  w.member("spans_exported", s.spans_exported).key("warnings").array();
  for (const auto& text : s.warnings) w.value(text);
  w.end().end();
  return w.take();
}

std::string reload_json(const pipeline::ReloadReport& report) {
  JsonWriter w;
  w.object().member("kept", static_cast<uint64_t>(report.kept));
  w.member("started", static_cast<uint64_t>(report.started));
  w.member("stopped", static_cast<uint64_t>(report.stopped)).end();
  return w.take();
}

std::string error_json(std::string_view what, std::string_view why, std::string_view advice) {
  JsonWriter w;
  w.object().key("error").object().member("what", what).member("why", why).member("do", advice);
  w.end().end();
  return w.take();
}

int64_t parse_range(std::string_view text) {
  int64_t n = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc() || n <= 0 || n > 86400) return 0;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (unit.empty() || unit == "s") return n;
  if (unit == "m") return n * 60;
  if (unit == "h") return n * 3600;
  return 0;
}

bool host_allowed(std::string_view host, std::string_view configured_host, int port) {
  const std::string suffix = fmt::format(":{}", port);
  if (host.ends_with(suffix)) {
    host.remove_suffix(suffix.size());
  } else if (port != 80) {
    return false;
  }
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]" ||
         (!configured_host.empty() && host == configured_host);
}

std::string session_cookie(int port) { return fmt::format("sonde_token_{}", port); }

std::string session_value(std::string_view token, int port) {
  return hex_hmac(Digest::Sha256, token, session_cookie(port));
}

bool from_own_page(std::string_view origin, std::string_view fetch_site, std::string_view host) {
  // "none" is what somebody typed or had among the bookmarks.
  if (!fetch_site.empty() && fetch_site != "same-origin" && fetch_site != "none") return false;
  if (origin.empty()) return true;
  return origin.starts_with("http://") && equals_ignoring_case(origin.substr(7), host);
}

std::string_view cookie(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    size_t end = header.find(';');
    std::string_view pair = header.substr(0, end);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 1);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

std::string_view local_path(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const bool local = path.starts_with('/') && path.find("//") == std::string_view::npos &&
                     path.find('\\') == std::string_view::npos;
  return local ? path : "/";
}

bool same_token(std::string_view a, std::string_view b) {
  unsigned char different = a.size() != b.size();
  for (size_t i = 0; i < a.size() && i < b.size(); i++) {
    different |= static_cast<unsigned char>(a[i] ^ b[i]);
  }
  return different == 0;
}

}  // namespace sonde::console
