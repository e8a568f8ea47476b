// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/position_store.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/counters.h"
#include "base/log.h"
#include "pipeline/queue/disk_thread.h"

namespace sonde::otlpjsonfile {
namespace {

constexpr uint32_t kSegment = 1 << 20;
// A file that rests keeps its segment: when there are more than these, all is written anew.
constexpr size_t kMostSegments = 3;
// Says that the directory was used.
constexpr uint64_t kMark = 0;

}  // namespace

struct PositionStore::Disk {
  bool running = false;
  std::unique_ptr<pipeline::DiskThread> thread;
};

Result<std::filesystem::path> PositionStore::directory_of(pipeline::Storage& storage,
                                                          std::string_view receiver) {
  return storage.directory_for("receiver", receiver, "positions");
}

PositionStore::PositionStore(std::filesystem::path directory, std::string_view receiver,
                             Scheduler& scheduler)
    : directory_(std::move(directory)),
      receiver_(receiver),
      scheduler_(scheduler),
      disk_(std::make_shared<Disk>()) {}

PositionStore::~PositionStore() { disk_->thread.reset(); }

Result<std::unique_ptr<PositionStore>> PositionStore::open(pipeline::Storage& storage,
                                                           std::string_view receiver,
                                                           Scheduler& scheduler) {
  auto directory = TRY(directory_of(storage, receiver));
  std::unique_ptr<PositionStore> out(new PositionStore(std::move(directory), receiver, scheduler));
  out->fsync_ = storage.fsync();
  out->log_ = TRY(SegmentLog::open(out->directory_, {.segment_bytes = kSegment,
                                                     .max_bytes = storage.max_bytes(),
                                                     .lock_timeout = storage.lock_timeout()}));
  out->restore();
  return out;
}

void PositionStore::restore() {
  std::map<uint64_t, Position> last;
  const std::vector<LogEntry> entries = log_->take_unfinished();
  for (const LogEntry& entry : entries) {
    const auto bytes = log_->read(entry.position);
    uint64_t number = 0;
    if (!bytes || bytes->size() < sizeof number) continue;
    std::memcpy(&number, bytes->view().data(), sizeof number);
    used_before_ = true;
    // A later one of a file stands behind the earlier.
    const auto position = Position::decode(bytes->view().substr(sizeof number));
    if (position && number != kMark) last[number] = *position;
  }
  const LogRecovery& found = log_->recovery();
  if (found.damages > 0) {
    log_error("{}: {} bytes of the stored positions are damaged; files may be read again",
              receiver_, found.damaged_bytes);
  }
  for (const auto& [number, position] : last) stored_.push_back(position);
  // They get other numbers now, and stay on disk until those are there.
  append(kMark, {});
  uint64_t number = 0;
  for (const Position& position : stored_) append(++number, position);
  if (!failed_) {
    for (const LogEntry& entry : entries) log_->finish(entry.position);
  }
}

bool PositionStore::append(uint64_t number, const Position& position) {
  const std::string body = position.encode();
  const std::array<std::string_view, 2> parts{
      std::string_view(reinterpret_cast<const char*>(&number), sizeof number), body};
  auto place = log_->append(parts);
  if (!place) {
    if (!std::exchange(failed_, true)) {
      log_error("{}: positions cannot be stored, so after a restart lines come twice: {}",
                receiver_, place.error().message);
    }
    counter("sonde_otlpjsonfile_unstored_positions_total",
            "Positions in files that could not be stored.", {{"receiver", receiver_}})
        .add();
    return false;
  }
  if (std::exchange(failed_, false)) log_info("{}: positions are stored again", receiver_);
  dirty_ = true;
  const auto known = kept_.find(number);
  if (known != kept_.end()) log_->finish(known->second.place);
  kept_[number] = {*place, position};
  return true;
}

void PositionStore::put(uint64_t number, const Position& position) {
  if (append(number, position)) compact();
}

void PositionStore::forget(uint64_t number) {
  const auto known = kept_.find(number);
  if (known == kept_.end()) return;
  log_->finish(known->second.place);
  kept_.erase(known);
}

void PositionStore::compact() {
  if (log_->segments() <= std::max<size_t>(kMostSegments, 2 * kept_.size() * 128 / kSegment))
    return;
  std::vector<std::pair<uint64_t, Position>> all;
  for (const auto& [number, kept] : kept_) all.emplace_back(number, kept.position);
  for (const auto& [number, position] : all) {
    if (!append(number, position)) return;
  }
}

void PositionStore::sync() {
  if (!fsync_ || !dirty_ || disk_->running) return;
  dirty_ = false;
  disk_->running = true;
  if (!disk_->thread) {
    disk_->thread = std::make_unique<pipeline::DiskThread>(
        [weak = std::weak_ptr(disk_), on = &scheduler_, id = receiver_](Result<> result) {
          on->post([weak, id, result = std::move(result)] {
            if (!result) log_error("{}: {}", id, result.error().message);
            if (const auto disk = weak.lock()) disk->running = false;
          });
        });
  }
  disk_->thread->start(log_->sync());
}

}  // namespace sonde::otlpjsonfile
