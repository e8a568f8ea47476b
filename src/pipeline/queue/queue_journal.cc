// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/queue_journal.h"

#include <utility>

#include "base/counters.h"
#include "base/log.h"
#include "pipeline/queue/disk_thread.h"
#include "pipeline/queue/queued_batch.h"

namespace sonde::pipeline {
namespace {

// Each segment keeps its descriptor until it is synced, so that a long interval is cut short.
constexpr size_t kMostUnsynced = 8;

bool will_sync(const Storage& storage) {
  return storage.fsync() || storage.fsync_interval() > Duration{};
}

}  // namespace

struct QueueJournal::Impl : std::enable_shared_from_this<Impl> {
  Impl(Scheduler& on, std::string_view id, Signal of, Duration every)
      : scheduler(on), exporter(id), signal(of), interval(every) {}

  void report_recovery() {
    const LogRecovery& found = log->recovery();
    if (found.unfinished > 0) {
      log_info("{}: {} batches of {} are on disk from before and will be sent", exporter,
               found.unfinished, to_string(signal));
    }
    if (found.torn_bytes > 0) {
      log_info("{}: cut {} bytes that were being written at the end, and were not acknowledged",
               exporter, found.torn_bytes);
    }
    if (found.damages == 0) return;
    log_error("{}: {} places of the queue on disk are damaged; {} bytes of {} are lost", exporter,
              found.damages, found.damaged_bytes, to_string(signal));
    counter("sonde_queue_damaged_bytes_total", "Bytes of queues on disk that were damaged.",
            {{"exporter", exporter}, {"data_type", std::string(to_string(signal))}})
        .add(found.damaged_bytes);
  }

  // Starts to wait for the disk, unless it is being waited for.
  void kick() {
    if (running || (next.empty() && !due)) return;
    current = std::exchange(next, {});
    run();
  }

  void run() {
    running = true;
    due = false;
    if (!disk) {
      disk = std::make_unique<DiskThread>(
          [weak = weak_from_this(), on = &scheduler, into = last](Result<> result) {
            *into = std::move(result);
            on->post([weak, into] {
              if (auto self = weak.lock()) self->synced(*into);
            });
          });
    }
    disk->start(log->sync());
  }

  void synced(const Result<>& result) {
    running = false;
    answer(std::exchange(current, {}), result);
    kick();
  }

  void answer(std::vector<Ack> waiting, const Result<>& result) {
    if (result) {
      for (Ack& ack : waiting) ack.deliver();
      return;
    }
    // What the files hold is unknown now, so nothing more is written to them. The batches stay in
    // the queue; who sent them is told the truth and may send them again.
    log->begin_segment();
    log_error("{}: {}", exporter, result.error().message);
    for (Ack& ack : waiting) {
      ack.fail({ErrorKind::Unavailable, exporter + ": " + result.error().message, {}});
    }
  }

  // What runs already may have begun before the last append.
  void sync_soon() {
    due = true;
    kick();
  }

  // For a storage that does not make everybody wait for the disk, but wants it now and then.
  void arm() {
    if (interval <= Duration{}) return;
    if (log->unsynced() >= kMostUnsynced) sync_soon();
    if (timer != 0) return;
    timer = scheduler.after(interval, [weak = weak_from_this()] {
      if (auto self = weak.lock()) {
        self->timer = 0;
        self->sync_soon();
      }
    });
  }

  void close() {
    scheduler.cancel(timer);
    disk.reset();  // Ends what it waits for; that finds nobody to tell but `last`.
    if (running) answer(std::exchange(current, {}), *last);
    if (!next.empty() || interval > Duration{}) answer(std::exchange(next, {}), log->sync().run());
  }

  Scheduler& scheduler;
  const std::string exporter;
  const Signal signal;
  Duration interval;
  std::filesystem::path directory;
  bool fsync = false;
  std::unique_ptr<SegmentLog> log;
  std::unique_ptr<DiskThread> disk;
  bool running = false;
  // Of the disk's thread; read when that says so, or has ended.
  const std::shared_ptr<Result<>> last = std::make_shared<Result<>>();
  bool due = false;          // A sync that nobody waits for.
  std::vector<Ack> current;  // Of the sync that runs.
  std::vector<Ack> next;
  TimerId timer = 0;
};

Result<std::unique_ptr<QueueJournal>> QueueJournal::open(Storage& storage,
                                                         std::string_view exporter, Signal signal,
                                                         Scheduler& scheduler) {
  const auto directory = TRY(directory_of(storage, exporter, signal));
  auto impl = std::make_shared<Impl>(scheduler, exporter, signal, storage.fsync_interval());
  impl->directory = directory;
  impl->fsync = storage.fsync();
  impl->log = TRY(SegmentLog::open(directory, {.max_bytes = storage.max_bytes(),
                                               .collect_unsynced = will_sync(storage),
                                               .lock_timeout = storage.lock_timeout()}));
  impl->report_recovery();
  return std::unique_ptr<QueueJournal>(new QueueJournal(std::move(impl)));
}

Result<std::filesystem::path> QueueJournal::directory_of(Storage& storage,
                                                         std::string_view exporter, Signal signal) {
  return storage.directory_for("exporter", exporter, to_string(signal));
}

const std::filesystem::path& QueueJournal::directory() const { return impl_->directory; }

void QueueJournal::adjust(const Storage& storage) {
  if (impl_->interval != storage.fsync_interval() && impl_->timer != 0) {
    impl_->scheduler.cancel(std::exchange(impl_->timer, 0));
    impl_->sync_soon();
  }
  impl_->interval = storage.fsync_interval();
  impl_->log->limit(storage.max_bytes());
  impl_->log->collect_unsynced(will_sync(storage));
  // Whoever waits for the disk by the rule of before is still answered by it.
  impl_->fsync = storage.fsync();
}

QueueJournal::QueueJournal(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
QueueJournal::~QueueJournal() { impl_->close(); }

std::vector<LogEntry> QueueJournal::take_unfinished() { return impl_->log->take_unfinished(); }

Result<LogPosition> QueueJournal::append(const Batch& batch) {
  const std::string head = encode_queued_head(batch);
  std::vector<std::string_view> parts;
  parts.reserve(batch.chunks.size() + 1);
  parts.push_back(head);
  for (const Bytes& chunk : batch.chunks) parts.push_back(chunk.view());
  const LogPosition place = TRY(impl_->log->append(parts));
  impl_->arm();
  return place;
}

void QueueJournal::acknowledge(Ack ack) {
  if (!impl_->fsync) return ack.deliver();
  impl_->next.push_back(std::move(ack));
  impl_->kick();
}

Result<Batch> QueueJournal::load(LogPosition place) const {
  return decode_queued(impl_->signal, TRY(impl_->log->read(place)));
}

void QueueJournal::finish(LogPosition place) { impl_->log->finish(place); }
bool QueueJournal::settled() const {
  return !impl_->running && impl_->next.empty() && impl_->current.empty();
}

}  // namespace sonde::pipeline
