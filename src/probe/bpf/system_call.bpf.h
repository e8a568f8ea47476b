/* SPDX-License-Identifier: GPL-2.0 */
/* Which arguments of the running system call tell where a message's bytes are: the calls that move
 * bytes of sockets through user memory, in the numbers of 64-bit and of 32-bit programs. */
#ifndef SONDE_PROBE_BPF_SYSTEM_CALL_H
#define SONDE_PROBE_BPF_SYSTEM_CALL_H

enum shape { NO_SHAPE, BUFFER, VECTOR, MESSAGE, MESSAGES };

#if defined(__TARGET_ARCH_x86)
enum { TS_COMPAT = 2, PF_IO_WORKER = 0x10, SOCKETCALL = 102 };

static __always_inline enum shape receive_shape(u64 nr) {
  if (nr == 0 || nr == 45) return BUFFER;   /* read, recvfrom */
  if (nr == 47) return MESSAGE;             /* recvmsg */
  if (nr == 19 || nr == 327) return VECTOR; /* readv, preadv2 */
  if (nr == 299) return MESSAGES;           /* recvmmsg */
  return NO_SHAPE;
}
static __always_inline enum shape send_shape(u64 nr) {
  if (nr == 1 || nr == 44) return BUFFER;   /* write, sendto */
  if (nr == 20 || nr == 328) return VECTOR; /* writev, pwritev2 */
  if (nr == 46) return MESSAGE;             /* sendmsg */
  if (nr == 307) return MESSAGES;           /* sendmmsg */
  return NO_SHAPE;
}
static __always_inline enum shape receive_shape_32(u64 nr) {
  if (nr == 3 || nr == 371) return BUFFER;
  if (nr == 145 || nr == 378) return VECTOR;
  if (nr == 372) return MESSAGE;
  if (nr == 337 || nr == 417) return MESSAGES; /* The second has 64 bits of time. */
  return NO_SHAPE;
}
static __always_inline enum shape send_shape_32(u64 nr) {
  if (nr == 4 || nr == 369) return BUFFER;
  if (nr == 146 || nr == 379) return VECTOR;
  if (nr == 370) return MESSAGE;
  if (nr == 345) return MESSAGES;
  return NO_SHAPE;
}
/* Older 32-bit programs make all their socket calls through one. */
static __always_inline enum shape socketcall_shape(u64 call, int direction) {
  if (direction == DIRECTION_RECEIVE) {
    if (call == 10 || call == 12) return BUFFER; /* recv, recvfrom */
    return call == 17 ? MESSAGE : call == 19 ? MESSAGES : NO_SHAPE;
  }
  if (call == 9 || call == 11) return BUFFER; /* send, sendto */
  return call == 16 ? MESSAGE : call == 20 ? MESSAGES : NO_SHAPE;
}

/* Looking into the table of descriptors costs as much as the ring does, so a descriptor that was
 * found to be this socket once is believed as long as nothing but the system call itself can move
 * bytes in its thread, which is all but the users and workers of io_uring. */
static __always_inline bool names_this(struct conn* c, struct task_struct* task, u32 fd,
                                       struct file* file) {
  const u32 files = (u32)(u64)task->files;
  if (fd == c->descriptor && files == c->descriptor_files && file && !task->io_uring &&
      !(task->flags & PF_IO_WORKER))
    return true;
  if (!names_socket(task, fd, file)) return false;
  c->descriptor = fd;
  c->descriptor_files = files;
  return true;
}

/* A call that moves several messages tells of each by an event of its own, in order. The address
 * of the array and the length that the kernel wrote into the entry before say which one this is;
 * where they do not fit, the call is a new one. */
static __always_inline u64 entry_of(struct conn* c, u64 array, u32 count, u32 ret, u32 narrow) {
  const u32 size = narrow ? 32 : 64;
  u32 next = c->many_at == array && c->many_next < count ? c->many_next : 0;
  if (next) {
    u32 before = 0;
    if (bpf_probe_read_user(&before, 4, (void*)(array + next * size - (narrow ? 4 : 8))) ||
        before != c->many_length)
      next = 0;
  }
  c->many_at = array;
  c->many_next = next + 1;
  c->many_length = ret;
  return array + next * size;
}

struct call_arguments {
  u64 second;
  u64 third;
  u32 fd;
};

/* Not inlined, because nearly no message is of a 32-bit program. */
__attribute__((noinline)) int narrow_call(struct call_arguments* out, int direction) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  u32 arguments[3];
  if (!out) return 0;
  out->fd = (u32)regs->bx;
  out->second = (u32)regs->cx;
  out->third = (u32)regs->dx;
  if (regs->orig_ax != SOCKETCALL)
    return direction == DIRECTION_RECEIVE ? receive_shape_32(regs->orig_ax)
                                          : send_shape_32(regs->orig_ax);
  if (bpf_probe_read_user(arguments, sizeof(arguments), (void*)out->second)) return NO_SHAPE;
  const enum shape shape = socketcall_shape(out->fd, direction);
  out->fd = arguments[0];
  out->second = arguments[1];
  out->third = arguments[2];
  return shape;
}

static __always_inline void find_source(struct source* out, struct conn* c, int direction, u32 ret,
                                        struct file* file, struct task_struct* task) {
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  const u32 narrow = task->thread_info.status & TS_COMPAT;
  struct call_arguments a;
  enum shape shape;
  if (narrow) {
    shape = narrow_call(&a, direction);
  } else {
    a.fd = (u32)regs->di;
    a.second = regs->si;
    a.third = regs->dx;
    shape =
        direction == DIRECTION_RECEIVE ? receive_shape(regs->orig_ax) : send_shape(regs->orig_ax);
  }
  if (shape == NO_SHAPE || !names_this(c, task, a.fd, file)) return;
  if (shape == BUFFER) {
    out->buffer = a.second;
    out->buffer_length = 0xffffffff;
    return;
  }
  if (shape != VECTOR) {
    u64 at = a.second;
    if (shape == MESSAGES) at = entry_of(c, at, (u32)a.third, ret, narrow);
    if (narrow) {
      u32 m[4]; /* name, name_length, iov, iov_count */
      if (bpf_probe_read_user(m, sizeof(m), (void*)at)) return;
      a.second = m[2];
      a.third = m[3];
    } else {
      struct user_msghdr_head m;
      if (bpf_probe_read_user(&m, sizeof(m), (void*)at)) return;
      a.second = m.iov;
      a.third = m.iov_count;
    }
  }
  first_segment(out, a.second, a.third, narrow);
}
#endif

#endif
