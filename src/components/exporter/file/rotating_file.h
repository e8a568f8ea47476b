// SPDX-License-Identifier: Apache-2.0
// A file that is written a message at a time, and put aside under a name with the time in it before
// it grows over its limit. A message is in it whole or not at all: what a full disk took only a
// part of is cut off again. Where its name leaves no room for the time it grows on. Writes go to
// the page cache; nothing here waits for the disk to sync.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "components/exporter/file/file_end.h"

namespace sonde::file_exporter {

struct Rotation {
  int64_t max_megabytes = 100;  // 0: 100 as well.
  int64_t max_days = 0;         // 0: whatever their age.
  int64_t max_backups = 100;    // 0: however many.
  bool localtime = false;
};

class RotatingFile {
 public:
  RotatingFile(std::string path, std::optional<Rotation> rotation, const Clock& clock,
               Framing framing = Framing::Lines)
      : path_(std::move(path)), rotation_(rotation), clock_(clock), framing_(framing) {}
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // With `keep` (or rotation) what lies there stays and is added to. Half a message at its end,
  // which nobody was told is written, is cut off; a last line of another kind gets its end; what is
  // not of this format at all is put aside as name-<time>-unreadable.ext. Invalid where no file
  // can have that name, Unavailable for what may pass. Of a file as large as `whole` it is known
  // that whole messages lie there: it is not read.
  Result<> open(bool keep, std::optional<uint64_t> whole = std::nullopt);
  // Goes on in the file that the other one has open, which has the same path and is closed by it;
  // where messages end otherwise now, it is mended as by open().
  void take_over(RotatingFile& other);
  // An error (Unavailable) where the system does not take it; the file is as before then.
  Result<> write(std::string_view message);
  // Of the file, in bytes.
  uint64_t size() const { return size_; }
  // Where the message that was written last begins in the file, and how to cut it off again with
  // what follows it.
  uint64_t last_message() const { return last_message_; }
  Result<> cut(uint64_t size);

 private:
  Result<> reopen(bool truncate);
  // Another process may have cut the file (logrotate's copytruncate) or added to it.
  void look_at_size();
  Result<> append(std::string_view message);
  // Makes the end of what lies there fit for the next message.
  Result<> mend();
  // Renames the file to a name that nothing has, with the time and this text behind it, and begins
  // it anew. Invalid where no file can have that name.
  Result<std::string> put_aside(std::string_view what);
  Result<> rotate();
  std::string backup_name(int64_t unix_ms, std::string_view what) const;
  // Removes those that are too old or too many. What cannot be removed is told in the log.
  void clean_up() const;

  const std::string path_;
  const std::optional<Rotation> rotation_;
  const Clock& clock_;
  const Framing framing_;
  int fd_ = -1;
  uint64_t size_ = 0;
  uint64_t last_message_ = 0;
  int64_t last_backup_ms_ = 0;
  bool no_backup_name_ = false;
};

}  // namespace sonde::file_exporter
