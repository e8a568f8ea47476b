// SPDX-License-Identifier: Apache-2.0
// The kernel side as user space sees it: load the embedded programs, choose the front end that this
// kernel has, attach, and drain what the programs wrote. It hands out raw records and knows nothing
// of requests; the tracker makes those. One thread drains; set_excluded may be called from any.
//
// Nothing wakes the drainer: call drain() on a timer (20 ms keeps the ring far from full).
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "probe/bpf/event_abi.h"

namespace sonde::probe {

// Where messages are seen, best first.
enum class FrontEnd : uint8_t {
  None,
  SocketLength,  // Tracepoints of sockets, from 6.3.
  Fexit,         // The exits of TCP's functions, where functions can be traced.
  SystemCalls    // The end of every system call: everywhere, and dearest.
};
std::string_view to_string(FrontEnd front_end);
// None where the name is not one of to_string()'s.
FrontEnd front_end_of(std::string_view name);

// How much of what io_uring moves this kernel lets us read.
enum class RingMeans : uint8_t {
  None,      // Nothing.
  Requests,  // What was submitted since the start, by what the requests say.
  Inside     // Everything, inside TCP where need be: its send tracepoint (6.16), kfuncs on skbs.
};

struct ProbeConfig {
  // Ring size in bytes; a power of two.
  uint32_t ring_bytes = 8 * 1024 * 1024;
  // Give up what loading needed once everything is attached. Off in tests, which load again.
  bool drop_privileges = true;
  // Our own traffic must never be captured, or exporting would feed itself.
  bool exclude_self = true;
  // None: the best that this kernel has. Another that it lacks is an error.
  FrontEnd front_end = FrontEnd::None;
  // At most this much of what the kernel allows.
  RingMeans ring_means = RingMeans::Inside;
};

struct ProbeStats {
  uint64_t events = 0;        // Handed out by drain().
  uint64_t lost = 0;          // The ring or the socket storage had no room.
  uint64_t ring_pending = 0;  // Bytes waiting now.
  uint64_t blind_turns = 0;   // Turns moved by io_uring whose first bytes could not be read.
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Valid during the call only: both point into the ring.
  virtual void event(const sonde_event& event, std::string_view payload) = 0;
};

class Probe {
 public:
  using EventFn = std::function<void(const sonde_event&, std::string_view)>;

  // Loads the programs. Nothing runs in the kernel before attach().
  static Result<std::unique_ptr<Probe>> create(ProbeConfig config);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  Result<> attach();
  // At most `limit` records, so that one call never starves the loop. Returns how many.
  size_t drain(const EventFn& fn, size_t limit = 16384);
  size_t drain(EventSink& sink, size_t limit = 16384);
  // Excluded processes cost one bit test a message. Children inherit it; exec clears it.
  void set_excluded(uint32_t tgid, bool excluded);
  bool is_excluded(uint32_t tgid) const;
  ProbeStats stats() const;
  FrontEnd front_end() const;
  // Readable when io_uring moves what is best read inside TCP; wake() at once keeps the requests
  // few that are missed. -1 where this kernel gives no means. drain() wakes as well, only later.
  int wake_fd() const;
  void wake();
  bool reads_inside() const;

 private:
  struct Impl;
  explicit Probe(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The front ends that this kernel's BTF allows, best first; empty where there is no BTF or none
// exists. Whether functions can be traced is only known once it was tried.
std::vector<FrontEnd> detect_front_ends();
RingMeans detect_ring_means();
// With which front end this process captures now; None where it does not.
FrontEnd running_front_end();

}  // namespace sonde::probe
