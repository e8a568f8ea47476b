// SPDX-License-Identifier: Apache-2.0
// Knows which file is which while they grow, are renamed, copied, compressed, truncated, begun anew
// and deleted, and says which have something to read. A file is known by its inode as long as it
// begins, and ends where reading stopped, as it did; else by that content alone, so that a file
// that was put aside goes on where it was and a copy of it is not read again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "components/receiver/otlpjsonfile/file_attributes.h"
#include "components/receiver/otlpjsonfile/file_finder.h"
#include "components/receiver/otlpjsonfile/file_source.h"
#include "components/receiver/otlpjsonfile/position.h"
#include "components/receiver/otlpjsonfile/position_store.h"

namespace sonde::otlpjsonfile {

struct TrackedFile {
  uint64_t number = 0;  // For the store.
  Position position;    // Its file is {} while the content has no file that we know.
  std::string path;
  FileAttributes attributes;
  std::unique_ptr<FileSource> source;  // nullptr: closed for now.
  FileFacts looked;                    // As it was found last.
  std::optional<FileFacts> seen;       // As it was when it was read to its end.
  bool found = false;                  // By the last poll.
  int64_t gone_since_ns = 0;           // Where it was not.
  int polls_gone = 0;

  // Of reader.cc.
  bool reading = false;  // It waits for its turn, or has it.
  size_t lines_of_turn = 0;
  bool discarding = false;  // What is there is passed over: start_at: end.
  bool skipping = false;    // Within a line that is too long.
  bool broken = false;      // It cannot be decompressed.
  std::string buffer;       // What was read from position.offset on.
  // The last line has no end yet: since when it is this long, and whether it was tried as it is.
  size_t unfinished = 0;
  int64_t unfinished_since_ns = 0;
  bool unfinished_tried = true;
};
using FilePtr = std::shared_ptr<TrackedFile>;

class Tracker {
 public:
  // Of files that went away and may come back, so many are remembered.
  static constexpr size_t kMostRemembered = 1000;

  Tracker(const Settings& settings, FileFinder finder, std::string receiver, const Clock& clock)
      : settings_(settings),
        finder_(std::move(finder)),
        receiver_(std::move(receiver)),
        clock_(clock) {}

  // Keeps positions there from now on; nullptr: nowhere. Those that it has stored become known.
  void keep_in(PositionStore* store);
  // Knows what the other one knows, which knows nothing from then on. Keeps all of it in its own
  // store, or in that of the other one.
  void take_over(Tracker& other, PositionStore* same_store);

  // Looks at every file and gives those that have something to read, with an open source. Files
  // that were never seen are begun at their beginning or at their end. It blocks as long as the
  // file system does.
  std::vector<FilePtr> poll(bool from_beginning);
  // Says and counts that something was passed over.
  void refuse(const std::string& path, std::string_view why) const;
  // The position has changed.
  void moved(const TrackedFile& file) const;
  size_t open_files() const { return open_; }
  size_t known_files() const { return files_.size(); }

 private:
  // Whether there may be something to read. What was begun anew becomes another file, in `file`.
  bool look(FilePtr& file, const FileFacts& facts);
  // Whether the file has the content that was read; an empty one has not.
  bool same_content(TrackedFile& file, const FileFacts& facts) const;
  FilePtr meet(const std::string& path, const FileFacts& facts, bool from_beginning);
  // What a file that is met is.
  struct Known {
    FilePtr file;           // It goes on with this one.
    FilePtr copy_of;        // It is a copy of this one, which is there.
    bool in_doubt = false;  // The next poll knows more.
  };
  Known known_content(FileSource& source, const FileFacts& facts, const FileHead& head) const;
  // Whether what stands in the source is what was read of the file, to where it was read.
  static bool goes_on(FileSource& source, const TrackedFile& file);
  // Nothing: it cannot be said now.
  std::optional<bool> is_copy(FileSource& source, const FileFacts& facts,
                              const TrackedFile& of) const;
  FilePtr add(const std::string& path, std::unique_ptr<FileSource> source, const FileFacts& facts,
              const FileHead& head, bool from_beginning);
  FilePtr begin_anew(const FilePtr& file, const FileFacts& facts);
  void adopt(const FilePtr& file, const std::string& path, std::unique_ptr<FileSource> source,
             const FileFacts& facts);
  void look_at_gone(std::vector<FilePtr>& to_read);
  void forget_most();
  void forget(const FilePtr& file);
  void name(TrackedFile& file, const std::string& path) const;

  bool make_room();
  bool ensure_open(TrackedFile& file);
  void close(TrackedFile& file);
  Result<std::unique_ptr<FileSource>> open(const std::string& path) const;
  void warn_once(const std::string& path, std::string_view why);

  const Settings& settings_;
  FileFinder finder_;
  const std::string receiver_;
  const Clock& clock_;
  PositionStore* store_ = nullptr;
  std::map<uint64_t, FilePtr> files_;  // By number.
  std::map<FileKey, FilePtr> by_key_;
  struct Copy {
    FileFacts facts;
    std::weak_ptr<TrackedFile> of;
    FileKey of_file;
  };
  std::map<FileKey, Copy> copies_;
  std::set<std::string> warned_;
  uint64_t next_number_ = 1;
  uint64_t evicted_ = 0;  // The last one that was closed to make room.
  size_t open_ = 0;
  std::string first_path_;  // Where the next poll goes on, where max_batches cut one short.
};

}  // namespace sonde::otlpjsonfile
