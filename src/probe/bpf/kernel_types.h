/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The few kernel structures that the programs read, with only the fields they read. CO-RE relocates
 * every access at load time, so names matter here and layout does not. This replaces the 2.8 MB
 * vmlinux.h: it compiles faster, and it shows at a glance what we depend on. */
#ifndef SONDE_PROBE_BPF_KERNEL_TYPES_H
#define SONDE_PROBE_BPF_KERNEL_TYPES_H

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void*)0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
  union {
    u8 u6_addr8[16];
    u32 u6_addr32[4];
  } in6_u;
};
struct ns_common {
  unsigned int inum;
};
struct net {
  struct ns_common ns;
};
typedef struct {
  struct net* net;
} possible_net_t;
struct sock_common {
  u32 skc_daddr;
  u32 skc_rcv_saddr;
  u16 skc_dport;
  u16 skc_num;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  unsigned long skc_flags;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};
struct inode {
  unsigned short i_mode;
  unsigned long i_ino;
};
struct file {
  unsigned int f_flags;
  struct inode* f_inode;
  void* private_data;
};
struct socket {
  short type;
  struct file* file;
  struct sock* sk;
};
struct upid {
  int nr;
};
struct pid {
  struct upid numbers[1];
};
struct sk_buff_head {
  u32 qlen;
};
struct sock {
  struct sock_common __sk_common;
  struct sk_buff_head sk_receive_queue;
  struct pid* sk_peer_pid;
  struct socket* sk_socket;
  u16 sk_type;
  u16 sk_protocol;
  u8 sk_shutdown;
  u32 sk_max_ack_backlog;
};
struct inet_connection_sock {
  struct {
    u32 lrcvtime;
  } icsk_ack;
};
struct tcp_sock {
  struct inet_connection_sock inet_conn;
  u32 rcv_nxt;
  u32 copied_seq;
  u32 write_seq;
  u32 snd_una;
  u64 bytes_received;
  u64 bytes_acked;
  u64 tcp_clock_cache;
  u64 tcp_wstamp_ns;
  u64 delivered_mstamp;
  u32 segs_in;
  u32 data_segs_in;
  u32 data_segs_out;
};
struct unix_address;
struct unix_sock {
  struct unix_address* addr;
  struct sock* peer;
};
struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};
struct files_struct {
  struct fdtable* fdt;
};
typedef struct {
  int counter;
} atomic_t;
struct signal_struct {
  atomic_t live;
};
struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
};
struct linux_binprm {
  const char* interp;
};
struct thread_info {
  u32 status;
};
struct io_uring_task;
struct task_struct {
  struct thread_info thread_info;
  unsigned int flags;
  int pid;
  int tgid;
  char comm[16];
  struct mm_struct* mm;
  struct io_uring_task* io_uring;
  struct files_struct* files;
  struct signal_struct* signal;
};
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long bx, cx, r10, r9, r8, dx, si, di, orig_ax;
};
#endif
struct iovec;
/* The kernel's own numbers are looked up by these names. */
enum iter_type { ITER_UBUF, ITER_IOVEC };
struct iov_iter {
  u8 iter_type;
  unsigned long iov_offset;
  union {
    struct {
      union {
        const struct iovec* __iov;
        void* ubuf;
      };
      unsigned long count;
    };
  };
  unsigned long nr_segs;
};
struct msghdr {
  struct iov_iter msg_iter;
};
struct sk_buff {
  struct sock* sk;
  char cb[48];
};
struct tcp_skb_cb {
  u32 seq;
  u16 tcp_flags;
};
struct io_cqe {
  int fd;
};
struct io_rsrc_node {
  unsigned long file_ptr;
};
struct io_rsrc_data {
  unsigned int nr;
  struct io_rsrc_node** nodes;
};
struct io_file_table {
  struct io_rsrc_data data;
};
struct io_ring_ctx {
  struct io_file_table file_table;
};
struct io_kiocb {
  struct file* file;
  u8 opcode;
  u64 flags;
  struct io_cqe cqe;
  struct io_ring_ctx* ctx;
  void* async_data;
};
/* The operands of a request, by kind of operation: they lie at its start. */
struct io_sr_msg {
  void* buf;
  int len;
  unsigned int done_io;
  u16 flags;
};
struct io_async_msghdr {
  struct msghdr msg;
};
struct kiocb {
  long long ki_pos;
};
struct io_rw {
  struct kiocb kiocb;
  u64 addr;
  u32 len;
};
struct page;

#pragma clang attribute pop

/* These two belong to the user-space ABI: their layout is fixed. */
struct user_iovec {
  u64 base;
  u64 length;
};
struct user_msghdr_head {
  u64 name;
  u64 name_length;
  u64 iov;
  u64 iov_count;
};

#endif
