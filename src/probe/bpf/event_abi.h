/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The record that travels from the kernel programs to user space, one per receive, send or process
 * change. It is shared by both compilers (BPF C and C++), so it holds fixed-width fields only and
 * proves its own layout. It is native and never stored or sent: both ends are built together.
 *
 * Payload bytes follow the header directly; `captured` of them are valid. `length` is what the
 * socket moved, which is more than `captured` whenever the budget of the turn was spent. */
#ifndef SONDE_PROBE_BPF_EVENT_ABI_H
#define SONDE_PROBE_BPF_EVENT_ABI_H

#include <linux/types.h>

enum sonde_event_type {
  SONDE_RECEIVE = 1,
  SONDE_SEND = 2,
  SONDE_CLOSE = 3, /* The socket of a recognised connection is gone. */
  SONDE_EXEC = 4,
  SONDE_EXIT = 5, /* The whole process ended, not merely one thread. */
  SONDE_FORK = 6, /* tgid is the child, length is the tgid of the parent. */
  /* EXEC and FORK carry a struct sonde_process as payload, FORK without path and arguments. */
};

enum sonde_event_flag {
  SONDE_TURN_START = 1,      /* The direction changed: first message of this turn. */
  SONDE_GAP = 2,             /* Earlier bytes of this direction were not reported; of a close: the
                              * last ones of either found no room. */
  SONDE_SOCKET_BLOCKING = 4, /* O_NONBLOCK is not set on the file of the socket. */
  SONDE_ACCEPTED = 8,        /* The socket was accepted, so this end is the server. */
  SONDE_PAYLOAD_MISSING = 16 /* Bytes moved that could not be read. */
};

enum {
  SONDE_PAYLOAD_MAX = 4096,
  SONDE_FAMILY_UNIX =
      1, /* AF_UNIX: remote_addr begins with the tgid of who connected or listened. */
  SONDE_FAMILY_INET = 2,  /* AF_INET: addresses are v4-mapped. */
  SONDE_FAMILY_INET6 = 10 /* AF_INET6 */
};

struct sonde_event {
  __u64 cookie;     /* Socket cookie, the key of the connection's local end; 0 for processes. */
  __u64 time_ns;    /* CLOCK_MONOTONIC. */
  __u64 arrived_ns; /* When the data of a receive had arrived, at the latest; 0 unknown. */
  __u32 tgid;
  __u32 tid;
  __u32 seq;    /* TCP sequence of the first byte of this message; 0 where not TCP. */
  __u32 length; /* Bytes moved. */
  __u16 captured;
  __u8 type;
  __u8 flags;
  __u8 family;
  __u8 protocol;       /* Index from protocols.h, generated from the .def files; 0 for processes. */
  __u16 local_port;    /* Host order. */
  __u16 remote_port;   /* Host order. */
  __u8 local_addr[16]; /* Network order, v4-mapped for AF_INET. */
  __u8 remote_addr[16];
  __u16 reserved;
  __u32 netns;         /* Inode of the network namespace. */
  __u64 stream_offset; /* Of the first byte of this message, in its direction, since first seen. */
#ifdef __cplusplus
  const __u8* payload() const { return reinterpret_cast<const __u8*>(this + 1); }
#else
  __u8 payload[];
#endif
};

/* What a process was when its program began, since a short one is gone before /proc can be asked.
 * Texts that do not fit are cut. */
struct sonde_process {
  __u64 cgroup; /* Id in the unified hierarchy; 0 unknown. */
  char comm[16];
  __u16 path_length; /* With its zero; 0 unknown. */
  __u16 arguments_length;
  char path[124];      /* Of the file that runs: of a script its interpreter. */
  char arguments[360]; /* Each ended by a zero, as in /proc/PID/cmdline. */
};
enum { SONDE_PROCESS_HEAD = 28 }; /* Up to the path. */

#ifdef __cplusplus
#define SONDE_ABI_ASSERT(what) static_assert(what, #what)
#else
#define SONDE_ABI_ASSERT(what) _Static_assert(what, #what)
#endif
SONDE_ABI_ASSERT(sizeof(struct sonde_event) == 96);
SONDE_ABI_ASSERT(sizeof(struct sonde_process) == 512);
SONDE_ABI_ASSERT(__builtin_offsetof(struct sonde_process, path) == SONDE_PROCESS_HEAD);
SONDE_ABI_ASSERT(__builtin_offsetof(struct sonde_event, tgid) == 24);
SONDE_ABI_ASSERT(__builtin_offsetof(struct sonde_event, captured) == 40);
SONDE_ABI_ASSERT(__builtin_offsetof(struct sonde_event, local_port) == 46);
SONDE_ABI_ASSERT(__builtin_offsetof(struct sonde_event, local_addr) == 50);
SONDE_ABI_ASSERT(__builtin_offsetof(struct sonde_event, netns) == 84);
SONDE_ABI_ASSERT(__builtin_offsetof(struct sonde_event, stream_offset) == 88);

#endif
