/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that do nothing on the tracepoints of the probe's front end: what attaching costs. */
/* clang-format off */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
/* clang-format on */

SEC("tp_btf/sock_send_length")
int empty_send(void* context) { return 0; }

SEC("tp_btf/sock_recv_length")
int empty_receive(void* context) { return 0; }

char LICENSE[] SEC("license") = "GPL";
