// SPDX-License-Identifier: Apache-2.0
// A log on disk for what must outlive the process: records are appended, read back by their place,
// and marked finished in any order. Files of bounded size (segments) hold them; a segment whose
// every record is finished is deleted. A record is in the page cache when append() returns, so it
// survives the death of the process; to survive that of the machine, sync() must have returned too.
//
// Damage is expected: open() cuts what was being written at the end, steps over what is damaged in
// the middle, and says how much that was. One process at a time has the directory, by a lock.
// Not thread safe, but for LogSync.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace sonde {

// Where a record stands. Never used twice while a record is unfinished.
struct LogPosition {
  uint64_t segment = 0;
  uint32_t offset = 0;
  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

struct LogEntry {
  LogPosition position;
  uint32_t length = 0;
};

struct SegmentLogOptions {
  // When the next segment is begun, or sooner: at a sixteenth of max_bytes, so that one record that
  // stays unfinished does not hold all the room. A larger record has a segment of its own. At most
  // 1 GiB.
  uint32_t segment_bytes = 16U << 20;
  // Of all files together; what would pass it is refused. Marks of what is finished may pass it.
  uint64_t max_bytes = UINT64_MAX;
  // Whether sync() will be called: each segment that is written to keeps its descriptor until then,
  // or until it is deleted. Where it never is, false.
  bool collect_unsynced = true;
  // How long open() may wait for another process to give the directory up. It blocks.
  Duration lock_timeout{};
};

// What open() found. Bytes of damage are lost; bytes of torn ends were never acknowledged.
struct LogRecovery {
  uint64_t unfinished = 0;
  uint64_t damages = 0;
  uint64_t damaged_bytes = 0;
  uint64_t torn_bytes = 0;
};

class LogFile;

// Makes durable what was appended before it was taken. run() blocks for as long as the disk does,
// and may be called on any thread, while the log goes on.
class LogSync {
 public:
  bool empty() const { return files_.empty(); }
  // An error: nothing is known of what these files hold on disk.
  Result<> run() const;

 private:
  friend class SegmentLog;
  std::vector<std::shared_ptr<LogFile>> files_;
};

class SegmentLog {
 public:
  // Reads every segment of the directory, which must exist. An error when it cannot be read, or
  // when another process has it (Denied).
  static Result<std::unique_ptr<SegmentLog>> open(const std::filesystem::path& directory,
                                                  const SegmentLogOptions& options = {});
  // Deletes the segment in use when all of it is finished.
  ~SegmentLog();
  SegmentLog(const SegmentLog&) = delete;
  SegmentLog& operator=(const SegmentLog&) = delete;

  const LogRecovery& recovery() const { return recovery_; }
  // What was unfinished at open(), oldest first. Empty when asked again.
  std::vector<LogEntry> take_unfinished() { return std::exchange(unfinished_, {}); }

  // Another SegmentLogOptions::max_bytes. What is over it stays, and is not added to.
  void limit(uint64_t max_bytes) { options_.max_bytes = max_bytes; }
  // Writes `parts` one after the other as one record. Errors leave the log as it was: Exhausted
  // when unfinished records and their segments fill max_bytes or the disk, Invalid when it is over
  // kMaxRecordBytes (256 MiB), Unavailable for anything else that the disk says.
  Result<LogPosition> append(std::span<const std::string_view> parts);
  // `position` must be unfinished. Invalid when the record is lost: it was damaged, cut or deleted
  // since. Unavailable when it could not be read now, for lack of descriptors, of permission, or
  // because the disk failed: it may be whole, and be had when asked again.
  Result<Bytes> read(LogPosition position) const;
  // Once a record. That a mark could not be written is no error: the record comes again after the
  // next open().
  void finish(LogPosition position);

  // What was appended since the last time, as far as it was collected.
  LogSync sync();
  // How many segments, and so descriptors, are collected for the next sync().
  size_t unsynced() const { return unsynced_.size(); }
  // Another SegmentLogOptions::collect_unsynced. What was collected stays for the next sync(). What
  // was not is not synced later, but for the segment in use, when something is appended to it.
  void collect_unsynced(bool collect) { options_.collect_unsynced = collect; }
  // Begins another segment with the next append: after an error of LogSync::run().
  void begin_segment();

  uint64_t bytes() const { return bytes_; }  // Of all files.
  size_t segments() const { return segments_.size(); }

 private:
  struct Segment {
    uint32_t size = 0;
    uint32_t marked = 0;  // Bytes of marks.
    uint64_t unfinished = 0;
  };
  SegmentLog(std::filesystem::path directory, const SegmentLogOptions& options);

  Result<> recover();
  Result<> recover_segment(uint64_t id, bool last);
  Result<Bytes> read_record(LogPosition position) const;
  uint64_t segment_bytes() const;
  bool fits(uint64_t need) const;
  Result<> create_segment();
  void remove_segment(uint64_t id);
  std::filesystem::path path_of(uint64_t id, std::string_view extension) const;

  const std::filesystem::path directory_;
  SegmentLogOptions options_;
  std::shared_ptr<LogFile> lock_;  // The directory itself.
  std::map<uint64_t, Segment> segments_;
  uint64_t next_id_ = 1;
  uint64_t bytes_ = 0;
  std::shared_ptr<LogFile> active_;  // Of active_id_; nullptr before the first append.
  uint64_t active_id_ = 0;
  std::map<uint64_t, std::shared_ptr<LogFile>> unsynced_;
  bool directory_unsynced_ = false;
  // The files that were read and marked last: their order is nearly that of the log.
  mutable std::pair<uint64_t, std::shared_ptr<LogFile>> reading_;
  std::pair<uint64_t, std::shared_ptr<LogFile>> marking_;
  LogRecovery recovery_;
  std::vector<LogEntry> unfinished_;
};

}  // namespace sonde
