// SPDX-License-Identifier: Apache-2.0
#include "base/segment_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>
#include <thread>

#include "base/buffer.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/segment_file.h"

namespace sonde {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRecords = ".log";
constexpr std::string_view kMarks = ".done";
constexpr uint64_t kLargestFile = uint64_t{1} << 30;
// An unfinished record keeps its whole segment on disk, so that a bound must hold more segments
// than records stay behind: a sending queue has ten in flight, if not told otherwise.
constexpr uint64_t kSegmentsInBound = 16;

// The number of the segment that a file belongs to, or 0 when it is none of ours.
uint64_t segment_of(const fs::path& file) {
  const std::string stem = file.stem().string();
  const std::string extension = file.extension().string();
  if (stem.size() != 16 || (extension != kRecords && extension != kMarks)) return 0;
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), id, 16);
  const bool whole = error == std::errc() && end == stem.data() + stem.size();
  return whole && id != UINT64_MAX ? id : 0;
}

Result<std::shared_ptr<LogFile>> lock_directory(const fs::path& directory, Duration timeout) {
  auto file = TRY(LogFile::open(directory, O_RDONLY | O_DIRECTORY));
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (::flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return std::unexpected(disk_error("lock", directory, errno));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(ErrorKind::Denied, fmt::format("{} is in use by another process; give each its "
                                                 "own directory",
                                                 directory.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return file;
}

}  // namespace

Result<> LogSync::run() const {
  for (const auto& file : files_) TRY(file->sync());
  return {};
}

SegmentLog::SegmentLog(fs::path directory, const SegmentLogOptions& options)
    : directory_(std::move(directory)), options_(options) {}

SegmentLog::~SegmentLog() {
  if (!active_) return;
  active_.reset();
  if (segments_.at(active_id_).unfinished == 0) remove_segment(active_id_);
}

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(const fs::path& directory,
                                                     const SegmentLogOptions& options) {
  std::unique_ptr<SegmentLog> log(new SegmentLog(directory, options));
  log->lock_ = TRY(lock_directory(directory, options.lock_timeout));
  TRY(log->recover());
  return log;
}

fs::path SegmentLog::path_of(uint64_t id, std::string_view extension) const {
  return directory_ / fmt::format("{:016x}{}", id, extension);
}

Result<> SegmentLog::recover() {
  std::error_code error;
  std::vector<uint64_t> marks_only;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    const uint64_t id = segment_of(at->path());
    if (id == 0) continue;
    if (at->path().extension() == kRecords) {
      segments_[id];
    } else {
      marks_only.push_back(id);
    }
  }
  if (error) return std::unexpected(disk_error("read", directory_, error.value()));
  // Marks without a segment are what a deletion left that was interrupted.
  for (const uint64_t id : marks_only) {
    if (!segments_.contains(id)) fs::remove(path_of(id, kMarks), error);
  }
  std::vector<uint64_t> ids;
  for (const auto& [id, segment] : segments_) ids.push_back(id);
  for (const uint64_t id : ids) TRY(recover_segment(id, id == ids.back()));
  recovery_.unfinished = unfinished_.size();
  return {};
}

Result<> SegmentLog::recover_segment(uint64_t id, bool last) {
  next_id_ = id + 1;
  Segment& segment = segments_[id];
  const auto file = TRY(LogFile::open(path_of(id, kRecords), O_RDWR));
  const std::string bytes = TRY(file->read_all(kLargestFile));
  const SegmentContent content = read_segment(id, bytes);
  recovery_.damages += content.damages;
  recovery_.damaged_bytes += content.damaged_bytes;
  segment.size = static_cast<uint32_t>(bytes.size());
  if (content.end < bytes.size()) {
    // Only the last segment was being written; behind it an end that is no record is damage.
    if (last) {
      recovery_.torn_bytes += bytes.size() - content.end;
      TRY(file->truncate(content.end));
      segment.size = content.end;
    } else {
      ++recovery_.damages;
      recovery_.damaged_bytes += bytes.size() - content.end;
    }
  }
  std::vector<uint32_t> finished;
  if (auto marks = LogFile::open(path_of(id, kMarks), O_RDONLY)) {
    const std::string marked = TRY((*marks)->read_all(kLargestFile));
    finished = read_marks(id, marked);
    segment.marked = static_cast<uint32_t>(marked.size());
  }
  for (const SegmentRecord& record : content.records) {
    if (std::ranges::binary_search(finished, record.offset)) continue;
    unfinished_.push_back({{id, record.offset}, record.length});
    ++segment.unfinished;
  }
  bytes_ += segment.size + segment.marked;
  if (segment.unfinished == 0) remove_segment(id);
  return {};
}

Result<> SegmentLog::create_segment() {
  const uint64_t id = next_id_;
  std::error_code ignored;
  fs::remove(path_of(id, kMarks), ignored);
  auto file = TRY(LogFile::open(path_of(id, kRecords), O_RDWR | O_CREAT | O_TRUNC));
  const std::string head = segment_head();
  const std::string_view parts[] = {head};
  if (auto written = file->write_at(0, parts); !written) {
    fs::remove(path_of(id, kRecords), ignored);
    return written;
  }
  next_id_ = id + 1;
  active_id_ = id;
  active_ = std::move(file);
  segments_[id] = {.size = kSegmentHeadBytes};
  bytes_ += kSegmentHeadBytes;
  directory_unsynced_ = true;
  return {};
}

uint64_t SegmentLog::segment_bytes() const {
  return std::min<uint64_t>(options_.segment_bytes, options_.max_bytes / kSegmentsInBound);
}

bool SegmentLog::fits(uint64_t need) const {
  const uint64_t with_head = need + (active_ ? 0 : kSegmentHeadBytes);
  return with_head <= options_.max_bytes - std::min(bytes_, options_.max_bytes);
}

Result<LogPosition> SegmentLog::append(std::span<const std::string_view> parts) {
  uint64_t length = 0;
  uint32_t sum = 0;
  for (const std::string_view part : parts) length += part.size();
  if (length > kMaxRecordBytes) {
    return fail(ErrorKind::Invalid,
                fmt::format("a record of {} bytes is larger than {} can keep ({})", length,
                            directory_.string(), kMaxRecordBytes));
  }
  const uint64_t need = kRecordHeadBytes + length;
  if (active_) {
    const uint32_t size = segments_.at(active_id_).size;
    if (size > kSegmentHeadBytes && size + need > segment_bytes()) begin_segment();
  }
  // What is finished in the segment in use is given back with the segment.
  if (active_ && !fits(need) && segments_.at(active_id_).unfinished == 0) begin_segment();
  if (!fits(need)) {
    return fail(ErrorKind::Exhausted, fmt::format("{} is full: it holds {} bytes of {}",
                                                  directory_.string(), bytes_, options_.max_bytes));
  }
  if (!active_) TRY(create_segment());
  Segment& segment = segments_.at(active_id_);
  const uint32_t offset = segment.size;
  for (const std::string_view part : parts) sum = crc32c(part, sum);
  const std::string head = record_head(active_id_, offset, static_cast<uint32_t>(length), sum);
  std::vector<std::string_view> all;
  all.reserve(parts.size() + 1);
  all.push_back(head);
  all.insert(all.end(), parts.begin(), parts.end());
  if (auto written = active_->write_at(offset, all); !written) {
    // What a part of it left behind must not stand before the next record. Where the disk is full,
    // a segment of which all is finished makes room for who comes back.
    if (!active_->truncate(offset) || segment.unfinished == 0) begin_segment();
    return std::unexpected(written.error());
  }
  segment.size += static_cast<uint32_t>(need);
  ++segment.unfinished;
  bytes_ += need;
  if (options_.collect_unsynced) unsynced_.emplace(active_id_, active_);
  return LogPosition{active_id_, offset};
}

Result<Bytes> SegmentLog::read(LogPosition position) const {
  auto record = read_record(position);
  if (record || record.error().kind == ErrorKind::Invalid) return record;
  // The next one who asks does not get the descriptor that failed.
  reading_ = {};
  // Asked of the directory that is locked: its path may lead elsewhere when a disk was taken away.
  const fs::path name = path_of(position.segment, kRecords).filename();
  const bool gone = ::faccessat(lock_->descriptor(), name.c_str(), F_OK, 0) != 0 && errno == ENOENT;
  return fail(gone ? ErrorKind::Invalid : ErrorKind::Unavailable, record.error().message);
}

Result<Bytes> SegmentLog::read_record(LogPosition position) const {
  auto& [id, file] = reading_;
  if (!file || id != position.segment) {
    file = TRY(LogFile::open(path_of(position.segment, kRecords), O_RDONLY));
    id = position.segment;
  }
  char head_bytes[kRecordHeadBytes];
  TRY(file->read_at(position.offset, head_bytes));
  RecordHead head;
  const auto damaged = [&] {
    return fail(ErrorKind::Invalid, fmt::format("the record at byte {} of {} is damaged",
                                                position.offset, file->path().string()));
  };
  if (!read_record_head({head_bytes, sizeof head_bytes}, position.segment, position.offset, head)) {
    return damaged();
  }
  Buffer payload(head.length);
  payload.resize(head.length);
  TRY(file->read_at(uint64_t{position.offset} + kRecordHeadBytes,
                    std::span(payload.data(), payload.size())));
  if (crc32c(payload.view()) != head.payload_sum) return damaged();
  return std::move(payload).take();
}

void SegmentLog::finish(LogPosition position) {
  const auto at = segments_.find(position.segment);
  if (at == segments_.end() || at->second.unfinished == 0) return;
  Segment& segment = at->second;
  --segment.unfinished;
  if (segment.unfinished == 0 && !(active_ && active_id_ == position.segment)) {
    return remove_segment(position.segment);
  }
  auto& [id, file] = marking_;
  if (!file || id != position.segment) {
    auto opened = LogFile::open(path_of(position.segment, kMarks), O_WRONLY | O_CREAT);
    if (!opened) return;
    file = std::move(*opened);
    id = position.segment;
  }
  const std::string mark = finished_mark(position.segment, position.offset);
  const std::string_view parts[] = {mark};
  // A mark that fails is written over by the next one.
  if (!file->write_at(segment.marked, parts)) return;
  segment.marked += kMarkBytes;
  bytes_ += kMarkBytes;
}

void SegmentLog::begin_segment() {
  if (!active_) return;
  active_.reset();
  if (segments_.at(active_id_).unfinished == 0) remove_segment(active_id_);
}

void SegmentLog::remove_segment(uint64_t id) {
  const auto at = segments_.find(id);
  bytes_ -= at->second.size + at->second.marked;
  segments_.erase(at);
  unsynced_.erase(id);  // Nobody will look for it on the disk.
  if (reading_.first == id) reading_ = {};
  if (marking_.first == id) marking_ = {};
  // In this order: marks alone are nothing, records without them would come again.
  std::error_code error;
  if (!fs::remove(path_of(id, kRecords), error) && error) {
    log_warn("cannot delete {}: {}", path_of(id, kRecords).string(), error.message());
  }
  fs::remove(path_of(id, kMarks), error);
}

LogSync SegmentLog::sync() {
  LogSync out;
  for (auto& [id, file] : std::exchange(unsynced_, {})) out.files_.push_back(std::move(file));
  if (std::exchange(directory_unsynced_, false)) out.files_.push_back(lock_);
  return out;
}

}  // namespace sonde
