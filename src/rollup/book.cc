// SPDX-License-Identifier: Apache-2.0
// Writing into the book: which service, endpoint and edge an observation belongs to, and what is
// forgotten when.
#include "rollup/book.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace sonde::rollup {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::string_view cut(std::string_view text) { return cut_utf8(text, Book::kMaxNameBytes); }

Observation cut(Observation o) {
  for (auto field :
       {&Observation::service, &Observation::method, &Observation::route, &Observation::scheme,
        &Observation::peer_service, &Observation::peer_address, &Observation::server_address}) {
    o.*field = cut(o.*field);
  }
  return o;
}

void keep(std::string& to, std::string_view value) {
  value = cut(value);
  if (!value.empty() && to != value) to = value;
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "[::1]" ||
         address == "localhost";
}

// HTTP is called so over TLS too.
std::string_view protocol_of(const Observation& o) {
  if (o.convention == &kHttp) return o.method.empty() ? std::string_view() : kHttp.family;
  return o.scheme.empty() ? o.convention->family : o.scheme;
}

void add_protocol(std::string& list, std::string_view name) {
  constexpr size_t kMaxLength = 64;
  if (name.empty() || list.size() + name.size() > kMaxLength) return;
  for (std::string_view rest = list; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    if (one == name) return;
    rest.remove_prefix(std::min(rest.size(), one.size() + 2));
  }
  if (!list.empty()) list += ", ";
  list += name;
}

}  // namespace

std::pair<const std::string, Book::Service>& Book::service_at(std::string_view name,
                                                              int64_t second) {
  auto it = services_.find(name);
  if (it == services_.end()) {
    if (services_.size() >= limits_.services) {
      overflowed_++;
      name = kOther;
      it = services_.find(name);
    }
    if (it == services_.end()) {
      it = services_.emplace(std::string(name), Service{}).first;
      it->second.first_s = second;
    }
  }
  it->second.last_s = std::max(it->second.last_s, second);
  return *it;
}

void Book::describe(const ServiceFacts& f, int64_t now_unix_ns) {
  std::lock_guard lock(mutex_);
  int64_t now = now_unix_ns / kSecond;
  Service& s = service_at(cut(f.service), now).second;
  keep(s.service_namespace, f.service_namespace);
  keep(s.language, f.language);
  keep(s.unit, f.unit);
  keep(s.container, f.container);
  keep(s.instrumented_by, f.instrumented_by);
  keep(s.trust, f.trust);
  if (f.instance.empty()) return;
  std::string instance(cut(f.instance));
  auto it = s.instances.find(instance);
  if (it != s.instances.end()) {
    it->second = now;
  } else if (s.instances.size() < 1000) {
    s.instances.emplace(std::move(instance), now);
  }
}

// The best name of whom a client called: joined, listening here, or the address it asked for.
std::string Book::callee_of(const Observation& o) const {
  if (!o.peer_service.empty()) return std::string(o.peer_service);
  int port = o.peer_port ? o.peer_port : o.server_port;
  if (is_loopback(o.peer_address) || (o.peer_address.empty() && is_loopback(o.server_address))) {
    if (auto it = listeners_.find(port); it != listeners_.end()) return it->second;
  }
  std::string_view host = o.server_address.empty() ? o.peer_address : o.server_address;
  if (host.empty()) return "unknown";
  int shown = o.server_port ? o.server_port : o.peer_port;
  if (shown == 0 || shown == 80 || shown == 443) return std::string(host);
  return fmt::format("{}:{}", host, shown);
}

void Book::observe(const Observation& raw, int64_t now_unix_ns) {
  const Observation o = cut(raw);
  std::lock_guard lock(mutex_);
  int64_t now = now_unix_ns / kSecond;
  int64_t at = o.end_unix_ns > 0 ? std::min(o.end_unix_ns / kSecond, now) : now;
  expire(now);
  if (at < now - kKeptSeconds) return;
  observed_++;
  // The name it is kept under: "(other)" where there are too many.
  auto& [name, s] = service_at(o.service, at);

  std::string client, server, address;
  if (o.server) {
    s.track.add(at, o);
    std::pair<std::string, std::string> key(o.method, o.route);
    auto it = s.endpoints.find(key);
    if (it == s.endpoints.end()) {
      if (s.endpoints.size() >= limits_.endpoints_per_service) {
        overflowed_++;
        key = {std::string(), std::string(kOther)};
      }
      it = s.endpoints.try_emplace(std::move(key), 5).first;
    }
    it->second.add(at, o);
    if (o.server_port > 0 && (listeners_.size() < 5000 || listeners_.contains(o.server_port))) {
      listeners_[o.server_port] = name;
    }
    if (o.has_parent || !o.peer_service.empty()) return;  // Its client tells of this edge.
    client = kOutside;
    server = name;
  } else {
    client = name;
    server = callee_of(o);
    address =
        o.server_address.empty() ? std::string(o.peer_address) : std::string(o.server_address);
    if (int port = o.server_port ? o.server_port : o.peer_port; port && !address.empty()) {
      address += fmt::format(":{}", port);
    }
  }
  std::pair<std::string, std::string> key(std::move(client), std::move(server));
  auto it = edges_.find(key);
  if (it == edges_.end()) {
    if (edges_.size() >= limits_.edges) {
      overflowed_++;
      // One such edge a client, so that its time is still seen as spent on others; clients are
      // services of the book, "(other)" and "outside", and bounded with them.
      key.second = kOther;
    }
    it = edges_.try_emplace(std::move(key)).first;
    if (it->second.first_s == 0) it->second.first_s = at;
  }
  it->second.track.add(at, o);
  keep(it->second.address, address);
  add_protocol(it->second.protocol, protocol_of(o));
}

// Once a second at most: everything older than the book, then every service and edge that is empty.
void Book::expire(int64_t now) {
  if (now == expired_s_) return;
  expired_s_ = now;
  const int64_t fold = now - kKeptSeconds, before = now - kBaselineSeconds;
  for (auto it = services_.begin(); it != services_.end();) {
    Service& s = it->second;
    s.track.expire(fold, before);
    // Endpoints are never compared with the range before.
    for (auto& [key, track] : s.endpoints) track.expire(fold, fold);
    std::erase_if(s.endpoints, [&](const auto& e) { return e.second.empty(); });
    std::erase_if(s.instances, [&](const auto& e) { return e.second < fold; });
    it = s.last_s < before ? services_.erase(it) : std::next(it);
  }
  for (auto& [key, edge] : edges_) edge.track.expire(fold, before);
  std::erase_if(edges_, [&](const auto& e) { return e.second.track.empty(); });
  std::erase_if(listeners_, [&](const auto& e) { return !services_.contains(e.second); });
}

uint64_t Book::overflowed() const {
  std::lock_guard lock(mutex_);
  return overflowed_;
}

uint64_t Book::observed() const {
  std::lock_guard lock(mutex_);
  return observed_;
}

}  // namespace sonde::rollup
