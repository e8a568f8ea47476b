/* SPDX-License-Identifier: GPL-2.0 */
/* Front end for kernels from 6.3: two tracepoints that fire after every socket send and receive, in
 * the process's own context. Only sockets pay; every other system call stays untouched. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(length_send, struct sock* sk, int ret, int flags) {
  return message(sk, DIRECTION_SEND, ret, flags);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(length_receive, struct sock* sk, int ret, int flags) {
  return message(sk, DIRECTION_RECEIVE, ret, flags);
}
