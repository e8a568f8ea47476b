// SPDX-License-Identifier: Apache-2.0
// The acknowledgement of a batch: a move-only token that ends exactly once, as delivered, dropped
// or failed. Whoever keeps a batch keeps its token; whoever ends the journey of the bytes ends the
// token. split() shares it between branches and the last branch to end decides with the worst
// outcome; merge() joins the tokens of batches that became one. It is thread safe: the parts of a
// token may end on different shards, and the answer is posted to the scheduler it came from.
//
// Worst is what loses most if the sender believes the rest: a failure that is worth a retry, then
// one for good, then records that a peer rejected (they add up), then a drop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/scheduler.h"

namespace sonde {

struct Outcome {
  enum Kind : uint8_t { Delivered, Dropped, Failed };
  Kind kind = Delivered;
  std::string reason;     // Dropped: why, a short word for a counter's label.
  Error error{};          // Failed: with retry_after where the peer said so.
  uint64_t rejected = 0;  // Failed: how many records the peer refused, 0 for all or unknown.
};

class Ack {
 public:
  // Nobody waits: every call on it does nothing.
  Ack() = default;
  // `done` runs once, on `origin`, or at once in the ending thread when there is no origin.
  static Ack make(Scheduler* origin, std::move_only_function<void(Outcome)> done);

  Ack(Ack&& other) noexcept = default;
  Ack& operator=(Ack&& other) noexcept;
  Ack(const Ack&) = delete;
  Ack& operator=(const Ack&) = delete;
  // Destroying a live token is a mistake of ours: it is counted in sonde_ack_lost_total, the waiter
  // is told of a failure, and the process dies where abort_on_lost() is set, as tests set it.
  ~Ack();

  bool live() const { return state_ != nullptr; }

  void deliver();
  void drop(std::string_view reason);
  void fail(Error error, uint64_t rejected = 0);
  void end(Outcome outcome);

  // A second token for the same waiter. This one stays live.
  Ack split();
  // One token whose outcome every one of `parts` gets.
  static Ack merge(std::vector<Ack> parts);

  static void abort_on_lost(bool abort);

 private:
  struct State;
  explicit Ack(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void lose();

  std::shared_ptr<State> state_;
};

}  // namespace sonde
