// SPDX-License-Identifier: Apache-2.0
//
// A shard: one event loop on one thread, and the doors between shards. A batch crosses as bytes,
// through a queue bounded in bytes; its acknowledgement finds its own way back, since a token posts
// its outcome to the scheduler it came from. Only the engine uses this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/scheduler.h"
#include "data/sink.h"
#include "net/loop.h"

namespace sonde::pipeline {

class Shard {
 public:
  // With a scheduler from outside (a test's), the shard has no thread and `call` runs in place.
  Shard(int index, Scheduler* outside) : index_(index), outside_(outside) {}
  ~Shard() { join(); }

  int index() const { return index_; }
  Scheduler& scheduler() { return outside_ ? *outside_ : loop_; }
  net::Loop& loop() { return loop_; }
  bool has_thread() const { return outside_ == nullptr; }

  void launch();
  void join();
  // Runs `work` on the shard and waits for it. Never from the shard itself.
  void call(const std::function<void()>& work);

 private:
  const int index_;
  Scheduler* const outside_;
  net::Loop loop_;
  std::thread thread_;
};

// Takes batches on one shard and gives them to a sink on another. It counts as one that looks
// inside: what the sink says of itself may change meanwhile, on its own thread.
class ShardDoor final : public Sink {
 public:
  ShardDoor(Shard& target, Sink& sink, std::string id, size_t capacity_bytes);
  void consume(Batch batch) override;
  void gates(Signal signal, Gates& out) override;
  // Whether everything that came was given to the sink, or is being given now.
  bool empty() const;
  // The sink goes away: what comes later fails. On the target shard.
  void close();

 private:
  struct State;
  Shard& target_;
  Sink& sink_;  // For gates() alone: what is given to it goes through the state.
  const std::string id_;
  std::shared_ptr<State> state_;
};

// Gives every sink the same bytes and a share of the acknowledgement.
class FanOut final : public Sink {
 public:
  explicit FanOut(std::vector<Sink*> sinks) : sinks_(std::move(sinks)) {}
  void consume(Batch batch) override;
  void gates(Signal signal, Gates& out) override {
    for (Sink* sink : sinks_) sink->gates(signal, out);
  }
  bool looks_inside() const override {
    return std::ranges::any_of(sinks_, [](const Sink* sink) { return sink->looks_inside(); });
  }

 private:
  std::vector<Sink*> sinks_;
};

// Deals the records of a batch to the shards by their key.
class Partitioner final : public Sink {
 public:
  explicit Partitioner(std::vector<Sink*> shards) : shards_(std::move(shards)) {}
  void consume(Batch batch) override;

 private:
  std::vector<Sink*> shards_;
};

}  // namespace sonde::pipeline
