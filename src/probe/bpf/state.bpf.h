/* SPDX-License-Identifier: GPL-2.0 */
/* Maps and per-socket state. State lives in socket storage: the kernel frees it with the socket, so
 * nothing leaks and a reused descriptor can never inherit another connection's state. */
#ifndef SONDE_PROBE_BPF_STATE_H
#define SONDE_PROBE_BPF_STATE_H

/* A field of the kernel's. Where the verifier knows the type of the pointer, that is a plain load;
 * else it is asked for, which costs some ten nanoseconds. `typed` is a constant everywhere. */
#define LOAD(typed, pointer, field) ((typed) ? (pointer)->field : BPF_CORE_READ(pointer, field))

enum { DIRECTION_RECEIVE = SONDE_RECEIVE, DIRECTION_SEND = SONDE_SEND };
enum { PID_LIMIT = 4 * 1024 * 1024, SCRATCH = 2 * SONDE_PAYLOAD_MAX };

enum {
  CONN_KNOWN = 1,      /* The template is filled. */
  CONN_MUTED = 2,      /* Not a protocol we know: never look again. */
  CONN_MATCHED = 4,    /* `template.protocol` is certain. */
  CONN_MIDSTREAM = 8,  /* Bytes had moved before we saw the socket. */
  CONN_ANNOUNCED = 16, /* User space has heard of the socket, so its close matters. */
};

#define GAP_NO_ROOM 2

struct conn {
  struct sonde_event template; /* The constant part of every event of this socket. */
  u64 offset[2];               /* Bytes moved so far; index is direction - 1. */
  u64 read_ns;                 /* Of the last receive; 0 before. */
  u64 head;                    /* First bytes of this turn, for classification over short reads. */
  u32 turn_captured;
  u32 received_to;           /* TCP sequence behind the last byte that a receive took; 0 unknown. */
  u32 sent_to;               /* The same of a send; 0 before the first. */
  u32 segments_without_data; /* Received until the last receive. */
  u32 many_length;           /* Of the message before in a call that moves several. */
  u32 descriptor;            /* That named this socket in the process with these files. */
  u32 descriptor_files;
  u64 many_at;   /* The array of that call; 0 where there is none. */
  u64 inode;     /* Of the socket; only where the state is found by address. */
  u16 many_next; /* Its next entry. */
  u8 head_length;
  u8 last; /* Direction of the last message. */
  u8 flags;
  u8 turns;     /* Turns without a match. */
  u8 gap[2];    /* Unreported bytes in this direction: 1, or GAP_NO_ROOM. */
  u8 overtaken; /* A receive was told before a send that was earlier. */
  u8 unjudged;  /* Turns of a recognised connection since its head was last looked at. */
};
_Static_assert(sizeof(struct conn) <= 256, "socket storage stays small");

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct conn);
} conns SEC(".maps");

/* The same where a front end knows a socket by its address only, for which storage cannot be asked.
 * An entry goes with its TCP socket; that of another socket is recognised by the inode. One that
 * finds no room takes that of a connection that was silent for long, which is then as one that was
 * open before the start. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, u64);
  __type(value, struct conn);
} conns_by_address SEC(".maps");
const volatile bool by_address = false;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 * 1024 * 1024);
} events SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, u64);
} lost SEC(".maps");

/* One buffer a direction: a program is never nested in itself on one CPU, but a receive may
 * interrupt a send. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 2);
  __type(key, u32);
  __type(value, u8[SCRATCH]);
} scratch SEC(".maps");

/* One bit a process that must not be captured. A global is one address computation, half the price
 * of a hash lookup, and it is all that an excluded process pays. */
__u64 excluded[PID_LIMIT / 64];

static __always_inline bool is_excluded(u32 tgid) {
  return excluded[(tgid / 64) & (PID_LIMIT / 64 - 1)] >> (tgid & 63) & 1;
}
static __always_inline void set_excluded(u32 tgid, bool on) {
  u64* word = &excluded[(tgid / 64) & (PID_LIMIT / 64 - 1)];
  const u64 bit = 1ULL << (tgid & 63);
  if (on) {
    __sync_fetch_and_or(word, bit);
  } else {
    __sync_fetch_and_and(word, ~bit);
  }
}
static __always_inline void count_lost(void) {
  const u32 zero = 0;
  u64* n = bpf_map_lookup_elem(&lost, &zero);
  if (n) *n += 1;
}

#endif
