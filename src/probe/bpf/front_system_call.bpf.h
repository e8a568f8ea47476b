/* SPDX-License-Identifier: GPL-2.0 */
/* Front end for kernels that have neither the length tracepoints nor functions that can be traced:
 * one program at the end of every system call. By then the registers still hold the arguments, a
 * receive has filled its buffer, and a send has left its own. The price is paid by every call of
 * the host, so this is the last resort. The verifier knows the type of no socket here: state is
 * found by address, and fields are asked for. What io_uring moves ends no system call. */

#if defined(__TARGET_ARCH_x86)

/* No call moves more messages: UIO_MAXIOV. */
enum { MESSAGES_MAX = 1024, CALL_SENDFILE = 40, CALL_SPLICE = 275 };
enum { BROKEN_PIPE = 32, CONNECTION_RESET = 104 };

struct ended_call {
  u64 array; /* Of messages; 0: the call moved one. */
  u32 fd;
  u32 direction;
  u32 flags;
  u32 narrow;
};

/* The calls that move bytes of sockets; everything else ends here. */
static __always_inline bool understand(struct ended_call* call, struct pt_regs* regs) {
  const u64 nr = regs->orig_ax;
  enum shape shape = receive_shape(nr);
  call->fd = (u32)regs->di;
  call->direction = DIRECTION_RECEIVE;
  if (shape == NO_SHAPE) {
    shape = send_shape(nr);
    call->direction = DIRECTION_SEND;
    if (shape == NO_SHAPE) {
      if (nr == CALL_SPLICE) call->fd = (u32)regs->dx;
      return nr == CALL_SENDFILE || nr == CALL_SPLICE;
    }
  }
  if (nr == 45 || nr == 299) call->flags = (u32)regs->r10; /* recvfrom, recvmmsg */
  if (nr == 47) call->flags = (u32)regs->dx;               /* recvmsg */
  if (shape == MESSAGES) call->array = regs->si;
  return true;
}

/* The same of a 32-bit program. */
static __always_inline bool understand_narrow(struct ended_call* call, struct pt_regs* regs) {
  const u64 nr = regs->orig_ax;
  struct call_arguments a = {};
  enum shape shape = narrow_call(&a, DIRECTION_RECEIVE);
  call->direction = DIRECTION_RECEIVE;
  call->narrow = 1;
  if (shape == NO_SHAPE) {
    shape = narrow_call(&a, DIRECTION_SEND);
    call->direction = DIRECTION_SEND;
  }
  call->fd = a.fd;
  if (nr == 313) call->fd = (u32)regs->dx; /* splice */
  if (shape == NO_SHAPE) return nr == 187 || nr == 239 || nr == 313;
  if (shape == MESSAGE) call->flags = (u32)a.third;
  if (nr == 371 || nr == 337 || nr == 417) call->flags = (u32)regs->si; /* recvfrom, recvmmsg */
  if (nr == SOCKETCALL && shape != MESSAGE &&
      bpf_probe_read_user(&call->flags, 4, (void*)(regs->cx + 12)))
    return false;
  if (shape == MESSAGES) call->array = a.second;
  return true;
}

static __always_inline struct file* file_behind(struct task_struct* task, u32 fd) {
  struct fdtable* table = task->files->fdt;
  u64 entry = 0;
  if (fd >= table->max_fds) return NULL;
  if (bpf_probe_read_kernel(&entry, sizeof(entry), table->fd + fd)) return NULL;
  return (struct file*)entry;
}

/* A function of its own for the sake of the stack, of which kernels count all calls together. */
__attribute__((noinline)) int begin_conn(u64 key, u64 inode) {
  const struct conn fresh = {.inode = inode};
  return bpf_map_update_elem(&conns_by_address, &key, &fresh, BPF_NOEXIST);
}

/* NULL: not a socket that is followed. Two threads may come to a new one at once. */
static __always_inline struct conn* conn_at(struct sock* sk, u64 inode) {
  const u64 key = (u64)sk;
  struct conn* c = bpf_map_lookup_elem(&conns_by_address, &key);
  if (c && c->inode == inode) return c;
  if (!may_be_followed(BPF_CORE_READ(sk, __sk_common.skc_family), BPF_CORE_READ(sk, sk_type)))
    return NULL;
  if (c) bpf_map_delete_elem(&conns_by_address, &key);
  begin_conn(key, inode);
  c = bpf_map_lookup_elem(&conns_by_address, &key);
  if (!c) count_lost();
  return c;
}

/* Verified once by itself, as the calls that move several messages come here in a loop. */
__attribute__((noinline)) int moved_by_call(struct conn* c, u64 sk, u64 file, u32 direction,
                                            u32 length) {
  struct tcp_sock* tcp = (struct tcp_sock*)sk;
  if (!c || (int)length <= 0) return 0;
  if (BPF_CORE_READ((struct sock*)sk, sk_protocol) != PROTOCOL_TCP) tcp = NULL;
  return moved(c, (struct sock*)sk, tcp, (struct file*)file, bpf_get_current_task_btf(),
               direction & 0xff, (int)length, direction >> 8, false);
}

static __always_inline void moved_several(struct conn* c, struct sock* sk, struct file* file,
                                          const struct ended_call* call, u32 count) {
  const u32 size = call->narrow ? 32 : 64;
  c->many_at = 0;
  for (u32 i = 0; i < MESSAGES_MAX && i < count; i++) {
    u32 length = 0;
    const u64 entry = call->array + i * size;
    if (bpf_probe_read_user(&length, 4, (void*)(entry + (call->narrow ? 28 : 56)))) return;
    moved_by_call(c, (u64)sk, (u64)file, call->direction | call->flags << 8, length);
  }
}

static __always_inline void report_close_at(struct sock* sk) {
  const u64 key = (u64)sk;
  report_close(bpf_map_lookup_elem(&conns_by_address, &key));
  bpf_map_delete_elem(&conns_by_address, &key);
}

static __always_inline int moved_nothing_at(struct sock* sk) {
  if (!unix_ended(sk, false)) return 0;
  report_close_at(BPF_CORE_READ((struct unix_sock*)sk, peer));
  report_close_at(sk);
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(system_call_end, struct pt_regs* regs, long ret) {
  struct task_struct* task;
  struct ended_call call = {};
  struct file* file;
  struct inode* inode;
  struct socket* socket;
  struct sock* sk;
  struct conn* c;

  if (ret < 0 && ret != -BROKEN_PIPE && ret != -CONNECTION_RESET) return 0;
  task = bpf_get_current_task_btf();
  if (task->thread_info.status & TS_COMPAT ? !understand_narrow(&call, regs)
                                           : !understand(&call, regs))
    return 0;
  if (is_excluded(task->tgid)) return 0;
  if (call.direction == DIRECTION_RECEIVE && (call.flags & MSG_PEEK_FLAG)) return 0;
  file = file_behind(task, call.fd);
  if (!file) return 0;
  inode = BPF_CORE_READ(file, f_inode);
  if ((BPF_CORE_READ(inode, i_mode) & FILE_TYPE) != SOCKET_FILE) return 0;
  socket = BPF_CORE_READ(file, private_data);
  sk = BPF_CORE_READ(socket, sk);
  if (!sk) return 0;
  if (ret <= 0) return moved_nothing_at(sk);
  c = conn_at(sk, BPF_CORE_READ(inode, i_ino));
  if (!c || (c->flags & CONN_MUTED)) return 0;
  if (call.array) {
    moved_several(c, sk, file, &call, (u32)ret);
  } else {
    moved_by_call(c, (u64)sk, (u64)file, call.direction | call.flags << 8, (u32)ret);
  }
  return 0;
}
#endif
