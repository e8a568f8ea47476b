// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <fmt/core.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <cstring>

#include "net/internal/loop_impl.h"

namespace sonde::net {

// Holds a duplicate of the caller's descriptor, so that the order of closing cannot hurt epoll.
struct Watch : std::enable_shared_from_this<Watch> {
  Watch(asio::io_context& io, std::move_only_function<void()> callback)
      : descriptor(io), fn(std::move(callback)) {}
  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](error_code error) {
                            if (error || self->ended) return;
                            self->fn();
                            if (!self->ended) self->wait();
                          });
  }
  asio::posix::stream_descriptor descriptor;
  std::move_only_function<void()> fn;
  bool ended = false;
};

struct SignalWatch : std::enable_shared_from_this<SignalWatch> {
  SignalWatch(asio::io_context& io, std::move_only_function<void()> callback)
      : set(io), fn(std::move(callback)) {}
  void wait() {
    set.async_wait([self = shared_from_this()](error_code error, int) {
      if (error) return;
      self->fn();
      self->wait();
    });
  }
  asio::signal_set set;
  std::move_only_function<void()> fn;
};

Loop::Impl::Impl() = default;
Loop::Impl::~Impl() = default;

void Loop::Impl::fire() {
  // Only what was due on entry: a callback that schedules itself at once must not starve sockets.
  const int64_t now = clock.monotonic_ns();
  const TimerId limit = next_timer;
  armed_for = INT64_MAX;
  while (!timers.empty()) {
    auto first = timers.begin();
    if (first->first.first > now || first->first.second >= limit) break;
    auto fn = std::move(first->second);
    due.erase(first->first.second);
    timers.erase(first);
    fn();
    if (stop_asked) break;
  }
  arm();
}

void Loop::Impl::arm() {
  if (timers.empty()) return;
  const int64_t next = timers.begin()->first.first;
  if (next >= armed_for) return;
  armed_for = next;
  const int64_t wait = std::max<int64_t>(0, next - clock.monotonic_ns());
  timer.expires_after(Duration(wait));  // cancels the wait before it
  timer.async_wait([this](error_code error) {
    if (!error) fire();
  });
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() {
  for (auto& [id, watch] : impl_->watches) watch->ended = true;
}

void Loop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->work.emplace(impl_->io.get_executor());
  impl_->io.restart();
  if (!impl_->stop_asked) impl_->io.run();
  impl_->stop_asked = false;
  impl_->work.reset();
  impl_->thread = std::thread::id();
}

bool Loop::run_for(Duration limit) {
  impl_->thread = std::this_thread::get_id();
  impl_->work.emplace(impl_->io.get_executor());
  impl_->io.restart();
  if (!impl_->stop_asked) impl_->io.run_for(limit);
  const bool stopped = impl_->stop_asked.exchange(false);
  impl_->work.reset();
  impl_->thread = std::thread::id();
  return stopped;
}

size_t Loop::poll() {
  impl_->thread = std::this_thread::get_id();
  impl_->io.restart();
  const size_t ran = impl_->io.poll();
  impl_->thread = std::thread::id();
  return ran;
}

void Loop::stop() {
  impl_->stop_asked = true;
  impl_->io.stop();
}

bool Loop::in_loop_thread() const { return impl_->thread.load() == std::this_thread::get_id(); }

void Loop::post(std::move_only_function<void()> fn) {
  asio::post(impl_->io, [fn = std::move(fn)]() mutable { fn(); });
}

TimerId Loop::after(Duration delay, std::move_only_function<void()> fn) {
  const TimerId id = impl_->next_timer++;
  const int64_t now = impl_->clock.monotonic_ns();
  const int64_t wait = std::max<int64_t>(0, delay.count());
  const int64_t due = wait > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + wait;
  impl_->timers.emplace(std::pair(due, id), std::move(fn));
  impl_->due.emplace(id, due);
  impl_->arm();
  return id;
}

void Loop::cancel(TimerId id) {
  const auto found = impl_->due.find(id);
  if (found == impl_->due.end()) return;
  impl_->timers.erase({found->second, id});
  impl_->due.erase(found);
}

const Clock& Loop::clock() const { return impl_->clock; }

Result<Loop::WatchId> Loop::watch_readable(int fd, std::move_only_function<void()> fn) {
  const int own = ::dup(fd);
  if (own < 0) {
    return fail(ErrorKind::Invalid,
                fmt::format("cannot watch descriptor {}: {}", fd, std::strerror(errno)));
  }
  auto watch = std::make_shared<Watch>(impl_->io, std::move(fn));
  error_code error;
  watch->descriptor.assign(own, error);
  if (error) {
    ::close(own);
    return fail(ErrorKind::Invalid,
                fmt::format("cannot watch descriptor {}: {}", fd, error.message()));
  }
  const WatchId id = impl_->next_watch++;
  impl_->watches.emplace(id, watch);
  watch->wait();
  return id;
}

void Loop::unwatch(WatchId id) {
  const auto found = impl_->watches.find(id);
  if (found == impl_->watches.end()) return;
  found->second->ended = true;
  error_code ignored;
  found->second->descriptor.close(ignored);
  impl_->watches.erase(found);
}

Result<> Loop::on_signal(int signal_number, std::move_only_function<void()> fn) {
  auto watch = std::make_shared<SignalWatch>(impl_->io, std::move(fn));
  error_code error;
  watch->set.add(signal_number, error);
  if (error) {
    return fail(ErrorKind::Invalid,
                fmt::format("cannot handle signal {}: {}", signal_number, error.message()));
  }
  impl_->signals.push_back(watch);
  watch->wait();
  return {};
}

}  // namespace sonde::net
