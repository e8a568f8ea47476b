// SPDX-License-Identifier: Apache-2.0
// Writing into the book: which service, endpoint and edge an observation belongs to, and what is
// forgotten when.
#include "rollup/book.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

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

// What a row takes beside its names and its track: nodes of maps, texts and what malloc adds.
constexpr size_t kServiceBytes = 2048, kRowBytes = 512, kInstanceBytes = 128;
constexpr size_t kPressedBuckets = 16;
constexpr int64_t kPressedSeconds = 5 * 60;
constexpr size_t kParts = 15;

size_t row_bytes(const std::pair<std::string, std::string>& key) {
  return kRowBytes + key.first.size() + key.second.size();
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

// The lock as a writer takes it, whom readers let pass.
class Book::Writing {
 public:
  explicit Writing(const Book& book) : lock_(book.mutex_, std::defer_lock) {
    book.writers_++;
    lock_.lock();
    book.writers_--;
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

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
      bytes_ += kServiceBytes;
    }
  }
  it->second.last_s = std::max(it->second.last_s, second);
  return *it;
}

void Book::describe(const ServiceFacts& f, int64_t now_unix_ns) {
  Writing lock(*this);
  if (bytes_ >= limits_.bytes) return;  // Its requests are counted where they are not entered.
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
  } else if (s.instances.size() < 1000 && !pressed()) {
    bytes_ += kInstanceBytes + instance.size();
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

void Book::add(Track& track, int64_t at, const Observation& o) {
  const size_t before = track.bytes();
  track.add(at, o, pressed() ? kPressedBuckets : PackedHistogram::kMost);
  bytes_ += track.bytes() - before;
}

Track& Book::endpoint_at(Service& s, const Observation& o, int64_t at) {
  std::pair<std::string, std::string> key(o.method, o.route);
  auto it = s.endpoints.find(key);
  const bool full = it == s.endpoints.end() ? s.endpoints.size() >= limits_.endpoints_per_service
                                            : pressed() && !it->second.has_slot(at);
  if (full || (it == s.endpoints.end() && pressed())) {
    overflowed_++;
    key = {std::string(), std::string(kOther)};
    it = s.endpoints.find(key);
  }
  if (it == s.endpoints.end()) {
    bytes_ += row_bytes(key);
    it = s.endpoints.try_emplace(std::move(key)).first;
  }
  return it->second;
}

void Book::observe(const Observation& raw, int64_t now_unix_ns) {
  const Observation o = cut(raw);
  Writing lock(*this);
  int64_t now = now_unix_ns / kSecond;
  int64_t at = o.end_unix_ns > 0 ? std::min(o.end_unix_ns / kSecond, now) : now;
  expire(now);
  if (at < now - kKeptSeconds) return;
  observed_++;
  if (bytes_ >= limits_.bytes) {
    overflowed_++;
    return;
  }
  // The name it is kept under: "(other)" where there are too many.
  auto& [name, s] = service_at(o.service, at);

  std::string client, server, address;
  if (o.server) {
    add(s.track, at, o);
    add(endpoint_at(s, o, at), at, o);
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
    bool fresh = false;
    std::tie(it, fresh) = edges_.try_emplace(std::move(key));
    if (fresh) {
      it->second.first_s = at;
      bytes_ += row_bytes(it->first);
    }
  }
  add(it->second.track, at, o);
  keep(it->second.address, address);
  add_protocol(it->second.protocol, protocol_of(o));
}

// Everything older than the book, and every service and edge that is empty. Once a second at most,
// and then a part of all services and edges, so that the lock is held shortly.
void Book::expire(int64_t now) {
  if (now == expired_s_) return;
  const int64_t passed = now - expired_s_;
  expired_s_ = now;
  const int64_t due = passed < 0 ? 1 : std::min<int64_t>(passed, kParts);
  expire_parts(now, static_cast<size_t>(due));
}

void Book::expire_parts(int64_t now, size_t parts) {
  const size_t first = part_;
  part_ = (part_ + parts) % kParts;
  const auto due = [&](size_t place) { return (place + kParts - first) % kParts < parts; };
  const int64_t drop = now - kKeptSeconds, before = now - kBaselineSeconds;
  const int64_t fold = pressed() ? now - kPressedSeconds : drop;
  const auto expire = [&](Track& track, int64_t drop_s) {
    const size_t was = track.bytes();
    track.expire(fold, drop_s);
    bytes_ += track.bytes() - was;
  };
  size_t place = 0;
  for (auto it = services_.begin(); it != services_.end(); place++) {
    Service& s = it->second;
    if (!due(place)) {
      ++it;
      continue;
    }
    if (s.last_s < before) {
      bytes_ -= bytes_of(s);
      it = services_.erase(it);
      continue;
    }
    ++it;
    expire(s.track, before);
    // Endpoints are never compared with the range before.
    for (auto& [key, track] : s.endpoints) expire(track, drop);
    std::erase_if(s.endpoints, [&](const auto& e) {
      if (!e.second.empty()) return false;
      bytes_ -= row_bytes(e.first) + e.second.bytes();
      return true;
    });
    std::erase_if(s.instances, [&](const auto& e) {
      if (e.second >= drop) return false;
      bytes_ -= kInstanceBytes + e.first.size();
      return true;
    });
  }
  place = 0;
  for (auto it = edges_.begin(); it != edges_.end(); place++) {
    Track& track = it->second.track;
    if (due(place)) expire(track, before);
    if (track.empty()) {
      bytes_ -= row_bytes(it->first) + track.bytes();
      it = edges_.erase(it);
    } else {
      ++it;
    }
  }
  if (due(0)) {
    std::erase_if(listeners_, [&](const auto& e) { return !services_.contains(e.second); });
  }
}

size_t Book::bytes_of(const Service& s) {
  size_t bytes = kServiceBytes + s.track.bytes();
  for (const auto& [key, track] : s.endpoints) bytes += row_bytes(key) + track.bytes();
  for (const auto& [id, last] : s.instances) bytes += kInstanceBytes + id.size();
  return bytes;
}
uint64_t Book::overflowed() const {
  std::lock_guard lock(mutex_);
  return overflowed_;
}

size_t Book::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

uint64_t Book::observed() const {
  std::lock_guard lock(mutex_);
  return observed_;
}

}  // namespace sonde::rollup
