// SPDX-License-Identifier: Apache-2.0
// See ring_watch.h. Attaching needs the descriptor of a loaded program and no capability, so it
// works after the probe gave its privileges up.
#include "probe/ring_watch.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/log.h"
#include "probe/bpf/event_abi.h"
#include "probe_bpf.skel.h"

namespace sonde::probe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSubmit = "io_uring_submit_req";
constexpr const char* kSubmitBefore63 = "io_uring_submit_sqe";

bool has_tracepoint(const btf* kernel, const char* name) {
  return btf__find_by_name_kind(kernel, fmt::format("btf_trace_{}", name).c_str(),
                                BTF_KIND_TYPEDEF) > 0;
}

// What the kernel shows of a ring: a line ` op=N, task_works=M` for each request that waits for its
// file to be ready. These operations move messages: READV, RECVMSG, READ, RECV, READ_MULTISHOT.
bool waits_for_message(const fs::path& fdinfo) {
  constexpr std::array kOperations{1, 10, 22, 27, 49};
  std::ifstream file(fdinfo);
  std::string line;
  // A ring shows its last entries too, so the text can be long.
  for (int lines = 0; lines < 100'000 && std::getline(file, line); lines++) {
    const std::string_view text(line);
    const size_t at = text.find_first_not_of(' ');
    if (at == std::string_view::npos || !text.substr(at).starts_with("op=")) continue;
    int op = 0;
    std::from_chars(text.data() + at + 3, text.data() + text.size(), op);
    if (std::find(kOperations.begin(), kOperations.end(), op) != kOperations.end()) return true;
  }
  return false;
}

bool process_waits_for_message(const fs::path& process) {
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end;
       at.increment(error)) {
    char target[64];
    const ssize_t n = readlink(at->path().c_str(), target, sizeof target);
    if (std::string_view(target, n > 0 ? static_cast<size_t>(n) : 0) == "anon_inode:[io_uring]" &&
        waits_for_message(process / "fdinfo" / at->path().filename()))
      return true;
  }
  return false;
}

bool any_waits_for_message() {
  std::error_code error;
  const std::string self = std::to_string(getpid());
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos || name == self) continue;
    if (process_waits_for_message(at->path())) return true;
  }
  return false;
}

bool attach(bpf_program* program, bpf_link*& link) {
  link = bpf_program__attach(program);
  if (link == nullptr)
    log_warn("cannot attach {}: {}; some requests that arrive by io_uring are not seen",
             bpf_program__name(program), std::strerror(errno));
  return link != nullptr;
}

}  // namespace

RingWatch::~RingWatch() {
  if (wakes_) ring_buffer__free(wakes_);
}

RingMeans RingWatch::means(const btf* kernel) {
  if (!has_tracepoint(kernel, kSubmit) && !has_tracepoint(kernel, kSubmitBefore63))
    return RingMeans::None;
  const bool inside = has_tracepoint(kernel, "tcp_sendmsg_locked") &&
                      has_tracepoint(kernel, "skb_copy_datagram_iovec") &&
                      btf__find_by_name_kind(kernel, "bpf_dynptr_from_skb", BTF_KIND_FUNC) > 0;
  return inside ? RingMeans::Inside : RingMeans::Requests;
}

void RingWatch::select(probe_bpf* skeleton, const btf* kernel, RingMeans means) {
  auto& p = skeleton->progs;
  bpf_program__set_autoload(p.on_ring_submit, means != RingMeans::None);
  if (means != RingMeans::None && !has_tracepoint(kernel, kSubmit))
    bpf_program__set_attach_target(p.on_ring_submit, 0, kSubmitBefore63);
  for (bpf_program* program : {p.inside_send, p.inside_receive}) {
    bpf_program__set_autoload(program, means == RingMeans::Inside);
    bpf_program__set_autoattach(program, false);
  }
}

Result<> RingWatch::start(probe_bpf* skeleton, RingMeans means) {
  if (means != RingMeans::Inside) return {};
  skeleton_ = skeleton;
  wakes_ = ring_buffer__new(
      bpf_map__fd(skeleton->maps.wakes), [](void*, void*, size_t) { return 0; }, nullptr, nullptr);
  if (wakes_ == nullptr)
    return fail(ErrorKind::Unavailable,
                fmt::format("cannot map the ring of wake-ups: {}", std::strerror(errno)));
  if (any_waits_for_message()) std::atomic_ref(skeleton->bss->inside_wanted).store(1);
  follow();
  return {};
}

int RingWatch::fd() const { return wakes_ ? ring_buffer__epoll_fd(wakes_) : -1; }

void RingWatch::wake() {
  if (!wakes_) return;
  ring_buffer__consume(wakes_);
  follow();
}

void RingWatch::follow() {
  if (inside_ || std::atomic_ref(skeleton_->bss->inside_wanted).load() == 0) return;
  inside_ = true;
  if (attach(skeleton_->progs.inside_send, skeleton_->links.inside_send) &&
      attach(skeleton_->progs.inside_receive, skeleton_->links.inside_receive))
    log_info("reading the messages of io_uring inside TCP");
}

}  // namespace sonde::probe
