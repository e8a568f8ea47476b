// SPDX-License-Identifier: Apache-2.0
// Room that a request is given before its body is read, in every place that its data will be
// committed to, or in none: whoever is refused has left nothing anywhere, so that trying again
// repeats nothing. A receiver finds the places with Sink::gates(), asks with the length that the
// sender announced, asks again with what the body really holds, and gives the room back in the
// moment in which it hands the data on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/memory_ledger.h"
#include "base/result.h"

namespace sonde {

// What a request takes. Its items are not known before it is read.
struct Need {
  uint64_t requests = 0;
  uint64_t items = 0;
  uint64_t bytes = 0;
};

// A place with bounded room, as a sending queue is. Thread safe: it may be asked on another shard.
class Gate {
 public:
  virtual ~Gate() = default;
  // Sets room aside for `to` in place of the `from` that was set aside before. With an error
  // (Exhausted and when to come back, or Invalid: it will never fit) `from` stays. Giving room
  // back never fails.
  virtual Result<> change(const Need& from, const Need& to) = 0;
};
using Gates = std::vector<std::shared_ptr<Gate>>;

// How often the ways that data takes have changed while the process runs. Whoever keeps gates
// collects them again when this is another number than it was; whoever turns data elsewhere
// advances it afterwards. Thread safe.
class GateEpoch {
 public:
  static uint64_t now() { return epoch_.load(std::memory_order_acquire); }
  static void advance() { epoch_.fetch_add(1, std::memory_order_release); }

 private:
  static std::atomic<uint64_t> epoch_;
};

class Admission {
 public:
  Admission() = default;  // To everywhere, with nothing set aside.
  static Result<Admission> ask(std::shared_ptr<const Gates> gates, const Need& need,
                               MemoryPromise promise = {});
  Admission(Admission&& other) noexcept
      : gates_(std::move(other.gates_)),
        need_(std::exchange(other.need_, {})),
        promise_(std::move(other.promise_)) {}
  Admission& operator=(Admission&& other) noexcept {
    std::swap(gates_, other.gates_);
    std::swap(need_, other.need_);
    std::swap(promise_, other.promise_);
    return *this;
  }
  ~Admission() { end(); }

  // With an error nothing is set aside any more.
  Result<> change(const Need& to);
  // Memory that was promised is about to be taken.
  void redeem_memory() { promise_ = MemoryPromise(); }
  void end();

 private:
  std::shared_ptr<const Gates> gates_;  // None: nothing is set aside.
  Need need_;
  MemoryPromise promise_;
};

}  // namespace sonde
