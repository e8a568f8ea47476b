/* SPDX-License-Identifier: GPL-2.0 */
/* What surrounds the messages: when a TCP connection ended, and what processes do.
 * The exclusion bit follows the process here, in the kernel, so that a worker forked by an excluded
 * server is excluded before its first message. */
#ifndef SONDE_PROBE_BPF_LIFECYCLE_H
#define SONDE_PROBE_BPF_LIFECYCLE_H

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock* sk) {
  const u64 address = (u64)sk;
  report_close(by_address ? bpf_map_lookup_elem(&conns_by_address, &address)
                          : bpf_sk_storage_get(&conns, sk, NULL, 0));
  if (by_address) bpf_map_delete_elem(&conns_by_address, &address);
  return 0;
}

static __always_inline void fill_process_event(struct sonde_event* e, u8 type, u32 tgid,
                                               u32 other) {
  __builtin_memset(e, 0, sizeof(*e));
  e->time_ns = bpf_ktime_get_ns();
  e->tgid = tgid;
  e->tid = tgid;
  e->length = other;
  e->type = type;
}

static __always_inline void describe_process(struct sonde_process* p, struct task_struct* task) {
  p->cgroup = bpf_get_current_cgroup_id();
  bpf_probe_read_kernel(p->comm, sizeof(p->comm), task->comm);
  p->path_length = 0;
  p->arguments_length = 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* task, int old_pid, struct linux_binprm* program) {
  const u32 tgid = task->tgid;
  struct mm_struct* memory = task->mm;
  struct sonde_process* p;
  struct sonde_event* e;
  long n;
  set_excluded(tgid, false);
  e = bpf_ringbuf_reserve(&events, sizeof(*e) + sizeof(*p), 0);
  if (!e) {
    count_lost();
    return 0;
  }
  fill_process_event(e, SONDE_EXEC, tgid, 0);
  e->captured = sizeof(*p);
  p = (struct sonde_process*)e->payload;
  describe_process(p, task);
  n = bpf_probe_read_kernel_str(p->path, sizeof(p->path), program->interp);
  if (n > 0) p->path_length = (u16)n;
  if (memory) {
    const u64 start = memory->arg_start;
    u64 length = memory->arg_end - start;
    /* Keeps the comparison on the register that is used. */
    asm volatile("" : "+r"(length));
    if (length > sizeof(p->arguments)) length = sizeof(p->arguments);
    if (!bpf_probe_read_user(p->arguments, (u32)length, (void*)start))
      p->arguments_length = (u16)length;
  }
  bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
  return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
  const u32 tgid = child->tgid;
  struct sonde_event* e;
  if ((u32)child->pid != tgid) return 0;
  set_excluded(tgid, is_excluded(parent->tgid));
  e = bpf_ringbuf_reserve(&events, sizeof(*e) + SONDE_PROCESS_HEAD, 0);
  if (!e) {
    count_lost();
    return 0;
  }
  fill_process_event(e, SONDE_FORK, tgid, parent->tgid);
  e->captured = SONDE_PROCESS_HEAD;
  describe_process((struct sonde_process*)e->payload, child);
  bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct* task) {
  const u32 tgid = task->tgid;
  struct sonde_event* e;
  if (task->signal->live.counter != 0) return 0;
  set_excluded(tgid, false);
  e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    count_lost();
    return 0;
  }
  fill_process_event(e, SONDE_EXIT, tgid, 0);
  bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
  return 0;
}

#endif
