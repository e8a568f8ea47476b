// SPDX-License-Identifier: Apache-2.0
// Reading the book: the three answers of the page. Windows start on a multiple of 5 s, the width of
// a slot, so that services, endpoints and edges of one answer count the same requests. The lock is
// held for a few rows at a time.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "rollup/book.h"

namespace sonde::rollup {

struct Book::Window {
  int64_t now, from, to, step, range;
  Window(int64_t range_s, int64_t now_unix_ns) {
    range = std::clamp<int64_t>(range_s, 10, Book::kKeptSeconds);
    now = now_unix_ns / 1'000'000'000;
    step = std::max<int64_t>(5, range / 60 / 5 * 5);
    from = (now - range) / step * step + step;
    to = now + 1;
  }
  // A service that is younger than the window is measured over its life, not diluted.
  double seconds(int64_t first_s) const {
    return static_cast<double>(std::max<int64_t>(5, to - std::max(from, first_s)));
  }
};

namespace {

constexpr size_t kRowsAtOnce = 16;

template <class Row>
void fill(Row& r, const Cell& c, double seconds) {
  r.count = c.count;
  if constexpr (requires { r.answers; }) r.answers = c.answers.rows();
  r.rate = static_cast<double>(c.count) / seconds;
  r.error_share = c.error_share();
  r.p95 = c.latency.quantile(.95);
  if constexpr (requires { r.p50; }) {
    r.p50 = c.latency.quantile(.5);
    r.p99 = c.latency.quantile(.99);
  }
}

std::string duration_text(double s) {
  if (s < 0.001) return fmt::format("{:.0f} µs", s * 1e6);
  if (s < 0.01) return fmt::format("{:.1f} ms", s * 1e3);
  if (s < 1) return fmt::format("{:.0f} ms", s * 1e3);
  return fmt::format("{:.1f} s", s);
}

std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }

template <class Rows>
void by_rate(Rows& rows) {
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.rate > b.rate; });
}

// Where the time of requests went, from what they took and what the calls of their service did.
TimeSpent spent_of(const Cell& own, std::vector<CalleeTime> callees) {
  TimeSpent t{.total_s = own.duration_s, .queue_s = own.queue_s, .callees = std::move(callees)};
  double waited = 0;
  for (const auto& c : t.callees) waited += c.seconds;
  double room = std::max(0.0, t.total_s - t.queue_s);
  t.own_s = std::max(0.0, room - waited);
  // Calls in parallel, and calls nobody asked for, add up to more than the requests lasted; shares
  // still sum to one.
  double scale = waited > room && waited > 0 ? room / waited : 1;
  for (auto& c : t.callees) c.share = t.total_s > 0 ? c.seconds * scale / t.total_s : 0;
  std::sort(t.callees.begin(), t.callees.end(),
            [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return t;
}

}  // namespace

// Writers go first: a reader that takes the lock again at once would starve them.
std::unique_lock<std::mutex> Book::reading() const {
  constexpr int kTurns = 1000;  // Bounded, so that no stream of writers keeps a reader out.
  for (int i = 0; i < kTurns && writers_ > 0; i++) std::this_thread::yield();
  return std::unique_lock(mutex_);
}

template <class Map, class Fn>
void Book::in_parts(const Map& map, Fn&& fn) const {
  std::optional<typename Map::key_type> last;
  for (bool more = true; more;) {
    const auto lock = reading();
    auto it = last ? map.upper_bound(*last) : map.begin();
    for (size_t i = 0; i < kRowsAtOnce && it != map.end(); i++, ++it) {
      fn(it->first, it->second);
      last = it->first;
    }
    more = it != map.end();
  }
}

ServiceRow Book::row(const std::string& name, const Service& s, const Window& w) const {
  ServiceRow r{.name = name,
               .service_namespace = s.service_namespace,
               .language = s.language.empty() ? "unknown" : s.language,
               .unit = s.unit,
               .container = s.container,
               .instrumented_by = s.instrumented_by,
               .trust = s.trust};
  r.instances = std::max<size_t>(
      1, static_cast<size_t>(std::count_if(s.instances.begin(), s.instances.end(),
                                           [&](const auto& e) { return e.second >= w.from; })));
  r.last_seen_ms = s.last_s * 1000;
  fill(r, s.track.sum(w.from, w.to), w.seconds(s.first_s));
  for (int64_t t = w.from; t < w.to; t += w.step) {
    if (t + w.step <= s.first_s) {
      r.sparkline.emplace_back();
    } else {
      double width = static_cast<double>(std::min(w.step, w.to - t));
      r.sparkline.emplace_back(static_cast<double>(s.track.count(t, t + w.step)) / width);
    }
  }
  return r;
}

ServicesAnswer Book::services(int64_t range_s, int64_t now_unix_ns) const {
  Window w(range_s, now_unix_ns);
  ServicesAnswer a{
      .now_ms = now_unix_ns / 1'000'000, .range_s = w.range, .step_s = w.step, .services = {}};
  in_parts(services_, [&](const std::string& name, const Service& s) {
    if (s.last_s >= w.from) a.services.push_back(row(name, s, w));
  });
  return a;
}

std::optional<ServiceAnswer> Book::service(std::string_view name, int64_t range_s,
                                           int64_t now_unix_ns) const {
  Window w(range_s, now_unix_ns);
  ServiceAnswer a;
  a.now_ms = now_unix_ns / 1'000'000;
  a.range_s = w.range;
  a.step_s = w.step;
  const int64_t before = w.from - w.range;
  const bool compared = before >= w.now - kBaselineSeconds;
  Cell own, own_before;
  {
    const auto lock = reading();
    auto found = services_.find(name);
    if (found == services_.end()) return std::nullopt;
    const Service& s = found->second;
    a.service = row(found->first, s, w);
    for (int64_t t = w.from; t < w.to; t += w.step) {
      SeriesPoint p{.time_ms = t * 1000};
      if (t + w.step > s.first_s) {
        Cell c = s.track.sum(t, t + w.step);
        double width = static_cast<double>(std::min(w.step, w.to - t));
        p.rate = static_cast<double>(c.count) / width;
        p.errors = static_cast<double>(c.errors) / width;
        p.p50 = c.latency.quantile(.5);
        p.p95 = c.latency.quantile(.95);
        p.p99 = c.latency.quantile(.99);
      }
      a.series.push_back(p);
    }
    own = s.track.sum(w.from, w.to);
    if (compared) own_before = s.track.sum(before, w.from);
  }
  for (std::optional<std::pair<std::string, std::string>> last;;) {
    const auto lock = reading();
    auto found = services_.find(name);
    if (found == services_.end()) break;
    const auto& endpoints = found->second.endpoints;
    auto it = last ? endpoints.upper_bound(*last) : endpoints.begin();
    for (size_t i = 0; i < kRowsAtOnce && it != endpoints.end(); i++, ++it) {
      last = it->first;
      Cell c = it->second.sum(w.from, w.to);
      if (c.count == 0) continue;
      EndpointRow r{.method = it->first.first,
                    .route = it->first.second,
                    .total_s = c.duration_s,
                    .queue_s = c.queue_s};
      fill(r, c, w.seconds(found->second.first_s));
      a.endpoints.push_back(std::move(r));
    }
    if (it == endpoints.end()) break;
  }
  std::sort(a.endpoints.begin(), a.endpoints.end(),
            [](const auto& x, const auto& y) { return x.total_s > y.total_s; });
  std::vector<CalleeTime> callees, callees_before;
  in_parts(edges_, [&](const auto& key, const Edge& edge) {
    bool in = key.second == name, out = key.first == name;
    if (!in && !out) return;
    if (out && compared) {
      if (Cell c = edge.track.sum(before, w.from); c.count > 0) {
        callees_before.push_back({.peer = key.second, .seconds = c.duration_s, .calls = c.count});
      }
    }
    Cell c = edge.track.sum(w.from, w.to);
    if (c.count == 0) return;
    PeerRow r{
        .peer = in ? key.first : key.second, .address = edge.address, .protocol = edge.protocol};
    fill(r, c, w.seconds(edge.first_s));
    if (in) a.inbound.push_back(r);
    r.peer = key.second;
    if (out) a.outbound.push_back(std::move(r));
    if (out) callees.push_back({.peer = key.second, .seconds = c.duration_s, .calls = c.count});
  });
  by_rate(a.inbound);
  by_rate(a.outbound);
  a.spent = spent_of(own, std::move(callees));
  std::optional<double> before_p95;
  if (own_before.count > 0) {
    a.baseline = spent_of(own_before, std::move(callees_before));
    before_p95 = own_before.latency.quantile(.95);
  }
  a.verdict = verdict_of(a, before_p95);
  return a;
}

MapAnswer Book::map(int64_t range_s, int64_t now_unix_ns) const {
  Window w(range_s, now_unix_ns);
  MapAnswer a{.now_ms = now_unix_ns / 1'000'000, .range_s = w.range, .nodes = {}, .edges = {}};
  std::map<std::string, MapNode> nodes;
  in_parts(services_, [&](const std::string& name, const Service& s) {
    if (s.last_s < w.from) return;
    MapNode n{.name = name, .language = s.language.empty() ? "unknown" : s.language};
    fill(n, s.track.sum(w.from, w.to), w.seconds(s.first_s));
    nodes.emplace(name, std::move(n));
  });
  std::map<std::string, Cell> outside;
  std::map<std::string, int64_t> outside_first;
  in_parts(edges_, [&](const auto& key, const Edge& edge) {
    Cell c = edge.track.sum(w.from, w.to);
    if (c.count == 0) return;
    MapEdge e{.client = key.first, .server = key.second, .protocol = edge.protocol};
    fill(e, c, w.seconds(edge.first_s));
    for (const auto& end : {key.first, key.second}) {
      if (nodes.contains(end)) continue;
      outside[end].merge(c);
      auto [first, fresh] = outside_first.try_emplace(end, edge.first_s);
      if (!fresh) first->second = std::min(first->second, edge.first_s);
    }
    a.edges.push_back(std::move(e));
  });
  for (auto& [name, n] : nodes) a.nodes.push_back(std::move(n));
  for (const auto& [name, c] : outside) {
    MapNode n{.name = name, .language = "unknown", .external = true};
    fill(n, c, w.seconds(outside_first[name]));
    a.nodes.push_back(std::move(n));
  }
  return a;
}

std::string verdict_of(const ServiceAnswer& a, std::optional<double> baseline_p95) {
  const ServiceRow& s = a.service;
  if (!s.p95) {
    return a.outbound.empty() ? "No requests in this range."
                              : "It serves no requests in this range; it only calls others.";
  }
  std::string head;
  if (s.error_share >= 0.05) {
    const EndpointRow* worst = nullptr;
    for (const auto& e : a.endpoints) {
      if (!worst || e.rate * e.error_share > worst->rate * worst->error_share) worst = &e;
    }
    head = fmt::format("{} of requests fail", percent(s.error_share));
    if (worst && a.endpoints.size() > 1) {
      head += fmt::format(", most of them {} {}", worst->method, worst->route);
    }
  } else {
    head = fmt::format("p95 {}", duration_text(*s.p95));
    if (baseline_p95 && *s.p95 > *baseline_p95 * 1.5) {
      head += fmt::format(" (was {})", duration_text(*baseline_p95));
    }
  }
  const TimeSpent& t = a.spent;
  if (t.total_s <= 0) return head + ".";
  double queue = t.queue_s / t.total_s, own = t.own_s / t.total_s;
  const CalleeTime* top = t.callees.empty() ? nullptr : &t.callees.front();
  if (queue >= 0.3 && queue >= own && (!top || queue >= top->share)) {
    return fmt::format("{}; {} of the time requests wait in its queue.", head, percent(queue));
  }
  if (top && top->share >= 0.3 && top->share >= own) {
    return fmt::format("{}; {} of the time is spent waiting for {}.", head, percent(top->share),
                       top->peer);
  }
  return fmt::format("{}; {} of the time is its own.", head, percent(own));
}

}  // namespace sonde::rollup
