// SPDX-License-Identifier: Apache-2.0
// Which files are open: at most so many, of those that rest the least.
#include "base/counters.h"
#include "base/log.h"
#include "components/receiver/otlpjsonfile/tracker.h"

namespace sonde::otlpjsonfile {
namespace {

constexpr size_t kMostWarned = 10'000;

}  // namespace

bool Tracker::make_room() {
  if (open_ < settings_.max_concurrent_files) return true;
  // In turn, so that no file is closed and opened again all the time while others stay.
  for (int round = 0; round < 2; ++round) {
    for (auto at = files_.upper_bound(evicted_); at != files_.end(); ++at) {
      TrackedFile& file = *at->second;
      if (!file.source || file.reading || file.gone_since_ns != 0 || !file.seen ||
          !file.looked.same_content(*file.seen))
        continue;
      evicted_ = file.number;
      close(file);
      return true;
    }
    evicted_ = 0;
  }
  return false;
}

bool Tracker::ensure_open(TrackedFile& file) {
  if (file.source) return true;
  if (!make_room()) return false;
  auto source = open(file.path);
  if (!source) {
    warn_once(file.path, source.error().message);
    return false;
  }
  warned_.erase(file.path);
  const auto facts = (*source)->facts();
  if (!facts || facts->key != file.position.file) return false;
  file.source = std::move(*source);
  ++open_;
  return true;
}

void Tracker::close(TrackedFile& file) {
  if (!file.source) return;
  file.source.reset();
  --open_;
}

Result<std::unique_ptr<FileSource>> Tracker::open(const std::string& path) const {
  return FileSource::open(path, settings_.compression.empty()     ? FileSource::Kind::Plain
                                : settings_.compression == "gzip" ? FileSource::Kind::Gzip
                                                                  : FileSource::Kind::Either);
}

void Tracker::refuse(const std::string& path, std::string_view why) const {
  counter("sonde_otlpjsonfile_refused_lines_total", "Lines that were passed over.",
          {{"receiver", receiver_}})
      .add();
  log_warn("{}: {}: {}", receiver_, path, why);
}

void Tracker::warn_once(const std::string& path, std::string_view why) {
  if (warned_.size() < kMostWarned && warned_.insert(path).second)
    log_warn("{}: {}", receiver_, why);
}

}  // namespace sonde::otlpjsonfile
