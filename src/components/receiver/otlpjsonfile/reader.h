// SPDX-License-Identifier: Apache-2.0
// Reads the lines of files and sends them on. One line of a file is under way at a time: the next
// is read when it was taken, so a slow pipeline slows reading, nothing is lost, and a position
// never stands behind a line that was not taken. A bounded number of files has its turn at a time,
// so memory is bounded by that and the length of lines.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "components/receiver/otlpjsonfile/tracker.h"
#include "pipeline/component.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::otlpjsonfile {

// Outlives the receiver while lines are under way.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  // How many files have their turn at a time; the others have no buffer.
  static constexpr size_t kMostReading = 32;

  Reader(Settings settings, std::string_view id, pipeline::Outputs outputs);

  // An error when the storage cannot be used. Where `before` is another reader's it waits for
  // take_over().
  Result<> start(pipeline::Host& host, Reader* before);
  // Goes on where the other one is in its files; lines that are under way are this one's to try
  // again.
  void take_over(Reader& old);
  void stop();
  bool drained() const { return under_way_ == 0 && unsaved_.empty(); }

 private:
  void poll();
  // Gives files their turn.
  void pump();
  // Goes on with a file that has its turn: sends its next line, or ends the turn.
  void step(const FilePtr& file);
  // One line out of the buffer; false when there is none in it. What cannot be sent is passed over.
  bool take_line(const FilePtr& file);
  void take(const FilePtr& file, std::string_view line, size_t size);
  // Reads on; false when the turn is over.
  bool fill(const FilePtr& file);
  static Result<FileSource::Got> read_on(TrackedFile& file);
  static Result<FileSource::Got> read_on_where_it_fits(TrackedFile& file);
  void at_end(const FilePtr& file);
  // A last line that nobody ended, where it did not grow for a while and is a whole request.
  bool take_unfinished(const FilePtr& file);
  void end_turn(const FilePtr& file);
  void yield(const FilePtr& file);

  // What a line holds, by signal; Invalid where that is nothing.
  Result<std::vector<wire::SignalRequest>> read_line(std::string_view line) const;
  // Sends the last of these, and the others when it was taken; then the line is.
  void send(const FilePtr& file, std::vector<Batch> left, size_t size);
  void done(const FilePtr& file, std::vector<Batch> left, size_t size, const Outcome& outcome);
  // Moves the position over what is at the beginning of the buffer.
  void advance(const FilePtr& file, size_t size);
  void save();
  // Whoever reads the files now.
  std::shared_ptr<Reader> current();

  const Settings settings_;
  const std::string id_;
  const pipeline::Outputs outputs_;
  Scheduler* scheduler_ = nullptr;
  std::shared_ptr<PositionStore> store_;
  std::unique_ptr<Tracker> tracker_;
  Rewriter rewriter_;
  TimerId timer_ = 0;
  bool from_beginning_ = false;
  std::deque<FilePtr> waiting_;
  size_t reading_ = 0;
  size_t under_way_ = 0;
  std::set<FilePtr> unsaved_;
  bool stopped_ = false;
  std::weak_ptr<Reader> successor_;
};

}  // namespace sonde::otlpjsonfile
