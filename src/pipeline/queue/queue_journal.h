// SPDX-License-Identifier: Apache-2.0
// The disk under a sending queue: batches are written before they are acknowledged, read back when
// they are wanted, and forgotten when they have ended. Where the storage says fsync, a batch is
// acknowledged when the disk has it; the waiting is done by a thread, for all that came meanwhile
// at once. Everything else happens on the queue's shard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/scheduler.h"
#include "base/segment_log.h"
#include "data/batch.h"
#include "pipeline/storage.h"

namespace sonde::pipeline {

class QueueJournal {
 public:
  // Where open() would keep it. The directory is made.
  static Result<std::filesystem::path> directory_of(Storage& storage, std::string_view exporter,
                                                    Signal signal);
  // `exporter` is the id, for the directory, for counters and for logs. What was damaged on disk is
  // logged and counted. An error when the directory cannot be used.
  static Result<std::unique_ptr<QueueJournal>> open(Storage& storage, std::string_view exporter,
                                                    Signal signal, Scheduler& scheduler);
  // Waits for the disk, and answers who is still waiting.
  ~QueueJournal();
  QueueJournal(const QueueJournal&) = delete;
  QueueJournal& operator=(const QueueJournal&) = delete;

  // The same directory, as a storage with other settings has it. What was appended while nobody
  // waited for the disk is not sent to it later, where the settings now say fsync.
  void adjust(const Storage& storage);
  const std::filesystem::path& directory() const;

  // What an earlier process left, oldest first.
  std::vector<LogEntry> take_unfinished();
  // Exhausted when the disk or the directory's bound is full; nothing of the batch is then kept.
  Result<LogPosition> append(const Batch& batch);
  // Delivers the acknowledgement as soon as what was appended so far is as safe as it shall be.
  void acknowledge(Ack ack);
  // The batch with its records counted. Invalid when the disk has damaged or lost it, Unavailable
  // when it cannot be read now and may be later: see SegmentLog::read().
  Result<Batch> load(LogPosition place) const;
  // It was sent, or given up.
  void finish(LogPosition place);
  // Whether nobody waits for the disk.
  bool settled() const;

 private:
  struct Impl;
  explicit QueueJournal(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace sonde::pipeline
