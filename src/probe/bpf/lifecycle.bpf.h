/* SPDX-License-Identifier: GPL-2.0 */
/* What surrounds the messages: when data arrived, when a connection ended, and what processes do.
 * The exclusion bit follows the process here, in the kernel, so that a worker forked by an excluded
 * server is excluded before its first message. */
#ifndef SONDE_PROBE_BPF_LIFECYCLE_H
#define SONDE_PROBE_BPF_LIFECYCLE_H

enum { STATE_ESTABLISHED = 1 };

SEC("tp_btf/sk_data_ready")
int BPF_PROG(on_data_ready, struct sock* sk) {
  struct conn* c;
  u16 family;
  /* Only a server has a queue to wait in, and only what was accepted inherits a backlog. Nothing
   * else with a backlog is ever ESTABLISHED in these families but a stream. */
  if (sk->__sk_common.skc_state != STATE_ESTABLISHED || !sk->sk_max_ack_backlog) return 0;
  family = sk->__sk_common.skc_family;
  if (family != SONDE_FAMILY_INET && family != SONDE_FAMILY_INET6) return 0;
  /* Created here, since the wait of a connection's first request begins long before any process
   * takes it from the listener's queue. */
  c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
  if (!c) return 0;
  if (c->arrived_ns == 0 && !(c->flags & CONN_MUTED)) c->arrived_ns = bpf_ktime_get_ns();
  return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock* sk) {
  struct sonde_event* e;
  struct conn* c = bpf_sk_storage_get(&conns, sk, NULL, 0);
  if (!c || !(c->flags & CONN_ANNOUNCED)) return 0;
  e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    count_lost();
    return 0;
  }
  __builtin_memcpy(e, &c->template, sizeof(*e));
  e->time_ns = bpf_ktime_get_ns();
  e->type = SONDE_CLOSE;
  bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
  return 0;
}

static __always_inline void process_event(u8 type, u32 tgid, u32 other) {
  struct sonde_event* e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    count_lost();
    return;
  }
  __builtin_memset(e, 0, sizeof(*e));
  e->time_ns = bpf_ktime_get_ns();
  e->tgid = tgid;
  e->tid = tgid;
  e->length = other;
  e->type = type;
  bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* task) {
  const u32 tgid = task->tgid;
  set_excluded(tgid, false);
  process_event(SONDE_EXEC, tgid, 0);
  return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
  const u32 tgid = child->tgid;
  if ((u32)child->pid != tgid) return 0;
  set_excluded(tgid, is_excluded(parent->tgid));
  process_event(SONDE_FORK, tgid, parent->tgid);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct* task) {
  const u32 tgid = task->tgid;
  if (task->signal->live.counter != 0) return 0;
  set_excluded(tgid, false);
  process_event(SONDE_EXIT, tgid, 0);
  return 0;
}

#endif
