/* SPDX-License-Identifier: GPL-2.0 */
/* The first bytes of what io_uring moves, from inside TCP, where the buffers are at hand (from
 * 6.16); see stash.bpf.h. Both run under the lock of the socket. */

enum { TCP_FLAG_SYN = 2, PROTOCOL_TCP = 6 };

extern int bpf_dynptr_from_skb(struct __sk_buff* skb, u64 flags,
                               struct bpf_dynptr* out) __ksym __weak;

/* NULL where the system call describes the message, as everywhere but in a ring. */
static __always_inline struct stash* stash_for(struct sock* sk, struct file* file, int direction) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  struct stash* s;
  if (!uses_ring(task)) return NULL;
  if (is_excluded(bpf_get_current_pid_tgid() >> 32)) return NULL;
  if ((direction == DIRECTION_RECEIVE ? receive_shape(regs->orig_ax) : send_shape(regs->orig_ax)) !=
          NO_SHAPE &&
      names_socket(task, (u32)regs->di, file))
    return NULL;
  s = bpf_task_storage_get(&stashes, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!s) count_lost();
  return s;
}

static __always_inline void begin_stash(struct stash* s, struct sock* sk, int direction, u32 seq) {
  s->sk = (u64)sk;
  s->direction = direction;
  s->seq = seq;
  s->total = 0;
  s->have = 0;
}

static __always_inline bool add_user(struct stash* s, u64 base, u64 length) {
  const u32 have = s->have;
  if (have >= STASH_MAX) return false;
  if (length > STASH_MAX - have) length = STASH_MAX - have;
  if (length == 0) return true;
  if (length > STASH_MAX) return false;
  if (bpf_probe_read_user(s->bytes + (have & (STASH_MAX - 1)), length, (void*)base)) return false;
  s->have = have + length;
  return true;
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(inside_send, struct sock* sk, struct msghdr* msg) {
  struct tcp_sock* tcp;
  struct stash* s = stash_for(sk, sk->sk_socket ? sk->sk_socket->file : NULL, DIRECTION_SEND);
  u64 left = msg->msg_iter.count;
  u32 seq;
  if (!s) return 0;
  tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) return 0;
  seq = tcp->write_seq;
  /* Fires once a segment, and the whole message was put by at the first. */
  if (s->sk == (u64)sk && s->direction == DIRECTION_SEND && seq != s->seq &&
      left + (seq - s->seq) == s->total)
    return 0;
  begin_stash(s, sk, DIRECTION_SEND, seq);
  s->total = left;
  if (msg->msg_iter.iter_type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
    add_user(s, (u64)msg->msg_iter.ubuf + msg->msg_iter.iov_offset, left);
  } else if (msg->msg_iter.iter_type == bpf_core_enum_value(enum iter_type, ITER_IOVEC)) {
    const u64 iov = (u64)msg->msg_iter.__iov;
    u64 skip = msg->msg_iter.iov_offset;
    for (u32 i = 0; i < IOVECS; i++) {
      struct user_iovec v;
      if (i >= msg->msg_iter.nr_segs) break;
      if (bpf_probe_read_kernel(&v, sizeof(v), (void*)(iov + i * sizeof(v)))) break;
      v.base += skip;
      v.length -= skip;
      skip = 0;
      if (!add_user(s, v.base, v.length)) break;
    }
  }
  return 0;
}

SEC("tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(inside_receive, struct sk_buff* skb, int length) {
  struct sock* sk = skb->sk;
  struct tcp_skb_cb* cb = (struct tcp_skb_cb*)skb->cb;
  struct bpf_dynptr bytes;
  struct stash* s;
  u32 seq, offset, have, n = length;
  if (!sk || sk->sk_protocol != PROTOCOL_TCP) return 0;
  s = stash_for(sk, BPF_CORE_READ(sk, sk_socket, file), DIRECTION_RECEIVE);
  if (!s) return 0;
  seq = BPF_CORE_READ((struct tcp_sock*)sk, copied_seq);
  if (s->sk != (u64)sk || s->direction != DIRECTION_RECEIVE || seq != s->seq + s->total)
    begin_stash(s, sk, DIRECTION_RECEIVE, seq);
  s->total += n;
  have = s->have;
  if (have >= STASH_MAX) return 0;
  offset = seq - BPF_CORE_READ(cb, seq);
  if (BPF_CORE_READ(cb, tcp_flags) & TCP_FLAG_SYN) offset--;
  if (n > STASH_MAX - have) n = STASH_MAX - have;
  if (n > STASH_MAX) return 0;
  if (bpf_dynptr_from_skb((struct __sk_buff*)skb, 0, &bytes)) return 0;
  if (bpf_dynptr_read(s->bytes + (have & (STASH_MAX - 1)), n, &bytes, offset, 0)) return 0;
  s->have = have + n;
  return 0;
}
