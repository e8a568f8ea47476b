// SPDX-License-Identifier: Apache-2.0
#include "net/internal/name_lookup.h"

#include <fmt/format.h>
#include <netdb.h>

#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

using Found = Result<std::vector<Tcp::endpoint>>;  // With port 0.
constexpr size_t kMostThreads = 32;                // Further names wait for one of them.

Found look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, [](addrinfo* all) {
    if (all != nullptr) ::freeaddrinfo(all);
  });
  const auto failed = [&](std::string_view why) {
    return fail(ErrorKind::Unavailable, fmt::format("cannot find host \"{}\": {}", host, why));
  };
  if (error != 0) return failed(error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error));
  std::vector<Tcp::endpoint> out;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    Tcp::endpoint endpoint;
    if (at->ai_addrlen > endpoint.capacity()) continue;
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
    endpoint.resize(at->ai_addrlen);
    out.push_back(endpoint);
  }
  if (out.empty()) return failed("it has no address");
  return out;
}

}  // namespace

struct NameLookup::Asked {
  std::mutex mutex;
  Loop* loop = nullptr;  // None once nobody waits any more.
  std::weak_ptr<asio::steady_timer> woken;
  std::optional<Found> found;

  void answer(const Found& with) {
    const std::lock_guard lock(mutex);
    if (loop == nullptr) return;
    found = with;
    loop->post([weak = woken] {
      if (const auto timer = weak.lock()) timer->cancel();
    });
  }
};

namespace {

// Who asks for what. Outlives every thread of its own: none of them is waited for.
class Desk {
 public:
  using Asked = std::shared_ptr<NameLookup::Asked>;

  static Desk& process() {
    static Desk* const desk = new Desk;
    return *desk;
  }

  void ask(const std::string& host, Asked asked) {
    const std::lock_guard lock(mutex_);
    auto& all = asked_[host];
    all.push_back(std::move(asked));
    if (all.size() > 1) return;
    waiting_.push_back(host);
    if (threads_ == kMostThreads) return;
    try {
      std::thread([this] { work(); }).detach();
      ++threads_;
    } catch (const std::system_error& error) {
      if (threads_ > 0) return;
      waiting_.pop_back();
      const auto nobody = asked_.extract(host);
      for (const Asked& each : nobody.mapped()) {
        each->answer(fail(ErrorKind::Unavailable, fmt::format("cannot find host \"{}\": {}", host,
                                                              error.code().message())));
      }
    }
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) {
      const std::string host = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      const Found found = look_up(host);
      lock.lock();
      const auto answered = asked_.extract(host);
      lock.unlock();
      for (const Asked& each : answered.mapped()) each->answer(found);
      lock.lock();
    }
    --threads_;
  }

  std::mutex mutex_;
  std::map<std::string, std::vector<Asked>> asked_;
  std::deque<std::string> waiting_;  // Names that no thread has taken.
  size_t threads_ = 0;
};

}  // namespace

NameLookup::NameLookup(Loop& loop)
    : loop_(loop), woken_(std::make_shared<asio::steady_timer>(loop.impl().io)) {}

NameLookup::~NameLookup() { cancel(); }

void NameLookup::cancel() {
  if (!asked_) return;
  {
    const std::lock_guard lock(asked_->mutex);
    asked_->loop = nullptr;
  }
  woken_->cancel();
}

asio::awaitable<Result<std::vector<Tcp::endpoint>>> NameLookup::find(std::string host,
                                                                     uint16_t port) {
  const auto asked = asked_ = std::make_shared<Asked>();
  asked->loop = &loop_;
  asked->woken = woken_;
  woken_->expires_at(asio::steady_timer::time_point::max());
  Desk::process().ask(host, asked);
  // The answer is posted to this thread, so that it does not come before it is waited for.
  co_await woken_->async_wait(kAwait);
  const std::lock_guard lock(asked->mutex);
  if (!asked->found || asked->loop == nullptr) {
    co_return fail(ErrorKind::Unavailable,
                   fmt::format("cannot find host \"{}\": no answer in time", host));
  }
  if (!*asked->found) co_return std::unexpected(asked->found->error());
  auto found = **asked->found;
  for (Tcp::endpoint& endpoint : found) endpoint.port(port);
  co_return found;
}

}  // namespace sonde::net
