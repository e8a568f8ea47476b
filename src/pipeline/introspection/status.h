// SPDX-License-Identifier: Apache-2.0
//
// How a component fares, with the states and transitions of the OpenTelemetry Collector's
// componentstatus. The engine reports starting, ok, stopping and stopped; a component reports what
// it meets in between with Host::report_status(). What was reported last stands on a board that is
// leased by the identity kStatusBoard, so that an extension sees it without knowing the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sonde::pipeline {

enum class StatusKind {
  None,  // Built, not started.
  Starting,
  Ok,
  RecoverableError,  // May pass by itself: a back end that is away.
  PermanentError,    // Needs a person, but the rest of the process goes on.
  FatalError,        // The process ends.
  Stopping,
  Stopped,
};

struct Status {
  StatusKind kind = StatusKind::None;
  std::string error = {};  // Of the three errors.

  static Status ok() { return {.kind = StatusKind::Ok}; }
  static Status recoverable(const Error& e) { return {StatusKind::RecoverableError, e.message}; }
  static Status permanent(const Error& e) { return {StatusKind::PermanentError, e.message}; }
  static Status fatal(const Error& e) { return {StatusKind::FatalError, e.message}; }
};

// "StatusOK", "StatusRecoverableError", ...: the words of the Collector.
std::string_view status_name(StatusKind kind);
// Whether a component in `from` may report `to`.
bool may_follow(StatusKind from, StatusKind to);

struct ComponentStatus {
  std::string key;  // Of topology.h.
  Status status;
  int64_t since_unix_ns = 0;  // When it came to be of this kind.
};

inline constexpr std::string_view kStatusBoard = "pipeline/status";

// Thread safe. An entry is one instance; a component with one a shard is shown by the worst of
// them, and where two graphs run beside each other, by the instance that began later.
class StatusBoard {
 public:
  using Entry = uint64_t;

  Entry enter(std::string_view key, int shard);
  void leave(Entry entry);
  // Nothing happens when the transition is not allowed. Returns whether the status changed.
  bool report(Entry entry, Status status, int64_t unix_ns);

  // One a key, in the order in which the keys came.
  std::vector<ComponentStatus> read() const;
  std::optional<ComponentStatus> read(std::string_view key) const;
  // A graph holds this while all of it runs: from when its last component has started until its
  // first one is to stop. Where a graph takes the place of another, their times overlap.
  class Ready {
   public:
    Ready(std::shared_ptr<StatusBoard> board, int64_t unix_ns);
    ~Ready();
    Ready(const Ready&) = delete;
    Ready& operator=(const Ready&) = delete;

   private:
    std::shared_ptr<StatusBoard> board_;
  };
  // Since when there was always a graph that runs; nothing while there is none.
  std::optional<int64_t> ready_since() const;

  // Grows with every change, for those who look again and again.
  uint64_t version() const { return version_.load(std::memory_order_relaxed); }

 private:
  struct Row {
    Entry entry;
    int shard;
    ComponentStatus at;
  };
  mutable std::mutex mutex_;
  std::vector<Row> rows_;
  Entry next_ = 1;
  int ready_ = 0;
  int64_t ready_since_ns_ = 0;
  std::atomic<uint64_t> version_{0};
};

// An instance's place on the board, taken with its first report and given back at the end. Called
// on the instance's shard.
class StatusReporter {
 public:
  StatusReporter(std::shared_ptr<StatusBoard> board, std::string key, int shard)
      : board_(std::move(board)), key_(std::move(key)), shard_(shard) {}
  ~StatusReporter();
  StatusReporter(const StatusReporter&) = delete;
  StatusReporter& operator=(const StatusReporter&) = delete;

  // Returns whether the status changed.
  bool report(Status status, int64_t unix_ns);
  StatusKind kind() const { return kind_; }

 private:
  const std::shared_ptr<StatusBoard> board_;
  const std::string key_;
  const int shard_;
  StatusBoard::Entry entry_ = 0;
  StatusKind kind_ = StatusKind::None;
};

}  // namespace sonde::pipeline
