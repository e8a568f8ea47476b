// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/tracker.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counters.h"
#include "base/log.h"

namespace sonde::otlpjsonfile {
namespace {

// Whoever writes a file may go on for a while after it was renamed or deleted.
constexpr Duration kLinger = std::chrono::seconds(10);
constexpr Duration kLingerDeleted = std::chrono::seconds(2);
constexpr int kPollsDeleted = 3;
constexpr size_t kMostCopies = 10'000;

}  // namespace

void Tracker::keep_in(PositionStore* store) {
  store_ = store;
  if (!store_) return;
  for (const Position& position : store_->take_stored()) {
    auto file = std::make_shared<TrackedFile>();
    file->number = next_number_++;
    file->position = position;
    file->gone_since_ns = clock_.monotonic_ns();
    if (position.file != FileKey{}) by_key_[position.file] = file;
    files_.emplace(file->number, std::move(file));
  }
}

void Tracker::take_over(Tracker& other, PositionStore* same_store) {
  if (same_store) {
    store_ = same_store;
    next_number_ = other.next_number_;
  }
  for (auto& [number, file] : std::exchange(other.files_, {})) {
    if (const auto known = by_key_.find(file->position.file); known != by_key_.end())
      forget(FilePtr(known->second));
    // A number is of one store.
    if (!same_store) file->number = next_number_++;
    if (file->position.file != FileKey{}) by_key_[file->position.file] = file;
    if (file->source) ++open_;
    files_.emplace(file->number, file);
    if (!file->path.empty()) file->attributes = attributes_of(file->path, settings_);
    moved(*file);
  }
  other.by_key_.clear();
  other.open_ = 0;
}

std::vector<FilePtr> Tracker::poll(bool from_beginning) {
  std::vector<std::string> paths = finder_.find(clock_.unix_ns(), receiver_);
  if (settings_.max_batches > 0) std::ranges::rotate(paths, std::ranges::find(paths, first_path_));
  first_path_.clear();
  size_t budget =
      settings_.max_batches == 0
          ? SIZE_MAX
          : size_t{settings_.max_batches} * std::max<size_t>(1, settings_.max_concurrent_files / 2);
  for (auto& [number, file] : files_) file->found = false;
  std::vector<FilePtr> to_read;
  std::vector<std::pair<std::string, FileFacts>> unknown;
  std::set<FileKey> keys;
  for (const std::string& path : paths) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) continue;
    const FileFacts facts = FileFacts::of(status);
    // A second name of a file is no second file.
    if (!facts.regular || !keys.insert(facts.key).second) continue;
    const auto known = by_key_.find(facts.key);
    if (known == by_key_.end()) {
      unknown.emplace_back(path, facts);
      continue;
    }
    FilePtr file = known->second;
    file->found = true;
    file->gone_since_ns = 0;
    file->polls_gone = 0;
    name(*file, path);
    if (to_read.size() >= budget) {
      if (first_path_.empty()) first_path_ = path;
    } else if (look(file, facts)) {
      to_read.push_back(std::move(file));
    }
  }
  look_at_gone(to_read);
  for (const auto& [path, facts] : unknown) {
    if (facts.size == 0) continue;
    if (to_read.size() >= budget) {
      // What came later than the start is read from its beginning, in a later poll.
      if (first_path_.empty()) first_path_ = path;
      if (from_beginning) continue;
    }
    if (FilePtr file = meet(path, facts, from_beginning)) to_read.push_back(std::move(file));
  }
  std::erase_if(copies_, [&](const auto& entry) { return !keys.contains(entry.first); });
  forget_most();
  return to_read;
}

bool Tracker::look(FilePtr& file, const FileFacts& facts) {
  file->looked = facts;
  const bool changed = !file->seen || !facts.same_content(*file->seen);
  if (!changed && !file->broken) {
    const bool waits = !file->unfinished_tried || settings_.replay_file;
    return waits && !file->reading && ensure_open(*file);
  }
  if (!changed || !ensure_open(*file)) return false;
  if (!same_content(*file, facts)) {
    log_info("{}: {} was begun anew", receiver_, file->path);
    const bool keeps_reading = facts.size > 0;
    file = begin_anew(file, facts);
    return keeps_reading && file;
  }
  if (file->broken) return false;
  if (!file->source->compressed() && facts.size < file->position.offset) {
    if (file->reading) return false;
    file->seen = facts;
    if (settings_.on_truncate == "ignore") {
      // What it grows by past the offset is new, whatever then stands before.
      file->position.tail_size = 0;
      return false;
    }
    if (settings_.on_truncate == "read_whole_file") {
      log_info("{}: {} became shorter and is read again", receiver_, file->path);
      file = begin_anew(file, facts);
      return static_cast<bool>(file);
    }
    file->position.offset = facts.size;
    store_tail(*file->source, file->position);
    moved(*file);
    return false;
  }
  if (file->position.head_size < settings_.fingerprint_size && !file->source->compressed()) {
    const FileHead head(*file->source, settings_.fingerprint_size);
    if (head.begins_as(file->position)) head.store_in(file->position);
  }
  return !file->reading;
}

bool Tracker::same_content(TrackedFile& file, const FileFacts& facts) const {
  if (facts.size == 0) return false;
  if (!file.source->compressed()) {
    const FileHead head(*file.source, file.position.head_size);
    if (!head.begins_as(file.position)) return false;
    return facts.size < file.position.offset || ends_as(*file.source, file.position);
  }
  // Reading the beginning through its source would make that one begin again.
  if (!file.found) return true;
  auto other = open(file.path);
  if (!other || !(*other)->compressed()) return false;
  return FileHead(**other, file.position.head_size).begins_as(file.position);
}

FilePtr Tracker::begin_anew(const FilePtr& file, const FileFacts& facts) {
  // The old content may lie elsewhere: who copies a file before truncating it leaves it there.
  const std::string path = file->path;
  by_key_.erase(file->position.file);
  close(*file);
  file->position.file = {};
  file->found = false;
  file->gone_since_ns = clock_.monotonic_ns();
  moved(*file);
  if (file->position.offset == 0 && !file->reading) forget(file);
  if (facts.size == 0 || !make_room()) return nullptr;
  auto source = open(path);
  const auto now = source ? (*source)->facts() : Result<FileFacts>(fail(ErrorKind::Invalid, ""));
  if (!now || now->key != facts.key) return nullptr;
  const FileHead head(**source, settings_.fingerprint_size);
  if (head.empty()) return nullptr;
  return add(path, std::move(*source), *now, head, true);
}

FilePtr Tracker::meet(const std::string& path, const FileFacts& facts, bool from_beginning) {
  if (const auto copy = copies_.find(facts.key); copy != copies_.end()) {
    const auto of = copy->second.of.lock();
    if (of && of->found && of->position.file == copy->second.of_file &&
        copy->second.facts.same_content(facts))
      return nullptr;
    copies_.erase(copy);
  }
  if (!make_room()) return nullptr;
  auto source = open(path);
  if (!source) {
    warn_once(path, source.error().message);
    return nullptr;
  }
  const auto now = (*source)->facts();
  if (!now || !now->regular || by_key_.contains(now->key)) return nullptr;
  const FileHead head(**source, settings_.fingerprint_size);
  if (head.empty()) {
    // Nothing comes out of it yet, or never: whatever is wrong with it is found by reading it.
    if (!(*source)->compressed()) return nullptr;
    std::string out;
    const auto got = (*source)->read(0, 1, 0, out);
    if (got || now->size < 2 || warned_.contains(path)) return nullptr;
    refuse(path, "it is no gzip; leave compression out, or set it to auto");
    warned_.insert(path);
    return nullptr;
  }
  Known known_as = known_content(**source, *now, head);
  if (known_as.in_doubt) return nullptr;
  if (const FilePtr& of = known_as.copy_of) {
    if (copies_.size() < kMostCopies) {
      log_info("{}: {} is a copy of {} and is not read", receiver_, path, of->path);
      copies_[now->key] = {*now, of, of->position.file};
    }
    return nullptr;
  }
  FilePtr known = std::move(known_as.file);
  if (known) {
    adopt(known, path, std::move(*source), *now);
  } else {
    known = add(path, std::move(*source), *now, head, from_beginning);
  }
  return known->reading || known->seen ? nullptr : known;
}

Tracker::Known Tracker::known_content(FileSource& source, const FileFacts& facts,
                                      const FileHead& head) const {
  Known known;
  FilePtr& best = known.file;
  for (const auto& [number, file] : files_) {
    if (!head.begins_as(file->position)) continue;
    if (file->found) {
      const auto copy = is_copy(source, facts, *file);
      if (!copy) known.in_doubt = true;
      if (copy.value_or(false)) known.copy_of = file;
      continue;
    }
    const Duration gone(clock_.monotonic_ns() - file->gone_since_ns);
    // A file that is elsewhere for long is no longer taken for one that begins and ends as it did.
    if (gone > kLinger || (best && best->position.offset >= file->position.offset)) continue;
    if (!source.compressed() && facts.size < file->position.offset) continue;
    if (goes_on(source, *file)) best = file;
  }
  if (best) return {.file = best};
  return known;
}

bool Tracker::goes_on(FileSource& source, const TrackedFile& file) {
  // A beginning alone is that of many files.
  if (file.position.tail_size == 0 && file.buffer.empty()) return false;
  if (!ends_as(source, file.position)) return false;
  return content_at(source, file.position.offset, file.buffer.size()) == file.buffer;
}

std::optional<bool> Tracker::is_copy(FileSource& source, const FileFacts& facts,
                                     const TrackedFile& of) const {
  if (!of.source || source.compressed() || of.source->compressed())
    return of.position.offset > 0 && ends_as(source, of.position);
  const auto other = of.source->facts();
  if (!other) return false;
  // That one was truncated since it was looked at; the next poll knows more.
  const bool begun = of.position.tail_size > 0 || !of.buffer.empty();
  const bool as_looked = of.seen && other->same_content(*of.seen);
  const bool shorter = other->size < of.position.offset && !as_looked;
  if (shorter || (begun && !goes_on(*of.source, of))) return std::nullopt;
  // Of a few bytes the beginning says too little, and what goes on where the other one ends is a
  // file of its own.
  const bool few = facts.size < settings_.fingerprint_size;
  if (few ? facts.size != other->size : facts.size > other->size) return false;
  Position end{.offset = facts.size};
  store_tail(source, end);
  return ends_as(*of.source, end);
}

FilePtr Tracker::add(const std::string& path, std::unique_ptr<FileSource> source,
                     const FileFacts& facts, const FileHead& head, bool from_beginning) {
  auto file = std::make_shared<TrackedFile>();
  file->number = next_number_++;
  file->position.file = facts.key;
  head.store_in(file->position);
  file->looked = facts;
  file->found = true;
  file->source = std::move(source);
  ++open_;
  name(*file, path);
  if (!from_beginning && file->source->compressed()) {
    file->discarding = true;
  } else if (!from_beginning) {
    file->position.offset = facts.size;
    store_tail(*file->source, file->position);
    file->seen = facts;
  }
  by_key_[facts.key] = file;
  files_.emplace(file->number, file);
  moved(*file);
  return file;
}

void Tracker::adopt(const FilePtr& file, const std::string& path,
                    std::unique_ptr<FileSource> source, const FileFacts& facts) {
  const auto known = by_key_.find(file->position.file);
  if (known != by_key_.end() && known->second == file) by_key_.erase(known);
  close(*file);
  file->source = std::move(source);
  ++open_;
  file->position.file = facts.key;
  by_key_[facts.key] = file;
  file->looked = facts;
  file->seen.reset();
  file->found = true;
  file->gone_since_ns = 0;
  file->polls_gone = 0;
  file->broken = false;
  name(*file, path);
  moved(*file);
}

void Tracker::look_at_gone(std::vector<FilePtr>& to_read) {
  const std::map<uint64_t, FilePtr> files = files_;
  for (const auto& [number, known] : files) {
    FilePtr file = known;
    if (file->found) continue;
    if (file->gone_since_ns == 0) file->gone_since_ns = clock_.monotonic_ns();
    ++file->polls_gone;
    if (!file->source || file->reading) continue;
    const auto facts = file->source->facts();
    if (facts && look(file, *facts)) {
      file->found = false;
      to_read.push_back(std::move(file));
      continue;
    }
    if (file != known || !known->source) continue;
    const bool named = facts && facts->named;
    const Duration gone(clock_.monotonic_ns() - file->gone_since_ns);
    if (named ? gone < kLinger : gone < kLingerDeleted || file->polls_gone < kPollsDeleted)
      continue;
    if (file->unfinished > 0) {
      refuse(file->path, "it went away within a line");
    }
    close(*file);
    if (!named) forget(file);
  }
}

void Tracker::forget_most() {
  std::vector<FilePtr> remembered;
  for (const auto& [number, file] : files_) {
    if (!file->found && !file->source && !file->reading) remembered.push_back(file);
  }
  if (remembered.size() <= kMostRemembered) return;
  std::ranges::sort(remembered, {}, [](const FilePtr& file) { return file->gone_since_ns; });
  for (size_t i = 0; i < remembered.size() - kMostRemembered; ++i) forget(remembered[i]);
}

void Tracker::forget(const FilePtr& file) {
  const auto known = by_key_.find(file->position.file);
  if (known != by_key_.end() && known->second == file) by_key_.erase(known);
  close(*file);
  if (store_) store_->forget(file->number);
  files_.erase(file->number);
}

void Tracker::name(TrackedFile& file, const std::string& path) const {
  if (file.path == path) return;
  if (!file.path.empty()) log_info("{}: {} is now {}", receiver_, file.path, path);
  file.path = path;
  file.attributes = attributes_of(path, settings_);
}

void Tracker::moved(const TrackedFile& file) const {
  if (store_ && !settings_.replay_file && files_.contains(file.number))
    store_->put(file.number, file.position);
}

}  // namespace sonde::otlpjsonfile
