// SPDX-License-Identifier: Apache-2.0
// How requests find each other: the two ends of one connection by addresses and the TCP sequence of
// the first byte of the request, and a call its server request by the thread, where that thread can
// serve no other. Whatever is not certain stays apart.
#include <algorithm>
#include <cstring>

#include "probe/tracker_state.h"

namespace sonde::probe {
namespace {

constexpr int64_t kJoinNs = 60'000'000'000;

}  // namespace

void Tracker::find_parent(const std::shared_ptr<Request>& request, uint32_t tid) {
  const auto place = threads_.find(tid);
  if (place == threads_.end() || place->second.size() != 1) return;
  Request& parent = *place->second.front();
  if (parent.process->tgid != request->process->tgid) return;
  request->trace = parent.trace;
  request->out.parent_span_id = parent.out.span_id;
  request->out.has_parent = true;
}

void Tracker::leave_thread(const Request& request) {
  if (!request.on_thread) return;
  const auto place = threads_.find(request.tid);
  if (place == threads_.end()) return;
  std::erase_if(place->second, [&](const auto& other) { return other.get() == &request; });
  if (place->second.empty()) threads_.erase(place);
}

void Tracker::join(Connection& connection, const std::shared_ptr<Request>& request, uint32_t seq) {
  const sonde_event& event = connection.last;
  const bool server = request->out.server;
  JoinKey key;
  std::memcpy((server ? key.server_addr : key.client_addr).data(), event.local_addr, 16);
  std::memcpy((server ? key.client_addr : key.server_addr).data(), event.remote_addr, 16);
  key.server_port = server ? event.local_port : event.remote_port;
  key.client_port = server ? event.remote_port : event.local_port;
  key.seq = seq;
  if (is_loopback(event.remote_addr)) key.network = event.netns;
  const auto [place, added] = joins_->try_emplace(key);
  Join& join = place->second;
  (server ? join.server : join.client) = request;
  if (added) {
    join.since_ns = now_ns_;
    join_order_.push_back(key);
    settle_joins();
    return;
  }
  if (join.client == nullptr || join.server == nullptr) return;
  Request& client = *join.client;
  Request& callee = *join.server;
  callee.out.parent_span_id = client.out.span_id;
  callee.out.has_parent = true;
  callee.peer = client.process;
  client.peer = callee.process;
  std::shared_ptr<Trace> from = callee.trace;
  while (from->forward) from = from->forward;
  std::shared_ptr<Trace> to = client.trace;
  while (to->forward) to = to->forward;
  if (from != to) from->forward = to;
  ++stats_.joined;
  joins_->erase(place);
}

void Tracker::settle_joins() {
  while (!join_order_.empty()) {
    const auto place = joins_->find(join_order_.front());
    if (place != joins_->end()) {
      const bool late = now_ns_ - place->second.since_ns > kJoinNs;
      if (!late && joins_->size() <= config_.max_joins) return;
      joins_->erase(place);
    }
    join_order_.pop_front();
  }
}

}  // namespace sonde::probe
