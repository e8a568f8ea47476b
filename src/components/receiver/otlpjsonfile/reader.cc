// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/reader.h"

#include <algorithm>

#include "base/counters.h"
#include "base/log.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde::otlpjsonfile {
namespace {

constexpr size_t kReadSize = 64 << 10;
// Before others that wait have their turn.
constexpr size_t kLinesOfTurn = 100;
constexpr auto kRetryAfter = std::chrono::seconds(1);

}  // namespace

Reader::Reader(Settings settings, std::string_view id, pipeline::Outputs outputs)
    : settings_(std::move(settings)), id_(id), outputs_(std::move(outputs)) {}

Result<> Reader::start(pipeline::Host& host, Reader* before) {
  scheduler_ = &host.scheduler();
  tracker_ = std::make_unique<Tracker>(settings_, TRY(FileFinder::make(settings_)), id_,
                                       scheduler_->clock());
  from_beginning_ = settings_.start_at == "beginning";
  if (settings_.storage) {
    auto* const storage = dynamic_cast<pipeline::Storage*>(host.extension(*settings_.storage));
    if (!storage) {
      return fail(ErrorKind::NotFound, "storage: there is no storage extension \"" +
                                           *settings_.storage +
                                           "\" running; add it to service::extensions");
    }
    auto directory = PositionStore::directory_of(*storage, id_);
    if (!directory) return std::unexpected(at("storage", std::move(directory.error())));
    if (before && before->store_ && before->store_->directory() == *directory) {
      store_ = before->store_;
    } else {
      auto opened = PositionStore::open(*storage, id_, *scheduler_);
      if (!opened) return std::unexpected(at("storage", std::move(opened.error())));
      store_ = std::move(*opened);
      // Whatever is there and not known came while nobody looked.
      from_beginning_ = from_beginning_ || store_->used_before();
      tracker_->keep_in(store_.get());
    }
  }
  if (!before) poll();
  return {};
}

void Reader::take_over(Reader& old) {
  old.stop();
  old.successor_ = weak_from_this();
  const bool same = store_ && store_ == old.store_;
  tracker_->take_over(*old.tracker_, same ? store_.get() : nullptr);
  reading_ = std::exchange(old.reading_, 0);
  waiting_ = std::exchange(old.waiting_, {});
  // Those that are known now are not met again; what was never seen came in between, or is found
  // only by these settings.
  from_beginning_ = from_beginning_ || same;
  poll();
}

void Reader::stop() {
  stopped_ = true;
  if (scheduler_) scheduler_->cancel(timer_);
  save();
}

std::shared_ptr<Reader> Reader::current() {
  auto reader = shared_from_this();
  while (auto next = reader->successor_.lock()) reader = std::move(next);
  return reader;
}

void Reader::poll() {
  for (FilePtr& file : tracker_->poll(from_beginning_)) {
    file->reading = true;
    waiting_.push_back(std::move(file));
  }
  from_beginning_ = true;
  pump();
  if (store_) store_->sync();
  timer_ = scheduler_->after(settings_.poll_interval, [self = weak_from_this()] {
    if (const auto reader = self.lock(); reader && !reader->stopped_) reader->poll();
  });
}

void Reader::pump() {
  while (!stopped_ && reading_ < kMostReading && !waiting_.empty()) {
    const FilePtr file = std::move(waiting_.front());
    waiting_.pop_front();
    ++reading_;
    if (settings_.acquire_fs_lock && file->source && !file->source->lock()) {
      end_turn(file);
    } else {
      step(file);
    }
  }
}

void Reader::step(const FilePtr& file) {
  while (!stopped_) {
    if (file->lines_of_turn >= kLinesOfTurn && !waiting_.empty()) return yield(file);
    if (take_line(file)) return;
    if (!fill(file)) return;
  }
}

bool Reader::take_line(const FilePtr& file) {
  for (;;) {
    const size_t end = file->buffer.find('\n');
    if (end == std::string::npos) return false;
    const std::string_view line = std::string_view(file->buffer).substr(0, end);
    if (file->discarding) {
      advance(file, end + 1);
    } else if (std::exchange(file->skipping, false) || end > settings_.max_log_size) {
      tracker_->refuse(file->path, "a line is longer than max_log_size");
      advance(file, end + 1);
    } else if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      advance(file, end + 1);
    } else {
      // An answer that is there already comes later all the same, by the scheduler.
      const size_t before = under_way_;
      ++file->lines_of_turn;
      take(file, line, end + 1);
      if (under_way_ != before) return true;
    }
  }
}

void Reader::take(const FilePtr& file, std::string_view line, size_t size) {
  auto requests = read_line(line);
  if (!requests) {
    tracker_->refuse(file->path, requests.error().message);
    return advance(file, size);
  }
  std::vector<Batch> batches;
  for (auto& [signal, chunk] : *requests) {
    if (!outputs_.of(signal)) continue;
    if (!file->attributes.empty()) {
      AttributeSetter setter(file->attributes);
      auto set = rewriter_.rewrite(signal, chunk, setter);
      if (!set) {
        tracker_->refuse(file->path, set.error().message);
        continue;
      }
      chunk = std::move(set->chunk);
    }
    Batch batch(signal, {std::move(chunk)});
    if (!batch.empty()) batches.push_back(std::move(batch));
  }
  if (batches.empty()) return advance(file, size);
  for (const Batch& batch : batches) pipeline::count_accepted(id_, "file", batch);
  // send() begins with the last one.
  std::ranges::reverse(batches);
  send(file, std::move(batches), size);
}

Result<std::vector<wire::SignalRequest>> Reader::read_line(std::string_view line) const {
  std::vector<Signal> wanted;
  for (const Signal signal : kSignals)
    if (outputs_.of(signal)) wanted.push_back(signal);
  auto requests = TRY(wire::otlp_requests_from_json(line, wanted, SIZE_MAX / 2));
  if (requests.empty()) return fail(ErrorKind::Invalid, "a line is no OTLP request");
  return requests;
}

bool Reader::fill(const FilePtr& file) {
  std::string& buffer = file->buffer;
  if (buffer.size() > settings_.max_log_size) {
    file->skipping = !file->discarding;
    advance(file, buffer.size());
  }
  if (!file->source) {
    end_turn(file);
    return false;
  }
  const auto got = file->source->compressed() ? read_on(*file) : read_on_where_it_fits(*file);
  if (!got) {
    file->broken = got.error().kind == ErrorKind::Invalid;
    file->seen = file->looked;
    tracker_->refuse(file->path, "what follows cannot be read: " + got.error().message);
    end_turn(file);
    return false;
  }
  if (got->changed) {
    buffer.clear();
    file->seen.reset();
    end_turn(file);
    return false;
  }
  if (got->bytes > 0) return true;
  if (got->end) {
    at_end(file);
    return false;
  }
  // It has still to come to where it was; meanwhile others have their turn.
  scheduler_->post([reader = shared_from_this(), file] { reader->current()->step(file); });
  return false;
}

Result<FileSource::Got> Reader::read_on(TrackedFile& file) {
  return file.source->read(file.position.offset + file.buffer.size(), kReadSize,
                           file.position.offset, file.buffer);
}

Result<FileSource::Got> Reader::read_on_where_it_fits(TrackedFile& file) {
  std::string& buffer = file.buffer;
  const uint64_t next = file.position.offset + buffer.size();
  // Together with what stands before it, which must be what was read: the file may have been begun
  // anew and have grown past this place since.
  const size_t known =
      buffer.empty() ? file.position.tail_size : std::min(buffer.size(), kTailSize);
  std::string piece;
  auto got = file.source->read(next - known, known + kReadSize, next - known, piece);
  if (!got) return got;
  const std::string_view before = std::string_view(piece).substr(0, known);
  const bool same = before.size() == known &&
                    (buffer.empty() ? known == 0 || ContentHash::of(before) == file.position.tail
                                    : buffer.ends_with(before));
  // The next poll finds out what it is now.
  if (!same) return FileSource::Got{.changed = true};
  buffer.append(piece, known);
  return FileSource::Got{.bytes = piece.size() - known, .end = piece.size() == known};
}

void Reader::at_end(const FilePtr& file) {
  file->seen = file->looked;
  if (file->discarding) {
    advance(file, file->buffer.size());
    file->discarding = false;
  }
  if (settings_.replay_file) {
    file->position.offset = 0;
    file->position.tail_size = 0;
    file->buffer.clear();
  } else if (take_unfinished(file)) {
    return;
  }
  if (settings_.file_cache_advise && file->source) file->source->forget_cached();
  end_turn(file);
}

bool Reader::take_unfinished(const FilePtr& file) {
  const int64_t now = scheduler_->clock().monotonic_ns();
  const size_t size = file->buffer.size();
  if (size != std::exchange(file->unfinished, size)) {
    file->unfinished_since_ns = now;
    file->unfinished_tried =
        size == 0 || file->skipping || settings_.force_flush_period.count() <= 0;
  }
  if (file->unfinished_tried ||
      now - file->unfinished_since_ns < settings_.force_flush_period.count())
    return false;
  file->unfinished_tried = true;
  const std::string_view line = file->buffer;
  // Half a request is none; it waits for the rest.
  if (!read_line(line)) return false;
  file->unfinished = 0;
  const size_t before = under_way_;
  take(file, line, size);
  return under_way_ != before;
}

void Reader::yield(const FilePtr& file) {
  end_turn(file);
  file->reading = true;
  waiting_.push_back(file);
}

void Reader::end_turn(const FilePtr& file) {
  // What was read of a line is read again when there is more of it.
  file->buffer = {};
  file->reading = false;
  file->lines_of_turn = 0;
  if (settings_.acquire_fs_lock && file->source) file->source->unlock();
  --reading_;
  // By the scheduler, so that many short files are no deep recursion.
  if (!waiting_.empty())
    scheduler_->post([reader = shared_from_this()] { reader->current()->pump(); });
}

void Reader::send(const FilePtr& file, std::vector<Batch> left, size_t size) {
  ++under_way_;
  const Batch& kept = left.back();
  Batch batch(kept.signal, kept.chunks);
  batch.set_items(kept.items());
  batch.ack = Ack::make(scheduler_, [self = shared_from_this(), file, size,
                                     rest = std::move(left)](const Outcome& outcome) mutable {
    self->done(file, std::move(rest), size, outcome);
  });
  outputs_.send(std::move(batch));
}

void Reader::done(const FilePtr& file, std::vector<Batch> left, size_t size,
                  const Outcome& outcome) {
  --under_way_;
  const auto reader = current();
  const ErrorKind kind = outcome.error.kind;
  const bool for_a_time = outcome.kind == Outcome::Failed &&
                          (kind == ErrorKind::Unavailable || kind == ErrorKind::Exhausted);
  // What is kept on disk comes again after the restart.
  if (for_a_time && reader->stopped_ && reader->store_) return;
  if (for_a_time && !reader->stopped_) {
    // It stays under way, so that the file waits.
    const Duration pause = std::max<Duration>(outcome.error.retry_after, kRetryAfter);
    scheduler_->after(pause, [reader, file, size, rest = std::move(left)]() mutable {
      const auto now = reader->current();
      if (!now->stopped_) now->send(file, std::move(rest), size);
    });
    return;
  }
  const Batch& batch = left.back();
  if (outcome.kind == Outcome::Failed) {
    // Where some were rejected the others were taken.
    const uint64_t all = batch.items();
    const uint64_t lost = outcome.rejected > 0 ? std::min(outcome.rejected, all) : all;
    log_warn("{}: {} items of {} are lost: {}", id_, lost, file->path, outcome.error.message);
    pipeline::dropped_counter(id_, batch.signal, "refused").add(lost);
  }
  left.pop_back();
  if (!left.empty()) return reader->send(file, std::move(left), size);
  reader->advance(file, size);
  reader->step(file);
}

void Reader::advance(const FilePtr& file, size_t size) {
  Position& position = file->position;
  const size_t taken = std::min(size, file->buffer.size());
  const std::string_view tail = std::string_view(file->buffer).substr(0, taken);
  position.offset += size;
  position.tail_size = static_cast<uint32_t>(std::min(tail.size(), kTailSize));
  position.tail = ContentHash::of(tail.substr(tail.size() - position.tail_size));
  file->buffer.erase(0, taken);
  if (!store_) return;
  if (unsaved_.empty() && !stopped_) {
    scheduler_->post([self = weak_from_this()] {
      if (const auto reader = self.lock()) reader->save();
    });
  }
  unsaved_.insert(file);
  if (stopped_) save();
}

void Reader::save() {
  for (const FilePtr& file : std::exchange(unsaved_, {})) tracker_->moved(*file);
}

}  // namespace sonde::otlpjsonfile
