/* SPDX-License-Identifier: GPL-2.0 */
/* Where the bytes of a message lie that io_uring moved. No system call describes it: a ring works
 * inside an unrelated call, in a worker thread, or in a polling thread. But each request names its
 * buffer as a call would, so requests are remembered by socket when they are submitted
 * (front_ring.bpf.h), and a message takes the one that is being carried out. Threads without a ring
 * pay one load for all this. */
#ifndef SONDE_PROBE_BPF_RING_H
#define SONDE_PROBE_BPF_RING_H

enum { REQUESTS = 4, SEND_VECTORIZED = 1 << 5 };

enum io_uring_op {
  IORING_OP_READV = 1,
  IORING_OP_WRITEV = 2,
  IORING_OP_READ_FIXED = 4,
  IORING_OP_WRITE_FIXED = 5,
  IORING_OP_SENDMSG = 9,
  IORING_OP_RECVMSG = 10,
  IORING_OP_READ = 22,
  IORING_OP_WRITE = 23,
  IORING_OP_SEND = 26,
  IORING_OP_RECV = 27,
  IORING_OP_SEND_ZC = 47,
  IORING_OP_SENDMSG_ZC = 48,
  IORING_OP_READ_MULTISHOT = 49,
};

struct request_key {
  u64 sk; /* Address, for comparison only. */
  u64 direction;
};
/* Several, because linked requests of one socket are submitted before the first is carried out. */
struct request_set {
  u64 request[REQUESTS];
  u32 next;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct request_key);
  __type(value, struct request_set);
} requests SEC(".maps");

/* The direction of what the operation moves; 0: it moves no bytes of a message. */
static __always_inline u32 direction_of(u8 op) {
  const u64 receives = 1ULL << IORING_OP_RECV | 1ULL << IORING_OP_RECVMSG | 1ULL << IORING_OP_READ |
                       1ULL << IORING_OP_READV | 1ULL << IORING_OP_READ_FIXED |
                       1ULL << IORING_OP_READ_MULTISHOT;
  const u64 sends = 1ULL << IORING_OP_SEND | 1ULL << IORING_OP_SENDMSG | 1ULL << IORING_OP_WRITE |
                    1ULL << IORING_OP_WRITEV | 1ULL << IORING_OP_WRITE_FIXED |
                    1ULL << IORING_OP_SEND_ZC | 1ULL << IORING_OP_SENDMSG_ZC;
  if (op > 63) return 0;
  if (receives >> op & 1) return DIRECTION_RECEIVE;
  return sends >> op & 1 ? DIRECTION_SEND : 0;
}

/* Operations of files too: their operands are laid out otherwise. */
static __always_inline bool is_file_operation(u8 op) {
  const u64 files = 1ULL << IORING_OP_READ | 1ULL << IORING_OP_READV |
                    1ULL << IORING_OP_READ_FIXED | 1ULL << IORING_OP_READ_MULTISHOT |
                    1ULL << IORING_OP_WRITE | 1ULL << IORING_OP_WRITEV |
                    1ULL << IORING_OP_WRITE_FIXED;
  return op <= 63 && (files >> op & 1);
}

/* May this thread move messages that its system call does not describe? */
static __always_inline bool uses_ring(struct task_struct* task) {
  if (!bpf_core_field_exists(task->io_uring)) return false;
  return task->io_uring || (task->flags & PF_IO_WORKER);
}

/* Where a receive went whose buffer the ring chose (IOSQE_BUFFER_SELECT, from 6.10): by now the
 * iterator stands behind the bytes. 0: unknown. */
static __always_inline u64 chosen_buffer(struct io_kiocb* request, u32 length) {
  const struct io_async_msghdr* state = NULL;
  const struct iov_iter* at;
  if (!bpf_core_field_exists(state->msg.msg_iter.ubuf) ||
      !bpf_core_field_exists(request->async_data))
    return 0;
  state = BPF_CORE_READ(request, async_data);
  if (!state) return 0;
  at = &state->msg.msg_iter;
  if (BPF_CORE_READ(at, iter_type) != bpf_core_enum_value(enum iter_type, ITER_UBUF)) return 0;
  return (u64)BPF_CORE_READ(at, ubuf) + BPF_CORE_READ(at, iov_offset) - length;
}

/* What the operands of the request say. Returns whether it is one that moves these bytes. */
static __always_inline bool read_request(struct source* out, struct io_kiocb* request, u64 file,
                                         u32 direction, u32 length) {
  const u8 op = BPF_CORE_READ(request, opcode);
  if ((u64)BPF_CORE_READ(request, file) != file || direction_of(op) != direction) return false;
  if (is_file_operation(op)) {
    const struct io_rw* rw = (void*)request;
    const u64 address = BPF_CORE_READ(rw, addr);
    if (op == IORING_OP_READV || op == IORING_OP_WRITEV) {
      first_segment(out, address, BPF_CORE_READ(rw, len), 0);
    } else {
      out->buffer = address;
      out->buffer_length = 0xffffffff;
    }
  } else {
    const struct io_sr_msg* operands = (void*)request;
    const u64 buffer = (u64)BPF_CORE_READ(operands, buf);
    if (op == IORING_OP_SENDMSG || op == IORING_OP_SENDMSG_ZC || op == IORING_OP_RECVMSG) {
      struct user_msghdr_head m;
      /* A retried remainder begins in the middle of these. */
      if (BPF_CORE_READ(operands, done_io)) return true;
      if (bpf_probe_read_user(&m, sizeof(m), (void*)buffer)) return true;
      first_segment(out, m.iov, m.iov_count, 0);
    } else if (op != IORING_OP_RECV && (BPF_CORE_READ(operands, flags) & SEND_VECTORIZED)) {
      if (BPF_CORE_READ(operands, done_io)) return true;
      first_segment(out, buffer, BPF_CORE_READ(operands, len), 0);
    } else {
      out->buffer = buffer ? buffer : chosen_buffer(request, length);
      out->buffer_length = 0xffffffff;
    }
  }
  return true;
}

/* The newest that has its file: a later one of a chain gets it only when its turn has come. */
__attribute__((noinline)) int find_request(struct source* out, u64 socket, u32 direction,
                                           u32 length) {
  const u64 file = (u64)BPF_CORE_READ((struct socket*)socket, file);
  struct request_key key = {.direction = direction};
  const struct request_set* set;
  if (!out || !file || !bpf_core_type_exists(struct io_kiocb)) return 0;
  key.sk = (u64)BPF_CORE_READ((struct socket*)socket, sk);
  set = bpf_map_lookup_elem(&requests, &key);
  if (!set) return 0;
  for (u32 i = 1; i <= REQUESTS; i++) {
    struct io_kiocb* request = (void*)set->request[(set->next - i) & (REQUESTS - 1)];
    if (request && read_request(out, request, file, direction, length)) return 0;
  }
  return 0;
}

#endif
