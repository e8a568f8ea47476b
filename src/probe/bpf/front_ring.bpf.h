/* SPDX-License-Identifier: GPL-2.0 */
/* Remembers what rings are asked to do with sockets. It runs for every request that is submitted to
 * a ring and for nothing else. The tracepoint was called io_uring_submit_sqe before 6.3. */

enum { FILE_TYPE = 0170000, SOCKET_FILE = 0140000, FIXED_FILE = 1, NODE_FLAGS = 7 };

static __always_inline u64 file_of(struct io_kiocb* request) {
  const u32 fd = request->cqe.fd;
  u64 entry = 0;
  if (request->flags & FIXED_FILE) {
    const struct io_file_table* table = &request->ctx->file_table;
    /* The table had another form before 6.13. */
    if (!bpf_core_field_exists(table->data.nodes) || fd >= table->data.nr) return 0;
    if (bpf_probe_read_kernel(&entry, sizeof(entry), table->data.nodes + fd) || !entry) return 0;
    return BPF_CORE_READ((struct io_rsrc_node*)entry, file_ptr) & ~(u64)NODE_FLAGS;
  }
  const struct fdtable* table = bpf_get_current_task_btf()->files->fdt;
  if (fd >= table->max_fds) return 0;
  if (bpf_probe_read_kernel(&entry, sizeof(entry), table->fd + fd)) return 0;
  return entry;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_ring_submit, struct io_kiocb* request) {
  const u8 op = request->opcode;
  const u32 direction = direction_of(op);
  struct request_set* set;
  struct request_key key = {.direction = direction};
  const struct file* file;
  const struct socket* socket;
  if (!direction || is_excluded(bpf_get_current_pid_tgid() >> 32)) return 0;
  if (is_file_operation(op)) {
    /* A position inside a file: what databases do all day. */
    const long long at = BPF_CORE_READ((struct io_rw*)request, kiocb.ki_pos);
    if (at != 0 && at != -1) return 0;
  }
  file = (void*)file_of(request);
  if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & FILE_TYPE) != SOCKET_FILE) return 0;
  socket = BPF_CORE_READ(file, private_data);
  key.sk = (u64)BPF_CORE_READ(socket, sk);
  set = bpf_map_lookup_elem(&requests, &key);
  if (!set) {
    const struct request_set fresh = {.request = {(u64)request}, .next = 1};
    if (bpf_map_update_elem(&requests, &key, &fresh, BPF_ANY)) count_lost();
    return 0;
  }
  set->request[set->next & (REQUESTS - 1)] = (u64)request;
  set->next++;
  return 0;
}
