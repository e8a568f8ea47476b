// SPDX-License-Identifier: Apache-2.0
// Connections, timing and joining of tracker.h. Parents are never guessed: a call belongs to the
// server request of its thread only where that thread can serve no other, and two ends of one
// connection are recognised by addresses and the TCP sequence of the first byte of the request.
#include "probe/tracker.h"

#include <arpa/inet.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "probe/tracker_state.h"

namespace sonde::probe {
namespace {

constexpr int64_t kSweepNs = 50'000'000;
constexpr size_t kMaxEarly = 16;
constexpr size_t kMaxEarlyBytes = 64;

std::string address_text(const uint8_t (&address)[16], uint8_t family) {
  if (family != SONDE_FAMILY_INET && family != SONDE_FAMILY_INET6) return {};
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char text[INET6_ADDRSTRLEN] = {};
  if (std::memcmp(address, kMapped, sizeof kMapped) == 0) {
    inet_ntop(AF_INET, address + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address, text, sizeof text);
  }
  return text;
}

}  // namespace

class Tracker::Listener final : public ExchangeListener {
 public:
  Listener(Tracker& tracker, Connection& connection) : tracker_(tracker), connection_(connection) {}
  void on_request(uint64_t serial, const RequestHead& head) override {
    tracker_.begin(connection_, serial, head);
  }
  void on_response(uint64_t serial, const ResponseHead& head) override {
    tracker_.respond(connection_, serial, head);
  }
  void on_finish(uint64_t serial, const Finish& finish) override {
    tracker_.finish(connection_, serial, finish);
  }

 private:
  Tracker& tracker_;
  Connection& connection_;
};

Tracker::Tracker(TrackerConfig config, ProcessTable& processes, RequestSink& sink)
    : config_(std::move(config)),
      processes_(processes),
      sink_(sink),
      routes_(config_.routes),
      joins_(std::make_unique<std::unordered_map<JoinKey, Join, JoinHash>>()) {
  uint64_t seed = config_.seed;
  if (seed == 0 && getrandom(&seed, sizeof seed, 0) != sizeof seed) {
    seed = reinterpret_cast<uintptr_t>(this);
  }
  for (uint64_t& word : random_state_) word = split_mix(seed);
}

Tracker::~Tracker() = default;

uint64_t Tracker::random() {
  uint64_t a = random_state_[0];
  const uint64_t b = random_state_[1];
  random_state_[0] = b;
  a ^= a << 23;
  random_state_[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
  return random_state_[1] + b;
}

void Tracker::event(const sonde_event& event) {
  this->event(event,
              std::string_view(reinterpret_cast<const char*>(event.payload()), event.captured));
}

void Tracker::event(const sonde_event& event, std::string_view payload) {
  const auto time_ns = static_cast<int64_t>(event.time_ns);
  now_ns_ = std::max(now_ns_, time_ns);
  switch (event.type) {
    case SONDE_EXEC:
      processes_.exec(event.tgid, process_start_of(payload));
      if (event.tgid != config_.own_tgid) sink_.executed(event.tgid);
      return;
    case SONDE_EXIT:
      processes_.exit(event.tgid);
      return;
    case SONDE_FORK:
      processes_.fork(event.tgid, event.length, process_start_of(payload));
      return;
    case SONDE_CLOSE:
      drop(event.cookie, time_ns, (event.flags & SONDE_GAP) != 0);
      return;
    case SONDE_RECEIVE:
    case SONDE_SEND:
      if (event.tgid != config_.own_tgid || config_.own_tgid == 0) socket_event(event, payload);
      return;
    default:
      return;
  }
}

void Tracker::socket_event(const sonde_event& event, std::string_view payload) {
  Connection* connection = connection_of(event);
  if (connection == nullptr) return;
  recent_.splice(recent_.begin(), recent_, connection->recent);
  if (connection->ignored) {
    connection->last_ns = static_cast<int64_t>(event.time_ns);
    return;
  }
  if (connection->parser == nullptr) {
    const Protocol* protocol = protocol_of(event.protocol);
    if (protocol == nullptr) {
      connection->last_ns = static_cast<int64_t>(event.time_ns);
      if (connection->early.size() >= kMaxEarly) connection->early.clear();
      connection->early.emplace_back(event, std::string(payload.substr(0, kMaxEarlyBytes)));
      return;
    }
    connection->parser = protocol->make_connection();
    connection->protocol = protocol;
    for (const auto& [before, bytes] : connection->early) feed(*connection, before, bytes);
    connection->early.clear();
    connection->early.shrink_to_fit();
  }
  feed(*connection, event, payload);
}

void Tracker::feed(Connection& connection, const sonde_event& event, std::string_view payload) {
  connection.last = event;
  connection.last_ns = static_cast<int64_t>(event.time_ns);
  Fragment fragment;
  fragment.received = event.type == SONDE_RECEIVE;
  fragment.turn_start = (event.flags & SONDE_TURN_START) != 0;
  fragment.length = event.length;
  if ((event.flags & SONDE_PAYLOAD_MISSING) == 0) fragment.bytes = payload.substr(0, event.length);
  fragment.stamp.time_ns = static_cast<int64_t>(event.time_ns);
  fragment.stamp.arrived_ns = static_cast<int64_t>(event.arrived_ns);
  fragment.stamp.seq = event.seq;
  fragment.stamp.tgid = event.tgid;
  fragment.stamp.tid = event.tid;
  fragment.stamp.blocking = (event.flags & SONDE_SOCKET_BLOCKING) != 0;

  uint64_t& expected = connection.next_offset[fragment.received ? 1 : 0];
  bool& seen = connection.seen[fragment.received ? 1 : 0];
  if (seen && event.stream_offset > expected) {
    fragment.lost_before = event.stream_offset - expected;
    ++stats_.gaps;
  } else if (seen && event.stream_offset < expected) {
    // The same bytes twice, or a counter that began anew: neither may be read as new bytes.
    if (event.stream_offset + event.length <= expected && event.stream_offset != 0) return;
    fragment.gap_before = true;
    ++stats_.gaps;
  } else if (!seen && (event.flags & SONDE_GAP) != 0) {
    fragment.gap_before = true;
  }
  seen = true;
  expected = event.stream_offset + event.length;

  Listener listener(*this, connection);
  connection.parser->feed(fragment, listener);
}

Tracker::Connection* Tracker::connection_of(const sonde_event& event) {
  const auto known = connections_.find(event.cookie);
  if (known != connections_.end()) return known->second.get();
  const std::shared_ptr<Process> process = processes_.get(event.tgid);
  if (!process->filtered) {
    process->filtered = true;
    const Verdict verdict = config_.filter.verdict(*process);
    process->excluded = verdict != Verdict::Watched;
    // Forks inherit what the kernel is told, so it is told nothing that may have to be taken back.
    if (verdict == Verdict::Excluded) sink_.excluded(event.tgid);
  }
  if (process->excluded) return nullptr;
  if (connections_.size() >= config_.max_connections && !recent_.empty()) {
    evict(recent_.back());
    ++stats_.connections_evicted;
  }
  auto connection = std::make_unique<Connection>();
  connection->cookie = event.cookie;
  recent_.push_front(event.cookie);
  connection->recent = recent_.begin();
  connection->ignored = config_.own_end.is_far_end_of(event);
  if (connection->ignored) ++stats_.own_connections;
  return connections_.emplace(event.cookie, std::move(connection)).first->second.get();
}

void Tracker::evict(uint64_t cookie) {
  const auto place = connections_.find(cookie);
  if (place == connections_.end()) return;
  for (auto& [serial, request] : place->second->open) {
    leave_thread(*request);
    ++stats_.requests_evicted;
    --open_count_;
  }
  busy_.erase(cookie);
  recent_.erase(place->second->recent);
  connections_.erase(place);
}

void Tracker::drop(uint64_t cookie, int64_t now_ns, bool lost_end) {
  const auto place = connections_.find(cookie);
  if (place == connections_.end()) return;
  place->second->lost_end = lost_end;
  Listener listener(*this, *place->second);
  if (place->second->parser) place->second->parser->close(now_ns, listener);
  evict(cookie);
}

void Tracker::begin(Connection& connection, uint64_t serial, const RequestHead& head) {
  const std::shared_ptr<Process> process = processes_.get(head.first.tgid);
  const sonde_event& event = connection.last;
  const bool server = head.received;
  if (!config_.filter.watched(*process, server ? event.local_port : event.remote_port)) return;
  if (open_count_ >= config_.max_open_requests) {
    ++stats_.requests_evicted;
    return;
  }
  auto request = std::make_shared<Request>();
  FinishedRequest& out = request->out;
  out.server = server;
  out.protocol = connection.protocol;
  out.protocol->begin(head, out);
  out.start_unix_ns = head.first.time_ns + offset_ns_;
  if (server && head.first.arrived_ns > 0 && head.first.arrived_ns <= head.first.time_ns) {
    out.queue_ns = head.first.time_ns - head.first.arrived_ns;
  }
  out.local_address = address_text(event.local_addr, event.family);
  out.peer_address = address_text(event.remote_addr, event.family);
  out.local_port = event.local_port;
  out.peer_port = event.remote_port;
  const uint64_t span = random() | 1;
  std::memcpy(out.span_id.data(), &span, sizeof span);
  request->process = process;
  request->trace = std::make_shared<Trace>();
  const uint64_t trace[2] = {random(), random() | 1};
  std::memcpy(request->trace->id.data(), trace, sizeof trace);
  request->tid = head.first.tid;
  connection.open.emplace_back(serial, request);
  busy_.insert(connection.cookie);
  ++open_count_;

  if (server) {
    process->trusts_thread = head.first.blocking || process->synchronous;
    if (process->trusts_thread) {
      request->on_thread = true;
      threads_[request->tid].push_back(request);
    }
  } else {
    find_parent(request, head.first.tid);
  }
  if (head.first.seq != 0) join(connection, request, head.first.seq);
}

void Tracker::respond(Connection& connection, uint64_t serial, const ResponseHead& head) {
  for (auto& [number, request] : connection.open) {
    if (number != serial) continue;
    request->out.status = head.status;
    leave_thread(*request);
    return;
  }
}

void Tracker::finish(Connection& connection, uint64_t serial, const Finish& finish) {
  const auto place = std::find_if(connection.open.begin(), connection.open.end(),
                                  [&](const auto& entry) { return entry.first == serial; });
  if (place == connection.open.end()) return;
  const std::shared_ptr<Request> request = place->second;
  connection.open.erase(place);
  if (connection.open.empty()) busy_.erase(connection.cookie);
  --open_count_;
  leave_thread(*request);
  FinishedRequest& out = request->out;
  out.end_unix_ns = std::max(out.start_unix_ns, finish.last.time_ns + offset_ns_);
  out.request_bytes = finish.request_body;
  out.response_bytes = finish.response_body;
  if (finish.ending == Ending::Unanswered && !connection.lost_end) {
    out.error_type = connection.silent ? "timeout" : "connection_closed";
  } else {
    out.protocol->finish(out);
  }
  request->due_ns = now_ns_ + config_.hold_ns;
  held_.push_back(request);
  while (held_.size() > config_.max_open_requests) {
    emit(*held_.front());
    held_.pop_front();
  }
}

void Tracker::emit(Request& request) {
  FinishedRequest& out = request.out;
  std::shared_ptr<Trace> trace = request.trace;
  while (trace->forward) trace = trace->forward;
  out.trace_id = trace->id;
  out.process = request.process;
  // Not before: a process may have been named since the request began.
  if (request.peer != nullptr) out.peer_service = request.peer->service;
  if (const Routing routing = out.protocol->routing(out); routing != Routing::None) {
    out.route = routes_.route(request.process->service, out.target, routing == Routing::Template);
    stats_.routes_overflowed = routes_.overflowed();
  }
  ++stats_.requests;
  sink_.request(out);
}

void Tracker::tick(int64_t monotonic_ns) {
  now_ns_ = std::max(now_ns_, monotonic_ns);
  while (!held_.empty() && held_.front()->due_ns <= now_ns_) {
    const std::shared_ptr<Request> request = std::move(held_.front());
    held_.pop_front();
    emit(*request);
  }
  if (now_ns_ - last_sweep_ns_ < kSweepNs) return;
  last_sweep_ns_ = now_ns_;
  const std::vector<uint64_t> busy(busy_.begin(), busy_.end());
  for (const uint64_t cookie : busy) {
    const auto place = connections_.find(cookie);
    if (place == connections_.end()) continue;
    Listener listener(*this, *place->second);
    place->second->parser->tick(now_ns_, listener);
  }
  while (!recent_.empty()) {
    Connection& oldest = *connections_.find(recent_.back())->second;
    if (now_ns_ - oldest.last_ns < config_.idle_ns) break;
    oldest.silent = true;
    drop(oldest.cookie, now_ns_);
  }
  settle_joins();
}

void Tracker::flush() {
  while (!held_.empty()) {
    const std::shared_ptr<Request> request = std::move(held_.front());
    held_.pop_front();
    emit(*request);
  }
}

}  // namespace sonde::probe
