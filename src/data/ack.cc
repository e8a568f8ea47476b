// SPDX-License-Identifier: Apache-2.0
#include "data/ack.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/counters.h"

namespace sonde {

namespace {
std::atomic<bool> g_abort_on_lost{false};

// How bad an outcome is.
constexpr int kInPart = 2;
constexpr int kForGood = 3;
constexpr int kForNow = 4;

int rank(const Outcome& outcome) {
  if (outcome.kind != Outcome::Failed) return outcome.kind == Outcome::Dropped ? 1 : 0;
  if (outcome.rejected > 0) return kInPart;
  const ErrorKind kind = outcome.error.kind;
  return kind == ErrorKind::Unavailable || kind == ErrorKind::Exhausted ? kForNow : kForGood;
}

}  // namespace

struct Ack::State {
  Scheduler* origin = nullptr;
  std::move_only_function<void(Outcome)> done;
  std::mutex mutex;
  int live = 1;
  Outcome worst;

  void add(Outcome outcome) {
    const int was = rank(worst);
    const int is = rank(outcome);
    if (was == kInPart && is == kInPart) {
      worst.rejected += outcome.rejected;
    } else if (is > was) {
      worst = std::move(outcome);
    } else if (is == was && is == kForNow) {
      worst.error.retry_after = std::max(worst.error.retry_after, outcome.error.retry_after);
    }
  }

  void end(Outcome outcome) {
    {
      std::lock_guard lock(mutex);
      add(std::move(outcome));
      if (--live > 0) return;
    }
    // The last one out: nobody else holds a token, so nothing below races.
    if (!done) return;
    if (origin == nullptr) {
      done(std::move(worst));
      return;
    }
    origin->post([waiter = std::move(done), outcome = std::move(worst)]() mutable {
      waiter(std::move(outcome));
    });
  }
};

Ack Ack::make(Scheduler* origin, std::move_only_function<void(Outcome)> done) {
  auto state = std::make_shared<State>();
  state->origin = origin;
  state->done = std::move(done);
  return Ack(std::move(state));
}

Ack& Ack::operator=(Ack&& other) noexcept {
  if (this != &other) {
    lose();
    state_ = std::move(other.state_);
  }
  return *this;
}

Ack::~Ack() { lose(); }

void Ack::lose() {
  if (!state_) return;
  static Counter& lost =
      counter("sonde_ack_lost_total", "Acknowledgements that nobody ended: a bug in a component.");
  lost.add();
  CHECK(!g_abort_on_lost.load(std::memory_order_relaxed), "an acknowledgement was lost");
  fail({ErrorKind::Internal, "the batch was lost inside the pipeline", {}});
}

void Ack::deliver() { end({}); }

void Ack::drop(std::string_view reason) {
  end({.kind = Outcome::Dropped, .reason = std::string(reason)});
}

void Ack::fail(Error error, uint64_t rejected) {
  end({.kind = Outcome::Failed, .reason = {}, .error = std::move(error), .rejected = rejected});
}

void Ack::end(Outcome outcome) {
  if (!state_) return;
  const auto state = std::exchange(state_, nullptr);
  state->end(std::move(outcome));
}

Ack Ack::split() {
  if (!state_) return {};
  std::lock_guard lock(state_->mutex);
  ++state_->live;
  return Ack(state_);
}

Ack Ack::merge(std::vector<Ack> parts) {
  std::erase_if(parts, [](const Ack& part) { return !part.live(); });
  if (parts.empty()) return {};
  if (parts.size() == 1) return std::move(parts.front());
  return make(nullptr, [parts = std::move(parts)](Outcome outcome) mutable {
    for (Ack& part : parts) part.end(outcome);
  });
}

void Ack::abort_on_lost(bool abort) { g_abort_on_lost.store(abort, std::memory_order_relaxed); }

}  // namespace sonde
