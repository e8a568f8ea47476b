// SPDX-License-Identifier: Apache-2.0
//
// The receiver `otlpjsonfile`: reads files of which each line is an OTLP request as JSON, such as
// the exporter file writes, and follows them as they grow, are put aside or begun anew. One line of
// a file is under way at a time: the next is read when it was taken, so a slow pipeline slows
// reading and nothing is lost. How far it read is forgotten at the end.
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>

#include "base/counters.h"
#include "base/log.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde {
namespace {

constexpr size_t kReadSize = 64 << 10;
constexpr auto kRetryAfter = std::chrono::seconds(1);

struct Config {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::string start_at = "end";
  Duration poll_interval = std::chrono::milliseconds(200);
  uint64_t max_log_size = 1 << 20;
  uint32_t max_concurrent_files = 1024;
  bool replay_file = false;
  std::string storage;

  Result<> validate() const {
    if (include.empty()) return fail(ErrorKind::Invalid, "include: name at least one file");
    if (!storage.empty())
      return fail(ErrorKind::Invalid, "storage: how far was read cannot be kept yet");
    return {};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("include", &Config::include, "Patterns of files, as a shell has them."),
    config::field("exclude", &Config::exclude, "Patterns of files that are left out."),
    config::field("start_at", &Config::start_at,
                  "Where files that are there at the start are begun.",
                  {.choices = "beginning|end"}),
    config::field("poll_interval", &Config::poll_interval, "How often files are looked at.",
                  {.min = 0.001}),
    config::field("max_log_size", &Config::max_log_size,
                  "A longer line is passed over and counted.", {.min = 1, .unit = "By"}),
    config::field("max_concurrent_files", &Config::max_concurrent_files,
                  "How many files are open at most.", {.min = 1}),
    config::field("replay_file", &Config::replay_file,
                  "Whether a file that was read to its end is read again, for ever."),
    config::field("storage", &Config::storage, "Keeps how far was read: refused for now."));

std::set<std::string> expand(const std::vector<std::string>& patterns) {
  std::set<std::string> out;
  for (const std::string& pattern : patterns) {
    glob_t found{};
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
      out.insert(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
  }
  return out;
}

std::optional<Signal> signal_of(std::string_view line) {
  // The key stands at the front but for what other writers put before it.
  const std::string_view head = line.substr(0, 256);
  if (head.find("\"resourceSpans\"") != head.npos) return Signal::Traces;
  if (head.find("\"resourceMetrics\"") != head.npos) return Signal::Metrics;
  if (head.find("\"resourceLogs\"") != head.npos) return Signal::Logs;
  return std::nullopt;
}

struct File {
  explicit File(int descriptor) : fd(descriptor) {}
  ~File() { ::close(fd); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const int fd;
  std::string path;
  off_t offset = 0;
  std::string buffer;      // What was read and not yet sent.
  bool under_way = false;  // A line was sent and not yet taken.
  bool skipping = false;   // Within a line that is too long.
  bool gone = false;       // No pattern finds it any more.
};

// Outlives the receiver while lines are under way.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(Config config, std::string_view id, pipeline::Outputs outputs)
      : config_(std::move(config)), id_(id), outputs_(std::move(outputs)) {}

  // `waits`: until take_over().
  void start(Scheduler& scheduler, bool waits) {
    scheduler_ = &scheduler;
    if (!waits) poll(config_.start_at == "beginning");
  }
  // Goes on where the other one is in its files; lines that are under way are this one's to try
  // again.
  void take_over(Reader& old) {
    old.stop();
    old.successor_ = weak_from_this();
    files_ = old.files_;
    poll(config_.start_at == "beginning");
  }
  void stop() {
    stopped_ = true;
    if (scheduler_) scheduler_->cancel(timer_);
  }
  bool drained() const { return under_way_ == 0; }

 private:
  using Key = std::pair<uint64_t, uint64_t>;  // Device and inode: names change.

  void poll(bool from_beginning) {
    find(from_beginning);
    const auto files = files_;
    for (const auto& [key, file] : files) read(file);
    // What has no name any more and was read to its end. Half a line that nobody finished is
    // counted.
    std::erase_if(files_, [this](const auto& entry) {
      const File& file = *entry.second;
      if (!file.gone || file.under_way) return false;
      if (!file.buffer.empty()) refuse(file, "it went away within a line");
      return true;
    });
    timer_ = scheduler_->after(config_.poll_interval, [self = weak_from_this()] {
      if (const auto reader = self.lock(); reader && !reader->stopped_) reader->poll(true);
    });
  }

  void find(bool from_beginning) {
    std::set<std::string> paths = expand(config_.include);
    for (const std::string& path : expand(config_.exclude)) paths.erase(path);
    for (auto& [key, file] : files_) file->gone = true;
    for (const std::string& path : paths) {
      struct stat status{};
      if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      const Key key{status.st_dev, status.st_ino};
      if (const auto known = files_.find(key); known != files_.end()) {
        known->second->gone = false;
        continue;
      }
      if (files_.size() >= config_.max_concurrent_files) continue;
      const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) {
        if (unreadable_.insert(path).second) log_warn("{}: {} cannot be opened", id_, path);
        continue;
      }
      unreadable_.erase(path);
      auto file = std::make_shared<File>(fd);
      file->path = path;
      file->offset = from_beginning ? 0 : status.st_size;
      files_.emplace(key, std::move(file));
    }
  }

  // Sends the next line, or returns to be called by the next poll.
  void read(const std::shared_ptr<File>& file) {
    while (!file->under_way && !stopped_) {
      const size_t end = file->buffer.find('\n');
      if (end == std::string::npos) {
        if (file->buffer.size() > config_.max_log_size) {
          file->skipping = true;
          file->buffer.clear();
        }
        if (!fill(*file)) return;
        continue;
      }
      std::string line = file->buffer.substr(0, end);
      file->buffer.erase(0, end + 1);
      if (std::exchange(file->skipping, false) || line.size() > config_.max_log_size) {
        refuse(*file, "a line is longer than max_log_size");
      } else if (line.find_first_not_of(" \t\r") != std::string::npos) {
        take(file, line);
      }
    }
  }

  // False where there is nothing more for now.
  bool fill(File& file) {
    struct stat status{};
    if (::fstat(file.fd, &status) == 0 && status.st_size < file.offset) {
      log_info("{}: {} was begun anew", id_, file.path);
      file.offset = 0;
      file.buffer.clear();
      file.skipping = false;
    }
    const size_t before = file.buffer.size();
    file.buffer.resize(before + kReadSize);
    const ssize_t got = ::pread(file.fd, file.buffer.data() + before, kReadSize, file.offset);
    file.buffer.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got <= 0) {
      if (config_.replay_file && file.offset > 0 && before == 0) file.offset = 0;
      return false;
    }
    file.offset += got;
    return true;
  }

  void take(const std::shared_ptr<File>& file, const std::string& line) {
    const auto signal = signal_of(line);
    if (!signal) return refuse(*file, "a line is no OTLP request");
    if (!outputs_.of(*signal)) return;
    auto chunk = wire::otlp_from_json(*signal, wire::OtlpBody::Request, line, SIZE_MAX / 2);
    if (!chunk) return refuse(*file, chunk.error().message);
    Batch batch(*signal, {std::move(*chunk)});
    pipeline::count_accepted(id_, "file", batch);
    send(file, *signal, std::move(batch.chunks), batch.items());
  }

  void send(const std::shared_ptr<File>& file, Signal signal, std::vector<Bytes> chunks,
            size_t items) {
    file->under_way = true;
    ++under_way_;
    Batch batch(signal, chunks);
    batch.set_items(items);
    batch.ack = Ack::make(scheduler_, [self = shared_from_this(), file, signal, items,
                                       kept = std::move(chunks)](const Outcome& outcome) mutable {
      self->done(file, signal, std::move(kept), items, outcome);
    });
    outputs_.send(std::move(batch));
  }

  void done(const std::shared_ptr<File>& file, Signal signal, std::vector<Bytes> chunks,
            size_t items, const Outcome& outcome) {
    --under_way_;
    const auto reader = current();
    const ErrorKind kind = outcome.error.kind;
    const bool again = outcome.kind == Outcome::Failed && !reader->stopped_ &&
                       (kind == ErrorKind::Unavailable || kind == ErrorKind::Exhausted);
    if (again) {
      // It stays under way, so that the file waits.
      const Duration pause = std::max<Duration>(outcome.error.retry_after, kRetryAfter);
      scheduler_->after(pause, [reader, file, signal, items, kept = std::move(chunks)]() mutable {
        const auto now = reader->current();
        if (!now->stopped_) now->send(file, signal, std::move(kept), items);
      });
      return;
    }
    if (outcome.kind == Outcome::Failed) {
      log_warn("{}: {} items of {} are lost: {}", id_, items, file->path, outcome.error.message);
      pipeline::dropped_counter(id_, signal, "refused").add(items);
    }
    file->under_way = false;
    reader->read(file);
  }

  // Whoever reads the files now.
  std::shared_ptr<Reader> current() {
    auto reader = shared_from_this();
    while (auto next = reader->successor_.lock()) reader = std::move(next);
    return reader;
  }

  void refuse(const File& file, std::string_view why) {
    counter("sonde_otlpjsonfile_refused_lines_total", "Lines that were passed over.",
            {{"receiver", id_}})
        .add();
    log_warn("{}: {}: {}", id_, file.path, why);
  }

  const Config config_;
  const std::string id_;
  const pipeline::Outputs outputs_;
  Scheduler* scheduler_ = nullptr;
  TimerId timer_ = 0;
  std::map<Key, std::shared_ptr<File>> files_;
  std::set<std::string> unreadable_;
  size_t under_way_ = 0;
  bool stopped_ = false;
  std::weak_ptr<Reader> successor_;
};

class OtlpJsonFile final : public pipeline::Component {
 public:
  OtlpJsonFile(Config config, std::string_view id, pipeline::Outputs outputs)
      : reader_(std::make_shared<Reader>(std::move(config), id, std::move(outputs))) {}
  Result<> start(pipeline::Host& host) override {
    reader_->start(host.scheduler(), dynamic_cast<OtlpJsonFile*>(host.predecessor()) != nullptr);
    return {};
  }
  void take_over(Component& old) override {
    reader_->take_over(*dynamic_cast<OtlpJsonFile&>(old).reader_);
  }
  void stop() override { reader_->stop(); }
  bool drained() const override { return reader_->drained(); }

 private:
  const std::shared_ptr<Reader> reader_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(receiver, otlpjsonfile) {
  using namespace sonde;
  return pipeline::make_type<OtlpJsonFile, Config>(
      {.kind = pipeline::Kind::Receiver,
       .name = "otlpjsonfile",
       .aliases = {"otlp_json_file"},
       .summary = "Reads files of OTLP as lines of JSON.",
       .out = pipeline::kAllSignals,
       .stability = "alpha"},
      kFields.table());
}
