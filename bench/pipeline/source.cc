// SPDX-License-Identifier: Apache-2.0
#include "source.h"

#include <algorithm>
#include <utility>

namespace sonde::bench {
namespace {

std::string_view path_of(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case Signal::Metrics:
      return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    case Signal::Logs:
      return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    case Signal::Profiles:
      break;
  }
  return "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";
}

}  // namespace

Source::Source(net::Loop& loop, const DataSet& data, SourceOptions options)
    : loop_(loop),
      data_(data),
      options_(std::move(options)),
      path_(path_of(data.signal)),
      due_(data.bodies.size()) {
  for (int i = 0; i < options_.connections; ++i) {
    clients_.push_back(
        std::make_unique<net::GrpcClient>(loop_, options_.target, std::chrono::seconds(60)));
  }
}

Source::~Source() {
  alive_.reset();
  loop_.cancel(timer_);
}

void Source::start() {
  running_ = true;
  next_due_ns_ = loop_.clock().monotonic_ns();
  pump();
}

void Source::delivered(uint64_t items) {
  delivered_ = items;
  if (options_.rate <= 0) pump_soon();
}

void Source::arrived(uint64_t number) {
  if (number >= due_.size() || due_[number].empty()) return;
  delivery_.push_back(loop_.clock().monotonic_ns() - due_[number].front());
  due_[number].erase(due_[number].begin());
}

bool Source::settled() const {
  return count_.unanswered == 0 && delivered_ - forgotten_ + count_.refused >= count_.sent;
}

void Source::forget() {
  forgotten_ = delivered_;
  count_ = {};
  delivery_.clear();
  answers_.clear();
  for (auto& times : due_) times.clear();
}

// Several answers and deliveries of one turn of the loop fill the window once.
void Source::pump_soon() {
  if (!running_ || std::exchange(pump_posted_, true)) return;
  loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    pump_posted_ = false;
    pump();
  });
}

void Source::pump() {
  if (!running_) return;
  const int64_t now = loop_.clock().monotonic_ns();
  if (options_.rate > 0) {
    const auto interval = static_cast<int64_t>(data_.items * 1e9 / options_.rate);
    while (next_due_ns_ <= now) {
      send(next_due_ns_);
      next_due_ns_ += interval;
    }
    timer_ = loop_.after(Duration(next_due_ns_ - now), [this] { pump(); });
    return;
  }
  const uint64_t window = options_.window * data_.items;
  while (count_.sent + data_.items <= delivered_ - forgotten_ + count_.refused + window) {
    send(now);
  }
}

void Source::send(int64_t due_ns) {
  const uint64_t number = next_++ % data_.bodies.size();
  count_.sent += data_.items;
  count_.requests++;
  count_.unanswered++;
  due_[number].push_back(due_ns);
  net::GrpcClient& client = *clients_[count_.requests % clients_.size()];
  client.unary(
      path_, data_.bodies[number],
      [this, due_ns, number, alive = std::weak_ptr<int>(alive_)](Result<std::string> answer) {
        if (alive.expired()) return;
        count_.unanswered--;
        answers_.push_back(loop_.clock().monotonic_ns() - due_ns);
        if (answer) return;
        if (count_.refused == 0) count_.first_error = answer.error().message;
        count_.refused += data_.items;
        auto& times = due_[number];
        if (const auto at = std::ranges::find(times, due_ns); at != times.end()) times.erase(at);
        if (options_.rate <= 0) pump_soon();
      },
      data_.gzip ? "gzip" : "");
}

}  // namespace sonde::bench
