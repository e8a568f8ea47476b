// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph/shard.h"

#include <future>

#include "base/counters.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/split_records.h"

namespace sonde::pipeline {
namespace {

// Without a time to come back a sender takes a lack of room for the end (OTLP's specification).
constexpr Duration kComeBack = std::chrono::seconds(1);

}  // namespace

void Shard::launch() {
  if (has_thread() && !thread_.joinable()) thread_ = std::thread([this] { loop_.run(); });
}

void Shard::join() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

void Shard::call(const std::function<void()>& work) {
  if (!thread_.joinable()) return work();
  std::promise<void> done;
  scheduler().post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

struct ShardDoor::State {
  State(Sink& to, std::string name, size_t capacity)
      : sink(&to), id(std::move(name)), queue(capacity) {}
  void give(Batch batch) const {
    if (sink) return sink->consume(std::move(batch));
    dropped_counter(id, batch.signal, "shutdown").add(batch.items());
    batch.ack.fail({ErrorKind::Unavailable, id + ": shutting down", {}});
  }
  Sink* sink;  // Of the target shard.
  const std::string id;
  BoundedQueue<Batch> queue;
};

ShardDoor::ShardDoor(Shard& target, Sink& sink, std::string id, size_t capacity_bytes)
    : target_(target),
      sink_(sink),
      id_(id),
      state_(std::make_shared<State>(sink, id, capacity_bytes)) {}

bool ShardDoor::empty() const { return state_->queue.empty(); }
void ShardDoor::close() { state_->sink = nullptr; }

void ShardDoor::consume(Batch batch) {
  const size_t bytes = batch.bytes();
  if (!state_->queue.try_push(std::move(batch), bytes)) {
    dropped_counter(id_, batch.signal, "shard_queue_full").add(batch.items());
    batch.ack.fail({ErrorKind::Exhausted, id_ + ": the queue between shards is full", kComeBack});
    return;
  }
  // One task a batch keeps the loop fair: other work gets its turn between two batches.
  target_.scheduler().post([state = state_] {
    if (auto next = state->queue.try_pop()) state->give(std::move(*next));
  });
}

void ShardDoor::gates(Signal signal, Gates& out) { sink_.gates(signal, out); }

void FanOut::consume(Batch batch) { send_to_all(sinks_, std::move(batch)); }

void Partitioner::consume(Batch batch) {
  const auto parts = static_cast<uint32_t>(shards_.size());
  std::vector<std::vector<Bytes>> chunks(parts);
  for (const Bytes& chunk : batch.chunks) {
    std::vector<Bytes> split =
        split_records(chunk, parts, [&](std::string_view resource, std::string_view record) {
          return partition_of(batch.signal, resource, record, parts);
        });
    for (uint32_t part = 0; part < parts; ++part) {
      if (!split[part].empty()) chunks[part].push_back(std::move(split[part]));
    }
  }
  for (uint32_t part = 0; part < parts; ++part) {
    if (chunks[part].empty()) continue;
    shards_[part]->consume(batch.share().with(std::move(chunks[part])));
  }
  batch.ack.deliver();  // The token of this batch itself; the parts hold the others.
}

}  // namespace sonde::pipeline
