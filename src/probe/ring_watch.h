// SPDX-License-Identifier: Apache-2.0
// The programs that read what io_uring moves. One remembers the requests of rings; it is attached
// from the start and costs nobody without a ring. Two read inside TCP what the requests do not
// tell. Every TCP message of the host pays for those, so they are attached when the first is
// missed, or at the start where a ring already waits for a message: that request is older than we
// are. One thread uses all of it.
#ifndef SONDE_PROBE_RING_WATCH_H
#define SONDE_PROBE_RING_WATCH_H

#include <cstdint>

#include "base/result.h"
#include "probe/probe.h"

struct btf;
struct ring_buffer;
struct probe_bpf;

namespace sonde::probe {

class RingWatch {
 public:
  RingWatch() = default;
  ~RingWatch();
  RingWatch(const RingWatch&) = delete;
  RingWatch& operator=(const RingWatch&) = delete;

  static RingMeans means(const btf* kernel);
  // Between opening and loading: says what is loaded and what of it is attached with the rest.
  static void select(probe_bpf* skeleton, const btf* kernel, RingMeans means);
  // After attaching.
  Result<> start(probe_bpf* skeleton, RingMeans means);
  // Readable when wake() has something to do; -1 before start().
  int fd() const;
  void wake();
  bool inside() const { return inside_; }

 private:
  void follow();

  probe_bpf* skeleton_ = nullptr;
  ring_buffer* wakes_ = nullptr;
  bool inside_ = false;
};

}  // namespace sonde::probe

#endif
