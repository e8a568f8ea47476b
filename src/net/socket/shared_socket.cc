// SPDX-License-Identifier: Apache-2.0
#include "net/internal/shared_socket.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <ranges>
#include <utility>

#include "net/socket/listen_scope.h"

namespace sonde::net {
namespace {

thread_local const ListenScope* current_scope = nullptr;

struct Sockets {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<SharedSocket>, std::less<>> by_name;
};

Sockets& sockets() {
  static Sockets* const all = new Sockets;  // Outlives every thread that may listen.
  return *all;
}

}  // namespace

ListenScope::ListenScope(const void* owner)
    : outer_(current_scope), owner_(owner), leaving_(outer_ ? outer_->leaving_ : nullptr) {
  current_scope = this;
}
ListenScope::ListenScope(const std::set<const void*>& leaving)
    : outer_(current_scope), leaving_(&leaving) {
  current_scope = this;
}
ListenScope::~ListenScope() { current_scope = outer_; }

const void* ListenScope::owner() { return current_scope ? current_scope->owner_ : nullptr; }
bool ListenScope::may_share_with(const void* owner) {
  return owner && current_scope && current_scope->leaving_ &&
         current_scope->leaving_->contains(owner);
}

SharedSocket::SharedSocket(std::string name, int descriptor, std::string unix_path)
    : name_(std::move(name)),
      descriptor_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)),
      unix_path_(std::move(unix_path)) {}

SharedSocket::~SharedSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

std::shared_ptr<SharedSocket> SharedSocket::make(std::string name, int descriptor,
                                                 std::string unix_path) {
  auto made = std::shared_ptr<SharedSocket>(
      new SharedSocket(std::move(name), descriptor, std::move(unix_path)));
  Sockets& all = sockets();
  const std::lock_guard lock(all.mutex);
  std::erase_if(all.by_name, [](const auto& entry) { return entry.second.expired(); });
  all.by_name.insert_or_assign(made->name_, made);
  return made;
}

std::shared_ptr<SharedSocket> SharedSocket::find(std::string_view name) {
  Sockets& all = sockets();
  const std::lock_guard lock(all.mutex);
  const auto at = all.by_name.find(name);
  if (at == all.by_name.end()) return nullptr;
  auto found = at->second.lock();
  // One that joined in this very change has an owner that is not leaving: two new servers do not
  // share.
  if (!found || found->seats_.empty() || !std::ranges::all_of(found->seats_, [](const Seat& s) {
        return ListenScope::may_share_with(s.owner);
      })) {
    return nullptr;
  }
  return found;
}

int SharedSocket::duplicate() const { return ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0); }

void SharedSocket::join(Listener::Impl& listener, Loop& loop) {
  const std::lock_guard lock(sockets().mutex);
  seats_.push_back({&listener, &loop, ListenScope::owner(), {}, nullptr});
}

void SharedSocket::leave(const Listener::Impl& listener) {
  const std::lock_guard lock(sockets().mutex);
  std::erase_if(seats_, [&](const Seat& seat) { return seat.listener == &listener; });
}

void SharedSocket::offer(const Listener::Impl& listener, std::weak_ptr<void> server,
                         const std::type_info& kind) {
  const std::lock_guard lock(sockets().mutex);
  for (Seat& seat : seats_) {
    if (seat.listener != &listener) continue;
    seat.server = std::move(server);
    seat.kind = &kind;
    return;
  }
}

std::shared_ptr<void> SharedSocket::successor(const Listener::Impl& listener, const Loop& loop,
                                              const std::type_info& kind) const {
  const std::lock_guard lock(sockets().mutex);
  for (const Seat& seat : std::views::reverse(seats_)) {
    if (seat.listener == &listener) return nullptr;  // Those before it are older.
    if (seat.loop == &loop && seat.kind && *seat.kind == kind) return seat.server.lock();
  }
  return nullptr;
}

Listener::Impl* SharedSocket::other(const Listener::Impl& listener, const Loop& loop) const {
  const std::lock_guard lock(sockets().mutex);
  for (const Seat& seat : std::views::reverse(seats_)) {
    if (seat.listener != &listener && seat.loop == &loop) return seat.listener;
  }
  return nullptr;
}

}  // namespace sonde::net
