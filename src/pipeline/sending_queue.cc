// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sending_queue.h"

#include "pipeline/queue_journal.h"
#include "pipeline/send_status.h"
#include "pipeline/signal_queue.h"

namespace sonde::pipeline {
namespace {

constexpr Duration kShownEvery = std::chrono::seconds(5);

}  // namespace

SendingQueue::SendingQueue(Scheduler& scheduler, std::string_view id,
                           const SendingSettings& settings, Send send)
    : scheduler_(scheduler),
      id_(id),
      settings_(settings),
      send_(std::make_shared<Send>(std::move(send))),
      status_(std::make_shared<SendStatus>()) {}

SendingQueue::~SendingQueue() {
  status_->report_to(nullptr);
  for (auto& queue : queues_) {
    if (queue) queue->abandon();
  }
}

Result<> SendingQueue::restore(Host& host) {
  status_->report_to(&host);
  shown_.start(scheduler_, kShownEvery, [this] {
    for (auto& queue : queues_) {
      if (queue) queue->show_waiting();
    }
  });
  const QueueSettings& queue = settings_.queue;
  if (!queue.enabled || queue.storage.empty()) return {};
  auto* storage = dynamic_cast<Storage*>(host.extension(queue.storage));
  if (!storage) {
    return fail(ErrorKind::NotFound, "sending_queue::storage: there is no storage extension \"" +
                                         queue.storage +
                                         "\" running; add it to service::extensions");
  }
  for (const Signal signal : {Signal::Traces, Signal::Metrics, Signal::Logs}) {
    auto journal = QueueJournal::open(*storage, id_, signal, scheduler_);
    if (!journal) return std::unexpected(at("sending_queue::storage", journal.error()));
    of(signal).restore(std::move(*journal));
  }
  return {};
}

SignalQueue& SendingQueue::of(Signal signal) {
  auto& queue = queues_[static_cast<size_t>(signal)];
  if (!queue) {
    queue = std::make_shared<SignalQueue>(scheduler_, id_, signal, settings_, send_, status_);
    if (stopping_) queue->stop();
  }
  return *queue;
}

void SendingQueue::consume(Batch batch) { of(batch.signal).consume(std::move(batch)); }

void SendingQueue::stop() {
  stopping_ = true;
  for (auto& queue : queues_) {
    if (queue) queue->stop();
  }
}

bool SendingQueue::drained() const {
  return std::ranges::all_of(queues_, [](const auto& q) { return !q || q->drained(); });
}

size_t SendingQueue::size() const {
  size_t total = 0;
  for (const auto& queue : queues_) total += queue ? queue->size() : 0;
  return total;
}

}  // namespace sonde::pipeline
