// SPDX-License-Identifier: Apache-2.0
#include "components/extension/pprof/sampler.h"

#include <sys/time.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

namespace sonde::pprof {
namespace {

struct Shared {
  std::atomic<bool> taken{false};
  std::atomic<uint64_t*> words{nullptr};  // Null: nobody samples.
  size_t capacity = 0;
  std::atomic<size_t> used{0};
  std::atomic<uint64_t> lost{0};
  std::atomic<int> handling{0};
  std::vector<uint64_t> memory;
  pid_t pid = 0;
};
Shared shared;

struct Frame {
  uint64_t next;
  uint64_t return_to;
};

struct Place {
  uint64_t pc = 0, fp = 0, sp = 0;
};

Place place_of([[maybe_unused]] const void* context) {
#if defined(__x86_64__)
  const auto& r = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  return {static_cast<uint64_t>(r[REG_RIP]), static_cast<uint64_t>(r[REG_RBP]),
          static_cast<uint64_t>(r[REG_RSP])};
#elif defined(__aarch64__)
  const auto& r = static_cast<const ucontext_t*>(context)->uc_mcontext;
  return {r.pc, r.regs[29], r.sp};
#else
  return {};
#endif
}

bool read_frame(uint64_t at, Frame& frame) {
  iovec local{&frame, sizeof frame};
  iovec remote{reinterpret_cast<void*>(at), sizeof frame};
  return process_vm_readv(shared.pid, &local, 1, &remote, 1, 0) ==
         static_cast<ssize_t>(sizeof frame);
}

size_t walk(const void* context, std::array<uint64_t, kMaxDepth>& out) {
  const Place place = place_of(context);
  if (place.pc == 0) return 0;
  out[0] = place.pc;
  size_t depth = 1;
  uint64_t least = place.sp;  // Frames lie above each other, none far from the last.
  constexpr uint64_t kFar = 8 << 20;
  for (uint64_t at = place.fp; depth < kMaxDepth;) {
    if (at < least || at - least > kFar || at % sizeof(uint64_t) != 0) break;
    Frame frame{};
    if (!read_frame(at, frame) || frame.return_to == 0) break;
    out[depth++] = frame.return_to;
    least = at + sizeof frame;
    at = frame.next;
  }
  return depth;
}

void on_signal(int, siginfo_t*, void* context) {
  const int saved = errno;
  shared.handling.fetch_add(1);
  if (uint64_t* const words = shared.words.load()) {
    std::array<uint64_t, kMaxDepth> stack;
    if (const size_t depth = walk(context, stack); depth > 0) {
      size_t at = shared.used.load();
      while (at + depth + 1 <= shared.capacity &&
             !shared.used.compare_exchange_weak(at, at + depth + 1)) {
      }
      if (at + depth + 1 <= shared.capacity) {
        words[at] = depth;
        std::copy_n(stack.data(), depth, words + at + 1);
      } else {
        shared.lost.fetch_add(1);
      }
    }
  }
  shared.handling.fetch_sub(1);
  errno = saved;
}

}  // namespace

Result<std::unique_ptr<Sampler>> Sampler::start(size_t max_words) {
  if (shared.taken.exchange(true)) {
    return fail(ErrorKind::Exhausted, "a CPU profile is being taken already");
  }
  shared.memory.assign(max_words, 0);
  shared.capacity = max_words;
  shared.used = 0;
  shared.lost = 0;
  shared.pid = ::getpid();
  shared.words = shared.memory.data();
  // The handler stays: a signal may still be on its way when sampling has ended.
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  std::unique_ptr<Sampler> sampler(new Sampler);
  sampler->running_ = true;
  const itimerval timer{{0, 1'000'000 / kSamplesASecond}, {0, 1'000'000 / kSamplesASecond}};
  if (sigaction(SIGPROF, &action, nullptr) != 0 || setitimer(ITIMER_PROF, &timer, nullptr) != 0) {
    return fail(ErrorKind::Internal, "the kernel gives no timer for a CPU profile");
  }
  return sampler;
}

Sampler::~Sampler() {
  if (running_) stop();
}

Samples Sampler::stop() {
  running_ = false;
  const itimerval off{};
  setitimer(ITIMER_PROF, &off, nullptr);
  shared.words = nullptr;
  while (shared.handling.load() != 0) std::this_thread::yield();
  Samples out;
  out.words = std::move(shared.memory);
  out.words.resize(shared.used);
  out.lost = shared.lost;
  shared.memory = {};
  shared.taken = false;
  return out;
}

}  // namespace sonde::pprof
