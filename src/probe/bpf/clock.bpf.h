/* SPDX-License-Identifier: GPL-2.0 */
/* When a message moved and when its data arrived, read from what TCP notes in the socket anyway.
 * Asking the clock costs as much as attaching a whole program, and a program on the arrival of data
 * would run for every socket of the host, so neither is done here where it can be avoided. */
#ifndef SONDE_PROBE_BPF_CLOCK_H
#define SONDE_PROBE_BPF_CLOCK_H

/* Nanoseconds of a jiffy, set before loading. */
const volatile __u64 tick_ns = 4000000;
/* CLOCK_MONOTONIC when jiffies were 0, learned: the earliest that fits what was seen. Too late
 * until learned, which merely makes the clock be asked. Races between processors do no harm. */
__u64 jiffy_zero_ns = ~0ULL >> 1;

static __always_inline u64 ask_clock(void) {
  const u64 now = bpf_ktime_get_ns();
  const u64 zero = now - bpf_jiffies64() * tick_ns;
  /* Jiffies may be counted late, never early; should they fall behind for good, it begins anew. */
  if (zero < jiffy_zero_ns || zero - jiffy_zero_ns > 2 * tick_ns) jiffy_zero_ns = zero;
  return now;
}

/* TCP takes the time when it hands data to a reader and when it looks what it may transmit, which
 * is within each receive and nearly every send. Only where the time is of an earlier jiffy than
 * this is the clock asked: what is left is never older than a tick. */
static __always_inline u64 message_time(struct tcp_sock* tcp, bool typed) {
  u64 noted;
  if (!tcp) return ask_clock();
  noted = LOAD(typed, tcp, tcp_clock_cache);
  if (noted < jiffy_zero_ns + bpf_jiffies64() * tick_ns) return ask_clock();
  return noted;
}

/* When the data that was just read had arrived, at the latest: what is derived from it as the time
 * in the queue was really waited. Three notes of TCP serve, the exact ones first.
 * - A segment that acknowledged something leaves its time in delivered_mstamp. If all segments
 * since the last read carried data, that was one of them.
 * - The first data of a connection is acknowledged at once, and a socket that has sent no data
 * sends nothing but acknowledgements.
 * - lrcvtime is the jiffy of the newest data. */
static __always_inline u64 arrival(struct conn* c, struct tcp_sock* tcp, u64 now, bool typed) {
  const u64 delivered = LOAD(typed, tcp, delivered_mstamp) * 1000;
  const u32 without_data = LOAD(typed, tcp, segs_in) - LOAD(typed, tcp, data_segs_in);
  u64 at = delivered;
  if (delivered <= c->read_ns || without_data != c->segments_without_data || delivered > now) {
    const u64 jiffies = bpf_jiffies64();
    const u32 age = (u32)jiffies - LOAD(typed, tcp, inet_conn.icsk_ack.lrcvtime);
    const u64 end = jiffy_zero_ns + (jiffies - age + 1) * tick_ns;
    at = end < now ? end : now;
    if (LOAD(typed, tcp, data_segs_out) == 0) {
      const u64 acknowledged = LOAD(typed, tcp, tcp_wstamp_ns);
      if (acknowledged < at && acknowledged + tick_ns >= end) at = acknowledged;
    }
  }
  c->segments_without_data = without_data;
  c->read_ns = now;
  return at;
}

#endif
