// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/sending_queue.h"

#include "pipeline/queue/queue_journal.h"
#include "pipeline/queue/send_status.h"
#include "pipeline/queue/signal_queue.h"

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
      status_(std::make_shared<SendStatus>()) {
  for (auto& room : rooms_) room = std::make_shared<QueueRoom>(id_, settings_.queue);
}

SendingQueue::~SendingQueue() {
  status_->report_to(nullptr);
  for (const Signal signal : kSignals) {
    if (queues_[signal] && !given_[signal]) queues_[signal]->abandon();
  }
}

Result<> SendingQueue::restore(Host& host, SendingQueue* predecessor) {
  predecessor_ = predecessor;
  status_->report_to(&host);
  shown_.start(scheduler_, kShownEvery, [this] {
    for (auto& queue : queues_) {
      if (queue) queue->show_waiting();
    }
  });
  const QueueSettings& queue = settings_.queue;
  if (!queue.enabled || queue.storage.empty()) return {};
  storage_ = dynamic_cast<Storage*>(host.extension(queue.storage));
  if (!storage_) {
    return fail(ErrorKind::NotFound, "sending_queue::storage: there is no storage extension \"" +
                                         queue.storage +
                                         "\" running; add it to service::extensions");
  }
  for (const Signal signal : kSignals) {
    auto opened = open(signal);
    if (!opened) return std::unexpected(at("sending_queue::storage", opened.error()));
  }
  return {};
}

Result<> SendingQueue::open(Signal signal) {
  const auto held = predecessor_ ? predecessor_->queues_[signal] : nullptr;
  if (held && held->journal() &&
      held->journal()->directory() == TRY(QueueJournal::directory_of(*storage_, id_, signal))) {
    return {};
  }
  auto journal = TRY(QueueJournal::open(*storage_, id_, signal, scheduler_));
  if (predecessor_) {
    journals_[signal] = std::move(journal);
  } else {
    of(signal).restore(std::move(journal));
  }
  return {};
}

void SendingQueue::take_over() {
  SendingQueue* const old = std::exchange(predecessor_, nullptr);
  if (!old) return;
  for (const Signal signal : kSignals) {
    auto& held = old->queues_[signal];
    // Its own journal was opened in restore(), or it has the same one.
    const bool elsewhere = held && held->journal() && (!storage_ || journals_[signal]);
    if (elsewhere) {
      if (journals_[signal]) of(signal).restore(std::move(journals_[signal]));
      continue;
    }
    old->of(signal);
    if (held->journal()) held->journal()->adjust(*storage_);
    queues_[signal] = held;
    old->given_[signal] = true;
    held->become(settings_of(signal), send_, status_, std::move(journals_[signal]), rooms_[signal]);
  }
}

SendingSettings SendingQueue::settings_of(Signal signal) const {
  SendingSettings settings = settings_;
  if (!can_be_joined(signal)) settings.queue.batch.reset();
  return settings;
}

SignalQueue& SendingQueue::of(Signal signal) {
  auto& queue = queues_[signal];
  if (!queue) {
    queue = std::make_shared<SignalQueue>(scheduler_, id_, signal, settings_of(signal), send_,
                                          status_, rooms_[signal]);
    if (stopping_) queue->stop();
  }
  return *queue;
}

void SendingQueue::consume(Batch batch) {
  if (predecessor_) return predecessor_->consume(std::move(batch));
  of(batch.signal).consume(std::move(batch));
}

void SendingQueue::gates(Signal signal, Gates& out) const {
  if (settings_.queue.enabled) out.push_back(rooms_[signal]);
}

void SendingQueue::stop() {
  stopping_ = true;
  for (const Signal signal : kSignals) {
    if (queues_[signal] && !given_[signal]) queues_[signal]->stop();
  }
}

bool SendingQueue::drained() const {
  for (const Signal signal : kSignals) {
    const auto& queue = queues_[signal];
    if (!queue) continue;
    if (given_[signal] ? queue->sending_with(send_.get()) > 0 : !queue->drained()) return false;
  }
  return true;
}

size_t SendingQueue::size() const {
  size_t total = 0;
  for (const auto& queue : queues_) total += queue ? queue->size() : 0;
  return total;
}

}  // namespace sonde::pipeline
