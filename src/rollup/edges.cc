// SPDX-License-Identifier: Apache-2.0
// The waiting room of half edges. Deadlines are in order of arrival because every half waits
// equally long.
#include "rollup/edges.h"

#include <algorithm>

namespace sonde::rollup {
namespace {

bool is_zero(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char c) { return c == 0; });
}

}  // namespace

Edges::Waiting::Waiting(const Side& of, size_t bytes)
    : side(of),
      names(std::string(of.service).append(of.service_namespace).append(of.peer)),
      charge(sizeof(Waiting) + sizeof(Deadline) + bytes) {
  const std::string_view all = names;
  side.service = all.substr(0, of.service.size());
  side.service_namespace = all.substr(of.service.size(), of.service_namespace.size());
  side.peer = all.substr(of.service.size() + of.service_namespace.size());
}

bool Edges::has_room(const Side& side, size_t bytes) const {
  return side.bytes() <= EdgesOptions::kMaxHalfBytes && waiting_.size() < options_.max_waiting &&
         bytes_ + bytes <= options_.max_waiting * EdgesOptions::kBytesPerHalf;
}

void Edges::add(const EdgeHalf& half, int64_t now) {
  tick(now);
  const Side mine{.server = half.server,
                  .root = is_zero(half.parent_span_id),
                  .error = half.error,
                  .service = half.service,
                  .service_namespace = half.service_namespace,
                  .peer = half.peer,
                  .seconds = static_cast<double>(std::max<int64_t>(half.duration_ns, 0)) / 1e9,
                  .end_unix_ns = half.end_unix_ns};
  if (mine.server && mine.root) return resolve_alone(mine);
  std::string key(half.trace_id);
  key.append(half.server ? half.parent_span_id : half.span_id);
  const auto it = waiting_.find(key);
  if (it != waiting_.end() && it->second.side.server != mine.server) {
    const Side& other = it->second.side;
    const Side& client = mine.server ? other : mine;
    const Side& server = mine.server ? mine : other;
    emit_(FinishedEdge{.client = client.service,
                       .client_namespace = client.service_namespace,
                       .server = server.service,
                       .server_namespace = server.service_namespace,
                       .failed = client.error || server.error,
                       .client_s = client.seconds,
                       .server_s = server.seconds,
                       .end_unix_ns = std::max(client.end_unix_ns, server.end_unix_ns)});
    bytes_ -= key.size() + other.bytes();
    order_.erase(it->second.deadline);
    waiting_.erase(it);
    return;
  }
  const size_t bytes = key.size() + mine.bytes();
  if (it != waiting_.end() || !has_room(mine, bytes)) return resolve_alone(mine);
  order_.push_back({now + options_.wait.count(), key});
  bytes_ += bytes;
  waiting_.try_emplace(std::move(key), mine, bytes).first->second.deadline =
      std::prev(order_.end());
}

void Edges::tick(int64_t now) {
  while (!order_.empty() && order_.front().at <= now) {
    const auto half = waiting_.extract(order_.front().key);
    bytes_ -= half.key().size() + half.mapped().side.bytes();
    order_.pop_front();
    resolve_alone(half.mapped().side);
  }
}

void Edges::resolve_alone(const Side& half) {
  unpaired_++;
  if (half.server) {
    // A server with a parent that never came: its client is somebody's SDK elsewhere, or was lost.
    // A root has none.
    const std::string_view client = !half.peer.empty() ? half.peer : half.root ? "user" : "";
    if (client.empty()) return;
    emit_(FinishedEdge{.client = client,
                       .server = half.service,
                       .server_namespace = half.service_namespace,
                       .failed = half.error,
                       .virtual_node = true,
                       .server_s = half.seconds,
                       .end_unix_ns = half.end_unix_ns});
    return;
  }
  if (half.peer.empty()) return;
  emit_(FinishedEdge{.client = half.service,
                     .client_namespace = half.service_namespace,
                     .server = half.peer,
                     .failed = half.error,
                     .virtual_node = true,
                     .client_s = half.seconds,
                     .end_unix_ns = half.end_unix_ns});
}

}  // namespace sonde::rollup
