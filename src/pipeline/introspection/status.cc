// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/status.h"

#include <algorithm>
#include <utility>

namespace sonde::pipeline {
namespace {

// Which of two instances of one component is shown: the one that says more of its health.
int gravity(StatusKind kind) {
  switch (kind) {
    case StatusKind::FatalError:
      return 7;
    case StatusKind::PermanentError:
      return 6;
    case StatusKind::RecoverableError:
      return 5;
    case StatusKind::Stopping:
      return 4;
    case StatusKind::Starting:
      return 3;
    case StatusKind::Ok:
      return 2;
    case StatusKind::Stopped:
      return 1;
    case StatusKind::None:
      break;
  }
  return 0;
}

}  // namespace

std::string_view status_name(StatusKind kind) {
  switch (kind) {
    case StatusKind::None:
      return "StatusNone";
    case StatusKind::Starting:
      return "StatusStarting";
    case StatusKind::Ok:
      return "StatusOK";
    case StatusKind::RecoverableError:
      return "StatusRecoverableError";
    case StatusKind::PermanentError:
      return "StatusPermanentError";
    case StatusKind::FatalError:
      return "StatusFatalError";
    case StatusKind::Stopping:
      return "StatusStopping";
    case StatusKind::Stopped:
      return "StatusStopped";
  }
  return "";
}

bool may_follow(StatusKind from, StatusKind to) {
  const bool error = to == StatusKind::RecoverableError || to == StatusKind::PermanentError ||
                     to == StatusKind::FatalError;
  switch (from) {
    case StatusKind::None:
      return to == StatusKind::Starting;
    case StatusKind::Starting:
    case StatusKind::RecoverableError:
      return error || to == StatusKind::Ok || to == StatusKind::Stopping;
    case StatusKind::Ok:
      return error || to == StatusKind::Stopping;
    case StatusKind::PermanentError:
      return to == StatusKind::FatalError || to == StatusKind::Stopping;
    case StatusKind::Stopping:
      return error || to == StatusKind::Stopped;
    case StatusKind::FatalError:
    case StatusKind::Stopped:
      break;
  }
  return false;
}

StatusBoard::Entry StatusBoard::enter(std::string_view key, int shard) {
  const std::lock_guard lock(mutex_);
  rows_.push_back({next_, shard, {.key = std::string(key), .status = {}}});
  return next_++;
}

void StatusBoard::leave(Entry entry) {
  const std::lock_guard lock(mutex_);
  std::erase_if(rows_, [&](const Row& row) { return row.entry == entry; });
  version_.fetch_add(1, std::memory_order_relaxed);
}

bool StatusBoard::report(Entry entry, Status status, int64_t unix_ns) {
  const std::lock_guard lock(mutex_);
  const auto row = std::ranges::find(rows_, entry, &Row::entry);
  if (row == rows_.end() || !may_follow(row->at.status.kind, status.kind)) return false;
  // What goes on failing fails since it began to: how long is what readers judge it by.
  if (row->at.status.kind != status.kind) row->at.since_unix_ns = unix_ns;
  row->at.status = std::move(status);
  version_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::vector<ComponentStatus> StatusBoard::read() const {
  const std::lock_guard lock(mutex_);
  std::vector<ComponentStatus> out;
  for (const Row& row : rows_) {
    const auto replaced = std::ranges::any_of(rows_, [&](const Row& other) {
      return other.entry > row.entry && other.shard == row.shard && other.at.key == row.at.key;
    });
    if (replaced) continue;
    const auto same = std::ranges::find(out, row.at.key, &ComponentStatus::key);
    if (same == out.end()) {
      out.push_back(row.at);
    } else if (gravity(row.at.status.kind) > gravity(same->status.kind)) {
      *same = row.at;
    }
  }
  return out;
}

std::optional<ComponentStatus> StatusBoard::read(std::string_view key) const {
  for (ComponentStatus& status : read()) {
    if (status.key == key) return std::move(status);
  }
  return std::nullopt;
}

StatusBoard::Ready::Ready(std::shared_ptr<StatusBoard> board, int64_t unix_ns)
    : board_(std::move(board)) {
  const std::lock_guard lock(board_->mutex_);
  if (board_->ready_++ == 0) board_->ready_since_ns_ = unix_ns;
  board_->version_.fetch_add(1, std::memory_order_relaxed);
}

StatusBoard::Ready::~Ready() {
  const std::lock_guard lock(board_->mutex_);
  --board_->ready_;
  board_->version_.fetch_add(1, std::memory_order_relaxed);
}

std::optional<int64_t> StatusBoard::ready_since() const {
  const std::lock_guard lock(mutex_);
  return ready_ > 0 ? std::optional(ready_since_ns_) : std::nullopt;
}

StatusReporter::~StatusReporter() {
  if (entry_ != 0) board_->leave(entry_);
}

bool StatusReporter::report(Status status, int64_t unix_ns) {
  if (!may_follow(kind_, status.kind)) return false;
  if (entry_ == 0) entry_ = board_->enter(key_, shard_);
  const StatusKind kind = status.kind;
  if (!board_->report(entry_, std::move(status), unix_ns)) return false;
  kind_ = kind;
  return true;
}

}  // namespace sonde::pipeline
