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

void Edges::add(const EdgeHalf& half, int64_t now) {
  tick(now);
  std::string key(half.trace_id);
  key.append(half.server ? half.parent_span_id : half.span_id);
  Waiting mine{.server = half.server,
               .root = is_zero(half.parent_span_id),
               .error = half.error,
               .service = std::string(half.service),
               .service_namespace = std::string(half.service_namespace),
               .peer = std::string(half.peer),
               .seconds = static_cast<double>(std::max<int64_t>(half.duration_ns, 0)) / 1e9,
               .end_unix_ns = half.end_unix_ns,
               .deadline = {}};
  if (half.server && mine.root) {
    resolve_alone(mine);
    return;
  }
  auto it = waiting_.find(key);
  if (it != waiting_.end() && it->second.server != half.server) {
    const Waiting& client = half.server ? it->second : mine;
    const Waiting& server = half.server ? mine : it->second;
    emit_(FinishedEdge{.client = client.service,
                       .client_namespace = client.service_namespace,
                       .server = server.service,
                       .server_namespace = server.service_namespace,
                       .failed = client.error || server.error,
                       .client_s = client.seconds,
                       .server_s = server.seconds,
                       .end_unix_ns = std::max(client.end_unix_ns, server.end_unix_ns)});
    bytes_ -= key.size() + it->second.bytes();
    order_.erase(it->second.deadline);
    waiting_.erase(it);
    return;
  }
  if (it != waiting_.end() || waiting_.size() >= options_.max_waiting ||
      bytes_ + key.size() + mine.bytes() > options_.max_waiting * EdgesOptions::kBytesPerHalf) {
    resolve_alone(mine);
    return;
  }
  order_.push_back({now + options_.wait.count(), key});
  bytes_ += key.size() + mine.bytes();
  mine.deadline = std::prev(order_.end());
  waiting_.emplace(std::move(key), std::move(mine));
}

void Edges::tick(int64_t now) {
  while (!order_.empty() && order_.front().at <= now) {
    auto it = waiting_.find(order_.front().key);
    Waiting half = std::move(it->second);
    bytes_ -= order_.front().key.size() + half.bytes();
    waiting_.erase(it);
    order_.pop_front();
    resolve_alone(half);
  }
}

void Edges::resolve_alone(const Waiting& half) {
  unpaired_++;
  if (half.server) {
    // A server with a parent that never came: its client is somebody's SDK elsewhere, or was lost.
    // A root has none.
    std::string client = !half.peer.empty() ? half.peer : half.root ? "user" : "";
    if (client.empty()) return;
    emit_(FinishedEdge{.client = std::move(client),
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
