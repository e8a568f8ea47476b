/* SPDX-License-Identifier: GPL-2.0 */
/* The first bytes of a message whose request is not known: it was submitted before we began, or its
 * buffer is chosen in a way that the request does not tell. Two programs inside TCP
 * (front_inside.bpf.h) put the bytes by, and the message of the same thread takes them. They are
 * addressed by TCP sequence number, so that a peek, a failed send or a retried remainder can never
 * give bytes that stand elsewhere. */
#ifndef SONDE_PROBE_BPF_STASH_H
#define SONDE_PROBE_BPF_STASH_H

enum { STASH_MAX = 2048 }; /* A power of two. */

struct stash {
  u64 sk;    /* Address, for comparison only. */
  u32 seq;   /* Of bytes[0]. */
  u32 total; /* Bytes of the message, of which `have` are here. */
  u32 have;
  u32 direction;
  u8 bytes[2 * STASH_MAX]; /* The second half shows the verifier that no copy leaves it. */
};

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct stash);
} stashes SEC(".maps");

/* Asks user space to attach the two programs. Their users are few and their price is paid by every
 * TCP message of the host, so they are not attached before they are needed. The question has a ring
 * of its own, because its reader must wake at once, and the reader of `events` never. */
__u32 inside_wanted = 0;
/* Turns of rings whose first bytes could not be read. */
__u64 blind_turns = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} wakes SEC(".maps");

static __always_inline void ask_for_inside(void) {
  u32 one = 1;
  if (inside_wanted) return;
  inside_wanted = 1;
  bpf_ringbuf_output(&wakes, &one, sizeof(one), BPF_RB_FORCE_WAKEUP);
}

/* `seq` is that of the first byte of the message. */
static __always_inline void take_stash(struct source* out, struct task_struct* task,
                                       struct sock* sk, int direction, u32 seq) {
  struct stash* s = bpf_task_storage_get(&stashes, task, NULL, 0);
  u32 skip;
  if (!s || s->sk != (u64)sk || s->direction != (u32)direction) return;
  s->sk = 0;
  skip = seq - s->seq;
  if (skip >= s->have || skip >= STASH_MAX) return;
  out->buffer = (u64)(s->bytes + skip);
  out->buffer_length = s->have - skip;
  out->in_kernel = true;
}

/* The source of a message that the system call does not describe, whose first byte is `seq`. */
static __always_inline void find_ring_source(struct source* out, struct task_struct* task,
                                             struct sock* sk, struct tcp_sock* tcp, int direction,
                                             u32 length, u32 seq, bool turn_start) {
  if (!uses_ring(task)) return;
  if (inside_wanted && tcp) take_stash(out, task, sk, direction, seq);
  if (!out->buffer) find_request(out, (u64)BPF_CORE_READ(sk, sk_socket), direction, length);
  if (!out->buffer && turn_start) {
    __sync_fetch_and_add(&blind_turns, 1);
    ask_for_inside();
  }
}

#endif
