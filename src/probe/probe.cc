// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "base/log.h"
#include "probe/doctor.h"
#include "probe/privileges.h"
#include "probe/ring_watch.h"
#include "probe_bpf.skel.h"

namespace sonde::probe {
namespace {

constexpr uint32_t kTgidLimit = 4 * 1024 * 1024;

std::atomic<FrontEnd> g_running{FrontEnd::None};

struct BtfDeleter {
  void operator()(btf* b) const { btf__free(b); }
};

int print_libbpf(enum libbpf_print_level level, const char* format, va_list args) {
  if (level != LIBBPF_WARN) return 0;
  // The verifier's reason stands at the end of a log that may be long.
  static char line[256 * 1024];
  // libbpf's own format strings, as printf's.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
  int n = vsnprintf(line, sizeof(line), format, args);
#pragma clang diagnostic pop
  if (n <= 0) return 0;
  std::string_view text(line, std::min<size_t>(static_cast<size_t>(n), sizeof(line) - 1));
  while (text.ends_with('\n')) text.remove_suffix(1);
  constexpr size_t kShown = 1500;
  if (text.size() > kShown) text.remove_prefix(text.size() - kShown);
  log_warn("bpf: {}", text);
  return 0;
}

bool has_type(const btf* kernel, const char* name, uint32_t kind) {
  return btf__find_by_name_kind(kernel, name, kind) > 0;
}

std::vector<FrontEnd> front_ends(const btf* kernel) {
  std::vector<FrontEnd> out;
  if (has_type(kernel, "btf_trace_sock_send_length", BTF_KIND_TYPEDEF))
    out.push_back(FrontEnd::SocketLength);
  if (has_type(kernel, "tcp_sendmsg", BTF_KIND_FUNC) &&
      has_type(kernel, "tcp_recvmsg", BTF_KIND_FUNC))
    out.push_back(FrontEnd::Fexit);
  if (has_type(kernel, "btf_trace_sys_exit", BTF_KIND_TYPEDEF))
    out.push_back(FrontEnd::SystemCalls);
  return out;
}

void autoload(bpf_program* program, bool on) { bpf_program__set_autoload(program, on); }

Error error_of(std::string_view what, int err) {
  const int code = err < 0 ? -err : err;
  const bool denied = code == EPERM || code == EACCES;
  return {denied ? ErrorKind::Denied : ErrorKind::Unavailable,
          fmt::format(
              "{}: {}{}", what, std::strerror(code),
              denied ? "; a security policy of this machine forbids it" : "; see `sonde doctor`"),
          {}};
}

}  // namespace

struct Probe::Impl {
  ProbeConfig config;
  FrontEnd front_end = FrontEnd::None;
  probe_bpf* skeleton = nullptr;
  ring_buffer* ring = nullptr;
  RingWatch rings;
  RingMeans ring_means = RingMeans::None;
  uint64_t events = 0;
  // Only during drain().
  const EventFn* sink = nullptr;
  size_t left = 0;

  ~Impl() {
    if (ring) ring_buffer__free(ring);
    if (skeleton) probe_bpf__destroy(skeleton);
  }

  void open(const btf* kernel) {
    skeleton = probe_bpf__open();
    if (!skeleton) return;
    auto& p = skeleton->progs;
    const bool length = front_end == FrontEnd::SocketLength;
    const bool fexit = front_end == FrontEnd::Fexit;
    const bool calls = front_end == FrontEnd::SystemCalls;
    autoload(p.length_send, length);
    autoload(p.length_receive, length);
    autoload(p.fexit_send, fexit);
    autoload(p.fexit_receive, fexit);
    // Gone since 6.5, where sendmsg took over its work.
    autoload(p.fexit_sendpage, fexit && has_type(kernel, "tcp_sendpage", BTF_KIND_FUNC));
    autoload(p.system_call_end, calls);
    skeleton->rodata->by_address = calls;
    if (!calls) bpf_map__set_max_entries(skeleton->maps.conns_by_address, 1);
    RingWatch::select(skeleton, kernel, ring_means);
    bpf_map__set_max_entries(skeleton->maps.events, config.ring_bytes);
    timespec tick{};
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 && tick.tv_sec == 0 && tick.tv_nsec > 0)
      skeleton->rodata->tick_ns = static_cast<uint64_t>(tick.tv_nsec);
  }

  void close() {
    probe_bpf__destroy(skeleton);
    skeleton = nullptr;
  }

  // Some kernels know the functions and yet trace none: that shows only when it is tried.
  int try_function_exits() const {
    bpf_link* link = bpf_program__attach(skeleton->progs.fexit_send);
    if (!link) return -errno;
    bpf_link__destroy(link);
    return 0;
  }

  Result<> load(const btf* kernel) {
    // What io_uring moves ends no system call.
    const RingMeans wanted = front_end == FrontEnd::SystemCalls
                                 ? RingMeans::None
                                 : std::min(RingWatch::means(kernel), config.ring_means);
    ring_means = wanted;
    for (;;) {
      open(kernel);
      if (!skeleton) return std::unexpected(error_of("cannot open the BPF programs", errno));
      int err = probe_bpf__load(skeleton);
      if (err == 0 && front_end == FrontEnd::Fexit) err = try_function_exits();
      if (err == 0) {
        if (ring_means < wanted)
          log_warn("this kernel refuses the programs for io_uring; its messages are not seen");
        return {};
      }
      close();
      if (ring_means == RingMeans::None)
        return std::unexpected(error_of("cannot load the BPF programs", err));
      // The programs for rings look deeper into the kernel than the others: go on without them.
      ring_means = RingMeans::None;
    }
  }

  // Loads the first of these that the kernel takes.
  Result<> load_first(const btf* kernel, const std::vector<FrontEnd>& candidates) {
    Result<> loaded;
    for (const FrontEnd candidate : candidates) {
      front_end = candidate;
      loaded = load(kernel);
      // Nothing but tracing functions is forbidden on kernels that allow the rest.
      if (loaded || candidate != FrontEnd::Fexit || candidate == candidates.back()) break;
      log_warn("this kernel traces no functions; the end of every system call is watched instead");
    }
    return loaded;
  }

  static int sample(void* self, void* data, size_t size) {
    auto* impl = static_cast<Impl*>(self);
    const auto* event = static_cast<const sonde_event*>(data);
    if (size >= sizeof(sonde_event)) {
      const size_t room = size - sizeof(sonde_event);
      const auto* bytes = reinterpret_cast<const char*>(event->payload());
      (*impl->sink)(*event, {bytes, std::min<size_t>(event->captured, room)});
      impl->events++;
    }
    // A negative answer ends the call; libbpf has consumed this record by then.
    return --impl->left == 0 ? -ENOBUFS : 0;
  }
};

std::string_view to_string(FrontEnd front_end) {
  switch (front_end) {
    case FrontEnd::SocketLength:
      return "socket-length";
    case FrontEnd::Fexit:
      return "fexit";
    case FrontEnd::SystemCalls:
      return "system-calls";
    case FrontEnd::None:
      break;
  }
  return "none";
}

RingMeans detect_ring_means() {
  const std::unique_ptr<btf, BtfDeleter> kernel(btf__load_vmlinux_btf());
  return kernel ? RingWatch::means(kernel.get()) : RingMeans::None;
}

FrontEnd front_end_of(std::string_view name) {
  for (const FrontEnd f : {FrontEnd::SocketLength, FrontEnd::Fexit, FrontEnd::SystemCalls})
    if (name == to_string(f)) return f;
  return FrontEnd::None;
}

std::vector<FrontEnd> detect_front_ends() {
  const std::unique_ptr<btf, BtfDeleter> kernel(btf__load_vmlinux_btf());
  return kernel ? front_ends(kernel.get()) : std::vector<FrontEnd>();
}

FrontEnd running_front_end() { return g_running.load(); }

Probe::Probe(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Probe::~Probe() { g_running.store(FrontEnd::None); }

Result<std::unique_ptr<Probe>> Probe::create(ProbeConfig config) {
  libbpf_set_print(print_libbpf);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  // Said before the kernel refuses, which would not say what is missing.
  if (const auto missing = missing_capabilities(); !missing.empty())
    return fail(ErrorKind::Denied,
                fmt::format("this process lacks {}; run as root, or put what is missing into "
                            "AmbientCapabilities= of the unit or --cap-add of the container",
                            fmt::join(missing, ", ")));
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  {
    const std::unique_ptr<btf, BtfDeleter> kernel(btf__load_vmlinux_btf());
    if (!kernel)
      return fail(ErrorKind::Unavailable,
                  "this kernel has no type information (/sys/kernel/btf/vmlinux); "
                  "use a kernel built with CONFIG_DEBUG_INFO_BTF");
    std::vector<FrontEnd> candidates = front_ends(kernel.get());
    if (config.front_end != FrontEnd::None) {
      if (std::find(candidates.begin(), candidates.end(), config.front_end) == candidates.end())
        return fail(ErrorKind::Unavailable,
                    fmt::format("this kernel lacks what the front end {} watches; leave the choice "
                                "to Sonde",
                                to_string(config.front_end)));
      candidates = {config.front_end};
    }
    if (candidates.empty())
      return fail(ErrorKind::Unavailable,
                  "this kernel has neither the socket length tracepoints (6.3), nor traceable TCP "
                  "functions, nor tracepoints of system calls; see `sonde doctor`");
    TRY(impl->load_first(kernel.get(), candidates));
  }
  impl->ring =
      ring_buffer__new(bpf_map__fd(impl->skeleton->maps.events), Impl::sample, impl.get(), nullptr);
  if (!impl->ring) return std::unexpected(error_of("cannot map the event ring", errno));
  // Parsing the kernel's types took tens of megabytes that nobody needs again.
  malloc_trim(0);
  auto probe = std::unique_ptr<Probe>(new Probe(std::move(impl)));
  if (config.exclude_self) probe->set_excluded(static_cast<uint32_t>(getpid()), true);
  return probe;
}

Result<> Probe::attach() {
  if (const int err = probe_bpf__attach(impl_->skeleton))
    return std::unexpected(error_of("cannot attach the BPF programs", err));
  TRY(impl_->rings.start(impl_->skeleton, impl_->ring_means));
  if (impl_->config.drop_privileges && !drop_privileges())
    log_warn("cannot drop capabilities in every thread");
  malloc_trim(0);
  g_running.store(impl_->front_end);
  return {};
}

size_t Probe::drain(const EventFn& fn, size_t limit) {
  if (limit == 0) return 0;
  impl_->rings.wake();
  const uint64_t before = impl_->events;
  impl_->sink = &fn;
  impl_->left = limit;
  ring_buffer__consume(impl_->ring);
  impl_->sink = nullptr;
  return impl_->events - before;
}

size_t Probe::drain(EventSink& sink, size_t limit) {
  return drain([&sink](const sonde_event& e, std::string_view payload) { sink.event(e, payload); },
               limit);
}

void Probe::set_excluded(uint32_t tgid, bool excluded) {
  if (tgid >= kTgidLimit) return;
  // The kernel changes neighbouring bits at fork and exit, hence atomically.
  std::atomic_ref<__u64> word(impl_->skeleton->bss->excluded[tgid / 64]);
  const __u64 bit = 1ULL << (tgid % 64);
  if (excluded) {
    word.fetch_or(bit, std::memory_order_relaxed);
  } else {
    word.fetch_and(~bit, std::memory_order_relaxed);
  }
}

bool Probe::is_excluded(uint32_t tgid) const {
  if (tgid >= kTgidLimit) return false;
  std::atomic_ref<__u64> word(impl_->skeleton->bss->excluded[tgid / 64]);
  return word.load(std::memory_order_relaxed) >> (tgid % 64) & 1;
}

ProbeStats Probe::stats() const {
  ProbeStats out;
  out.events = impl_->events;
  out.blind_turns = std::atomic_ref(impl_->skeleton->bss->blind_turns).load();
  const int cpus = libbpf_num_possible_cpus();
  if (cpus > 0) {
    std::vector<uint64_t> values(static_cast<size_t>(cpus));
    const uint32_t zero = 0;
    // Reading a map needs CAP_BPF only at opening; the descriptor suffices afterwards.
    if (bpf_map_lookup_elem(bpf_map__fd(impl_->skeleton->maps.lost), &zero, values.data()) == 0)
      for (const uint64_t v : values) out.lost += v;
  }
  return out;
}

FrontEnd Probe::front_end() const { return impl_->front_end; }

int Probe::wake_fd() const { return impl_->rings.fd(); }
void Probe::wake() { impl_->rings.wake(); }
bool Probe::reads_inside() const { return impl_->rings.inside(); }

}  // namespace sonde::probe
