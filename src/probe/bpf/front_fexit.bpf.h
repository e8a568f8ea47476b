/* SPDX-License-Identifier: GPL-2.0 */
/* Front end for kernels before 6.3, which lack the length tracepoints: function exits of TCP
 * itself. Unix sockets are not seen here. The signatures are those of 5.19 to 6.2. */
SEC("fexit/tcp_sendmsg")
int BPF_PROG(fexit_send, struct sock* sk, struct msghdr* msg, unsigned long size, int ret) {
  return message(sk, DIRECTION_SEND, ret, 0);
}

SEC("fexit/tcp_sendpage")
int BPF_PROG(fexit_sendpage, struct sock* sk, struct page* page, int offset, unsigned long size,
             int flags, int ret) {
  return message(sk, DIRECTION_SEND, ret, flags);
}

SEC("fexit/tcp_recvmsg")
int BPF_PROG(fexit_receive, struct sock* sk, struct msghdr* msg, unsigned long length, int flags,
             int* addr_len, int ret) {
  return message(sk, DIRECTION_RECEIVE, ret, flags);
}
