/* SPDX-License-Identifier: GPL-2.0 */
/* Where the bytes of this message lie in user memory, read from the registers of the system call.
 * The descriptor that the call names must be the very socket of the event: io_uring runs requests
 * inside unrelated calls, and without this guard their registers would give foreign bytes. */
#ifndef SONDE_PROBE_BPF_PAYLOAD_H
#define SONDE_PROBE_BPF_PAYLOAD_H

enum { IOVECS = 8 };

struct source {
  u64 buffer; /* First bytes; 0 where they cannot be read. */
  u64 iov;    /* 0 where `buffer` holds the whole message. */
  u32 iov_count;
  u32 buffer_length; /* Of the first non-empty segment. */
  u8 protocol;       /* Whose head it may be; 0 unknown. */
  u32 narrow;        /* The vector is that of a 32-bit system call. */
  bool in_kernel;    /* `buffer` is in kernel memory, and there is no more than that. */
};

static __always_inline long read_source(void* to, u32 n, const struct source* from) {
  return from->in_kernel ? bpf_probe_read_kernel(to, n, (void*)from->buffer)
                         : bpf_probe_read_user(to, n, (void*)from->buffer);
}

static __always_inline bool names_socket(struct task_struct* task, u32 fd, struct file* file) {
  struct fdtable* table = task->files->fdt;
  u64 entry = 0;
  if (!file || fd >= table->max_fds) return false;
  if (bpf_probe_read_kernel(&entry, sizeof(entry), table->fd + fd)) return false;
  return entry == (u64)file;
}

/* One entry of a vector; `narrow` is that of a 32-bit system call. */
static __always_inline bool read_segment(struct user_iovec* v, u64 iov, u32 i, u32 narrow) {
  if (narrow) {
    u32 entry[2];
    if (bpf_probe_read_user(entry, sizeof(entry), (void*)(iov + i * sizeof(entry)))) return false;
    v->base = entry[0];
    v->length = entry[1];
    return true;
  }
  return bpf_probe_read_user(v, sizeof(*v), (void*)(iov + i * sizeof(*v))) == 0;
}

/* Global functions are verified once by themselves, not once for every path that leads to them:
 * without that, loading takes seconds. */
__attribute__((noinline)) int first_segment(struct source* out, u64 iov, u64 count, u32 narrow) {
  struct user_iovec v;
  if (!out) return 0;
  if (count > IOVECS) count = IOVECS;
  for (u32 i = 0; i < IOVECS; i++) {
    if (i >= count || !read_segment(&v, iov, i, narrow)) return 0;
    if (v.length == 0) continue;
    out->buffer = v.base;
    out->buffer_length = v.length > 0xffffffff ? 0xffffffff : (u32)v.length;
    out->iov = iov + i * (narrow ? 8 : sizeof(v));
    out->iov_count = (u32)count - i;
    out->narrow = narrow;
    return 0;
  }
  return 0;
}

/* Gathers a message that is spread over several segments into the scratch buffer of this CPU.
 * Returns how many bytes are there. */
__attribute__((noinline)) int gather(u64 iov, u32 count, u32 direction, u32 want, u32 narrow) {
  const u32 key = direction == DIRECTION_SEND;
  u8* buffer = bpf_map_lookup_elem(&scratch, &key);
  u32 have = 0;
  if (!buffer) return 0;
  for (u32 i = 0; i < IOVECS; i++) {
    struct user_iovec v;
    u64 n;
    if (i >= count || have >= want) break;
    if (!read_segment(&v, iov, i, narrow)) break;
    n = v.length;
    if (n > want - have) n = want - have;
    if (n == 0) continue;
    if (n > SONDE_PAYLOAD_MAX) break;
    if (bpf_probe_read_user(buffer + (have & (SONDE_PAYLOAD_MAX - 1)), n, (void*)v.base)) break;
    have += n;
  }
  return have;
}

#endif
