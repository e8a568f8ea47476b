/* SPDX-License-Identifier: GPL-2.0 */
/* One message moved by one socket: every front end ends here. The order of the checks is the cost
 * model: an excluded process pays one bit test, a socket of a foreign protocol one storage lookup,
 * and only messages of recognised connections are copied. Nobody is woken: user space drains the
 * ring on a timer, since a wake-up costs more than everything else here together. */
#ifndef SONDE_PROBE_BPF_CORE_H
#define SONDE_PROBE_BPF_CORE_H

enum {
  MSG_PEEK_FLAG = 2,
  MSG_TRUNC_FLAG = 0x20,
  O_NONBLOCK_FLAG = 04000,
  STREAM = 1,
  SHUT_BOTH_WAYS = 3,
  SOCK_DONE = 1,             /* Bit of skc_flags: a FIN was received. */
  FIRST_LONG_CAPTURE = 1024, /* Of a first message that is longer than a whole budget. */
  TURNS_NEW = 6,             /* Three each way decide about a socket seen from its start. */
  TURNS_MIDSTREAM = 32,      /* One that was open may be deep in a body. */
  JUDGE_EVERY_MASK = 15,     /* One turn of sixteen. */
  MIDSTREAM_SLACK = 2,       /* SYN and FIN count as bytes in some counters. */
};

static __always_inline void map_v4(u8* out, u32 address) {
  u32* words = (u32*)out;
  words[0] = 0;
  words[1] = 0;
  words[2] = bpf_htonl(0xffff);
  words[3] = address;
}

/* Did the socket send anything before these last bytes? */
static __always_inline bool sent_before(struct tcp_sock* tcp, u32 length, bool typed) {
  const u32 pending = LOAD(typed, tcp, write_seq) - LOAD(typed, tcp, snd_una);
  const u64 sent = LOAD(typed, tcp, bytes_acked) + pending - length;
  return (long long)sent > MIDSTREAM_SLACK;
}

/* Numbers the sockets of a front end that cannot ask for the kernel's own cookie. */
__u64 next_cookie = 1;

/* Fills what stays the same for the life of the socket. False: not a socket that we follow. */
static __always_inline bool describe(struct conn* c, struct sock* sk, struct tcp_sock* tcp,
                                     int direction, u32 ret, bool typed) {
  struct sonde_event e = {};
  const u16 family = LOAD(typed, sk, __sk_common.skc_family);
  struct net* net = LOAD(typed, sk, __sk_common.skc_net.net);
  if (family == SONDE_FAMILY_UNIX) {
    if (LOAD(typed, sk, sk_type) != STREAM) return false;
    /* A server's end shares the name of its listener; a client's is nameless. */
    struct unix_sock* u =
        typed ? (struct unix_sock*)bpf_skc_to_unix_sock(sk) : (struct unix_sock*)sk;
    if (u && LOAD(typed, u, addr)) e.flags |= SONDE_ACCEPTED;
  } else {
    u32 pending;
    u64 received;
    if (!tcp) return false;
    /* The backlog of a listener is inherited by what it accepts and is 0 on a client. */
    if (LOAD(typed, sk, sk_max_ack_backlog)) e.flags |= SONDE_ACCEPTED;
    e.local_port = LOAD(typed, sk, __sk_common.skc_num);
    e.remote_port = bpf_ntohs(LOAD(typed, sk, __sk_common.skc_dport));
    pending = LOAD(typed, tcp, rcv_nxt) - LOAD(typed, tcp, copied_seq);
    received = LOAD(typed, tcp, bytes_received) - pending;
    if (direction == DIRECTION_RECEIVE) received -= ret;
    if ((long long)received > MIDSTREAM_SLACK) c->gap[0] = 1;
    if (sent_before(tcp, direction == DIRECTION_SEND ? ret : 0, typed)) c->gap[1] = 1;
    if (c->gap[0] | c->gap[1]) c->flags |= CONN_MIDSTREAM;
  }
  e.family = family;
  e.netns = LOAD(typed, net, ns.inum);
  e.cookie = typed ? bpf_get_socket_cookie(sk) : __sync_fetch_and_add(&next_cookie, 1);
  c->template = e;
  if (family == SONDE_FAMILY_UNIX) {
    struct pid* peer = LOAD(typed, sk, sk_peer_pid);
    if (peer) *(u32*)c->template.remote_addr = LOAD(typed, peer, numbers[0].nr);
  }
  if (family == SONDE_FAMILY_INET) {
    map_v4(c->template.local_addr, LOAD(typed, sk, __sk_common.skc_rcv_saddr));
    map_v4(c->template.remote_addr, LOAD(typed, sk, __sk_common.skc_daddr));
  } else if (family == SONDE_FAMILY_INET6) {
    struct in6_addr a = LOAD(typed, sk, __sk_common.skc_v6_rcv_saddr);
    __builtin_memcpy(c->template.local_addr, &a, 16);
    a = LOAD(typed, sk, __sk_common.skc_v6_daddr);
    __builtin_memcpy(c->template.remote_addr, &a, 16);
  }
  c->flags |= CONN_KNOWN;
  return true;
}

/* The match, and above it the number of the protocol. */
__attribute__((noinline)) int classify(u64 word, u32 n) {
  u8 protocol = 0;
  const enum sonde_match m = sonde_classify(word, n, &protocol);
  return m | protocol << 8;
}

/* Joins `n` more bytes to the head of this turn and asks the protocols about it. */
static __always_inline enum sonde_match judge(struct conn* c, u64 bytes, u32 n) {
  u32 answer;
  enum sonde_match m;
  if (n > 8) n = 8;
  if (c->head_length < 8) {
    c->head |= (bytes & sonde_mask(n)) << (c->head_length * 8);
    n += c->head_length;
    c->head_length = n > 8 ? 8 : n;
  }
  if (c->head_length == 0) return SONDE_MATCH_NO;
  answer = classify(c->head, c->head_length);
  m = answer & 0xff;
  if (m == SONDE_MATCH_YES) {
    c->flags |= CONN_MATCHED;
    c->template.protocol = answer >> 8;
    c->turns = 0;
  }
  return m;
}

/* The ring takes records of constant size only, hence one branch a size class. */
#define SONDE_RESERVE_CLASS(size)                                       \
  if (want <= (size)) {                                                 \
    e = bpf_ringbuf_reserve(&events, sizeof(*e) + (size), 0);           \
    if (!e) return NULL;                                                \
    if (want) *captured = copy_payload(e, from, direction, want, size); \
    return e;                                                           \
  }

/* Copies the head of the message behind the record; answers how many bytes. */
static __always_inline u32 copy_payload(struct sonde_event* e, const struct source* from,
                                        int direction, u32 want, u32 room) {
  u32 first = from->buffer_length < want ? from->buffer_length : want;
  const u32 key = direction == DIRECTION_SEND;
  u8* gathered;
  u32 have;
  /* Verifiers before 6.3 know a minimum's bound only where it is tested against a constant. */
  asm volatile("" : "+r"(first));
  if (first > room || read_source(e->payload, first, from)) return 0;
  if (first == want) return want;
  /* Most servers send the head and the body as two segments of one call. The head is all that
   * anybody asks for, and without the body it needs no second copy. */
  if (first >= 4 && sonde_head_ends(from->protocol, *(u32*)(e->payload + first - 4))) return first;
  have = gather(from->iov, from->iov_count, direction, want, from->narrow);
  gathered = bpf_map_lookup_elem(&scratch, &key);
  /* All that is wanted, since the verifier knows no better bound; only `have` of it counts. */
  asm volatile("" : "+r"(want));
  if (!gathered || want > room || bpf_probe_read_kernel(e->payload, want, gathered)) return 0;
  return have;
}

static __always_inline struct sonde_event* reserve(const struct source* from, int direction,
                                                   u32 want, u32* captured) {
  struct sonde_event* e;
  SONDE_RESERVE_CLASS(0)
  SONDE_RESERVE_CLASS(128)
  SONDE_RESERVE_CLASS(256)
  SONDE_RESERVE_CLASS(512)
  SONDE_RESERVE_CLASS(1024)
  SONDE_RESERVE_CLASS(4096)
  return NULL;
}

/* TCP sequence of the first byte of the message that was just moved. The FIN takes a number too,
 * and a receive that meets it steps over it. */
static __always_inline u32 first_byte(struct sock* sk, struct tcp_sock* tcp, int direction,
                                      u32 length, bool typed) {
  u32 end;
  if (!tcp) return 0;
  if (direction == DIRECTION_SEND) return LOAD(typed, tcp, write_seq) - length;
  end = LOAD(typed, tcp, copied_seq);
  if ((LOAD(typed, sk, __sk_common.skc_flags) >> SOCK_DONE & 1) && end == LOAD(typed, tcp, rcv_nxt))
    end--;
  return end - length;
}

/* Bytes that splice took out of the socket since the last receive: it passes no tracepoint. */
static __always_inline u32 taken_unseen(struct conn* c, u32 from, u32 length) {
  const u32 unseen = from - c->received_to;
  const bool known = c->received_to != 0;
  c->received_to = from + length;
  return known && (int)unseen > 0 ? unseen : 0;
}

/* A send is told when it has ended, so a receive of another thread may be told before it. The
 * sequence numbers show that something was sent, so such a receive begins a turn. */
static __always_inline bool overtakes_a_send(struct conn* c, struct tcp_sock* tcp, int direction,
                                             u32 end, u32 length, bool typed) {
  const u32 known = c->sent_to;
  if (direction == DIRECTION_RECEIVE) {
    const u32 sent = LOAD(typed, tcp, write_seq);
    if (known == 0 || sent == known) return false;
    c->sent_to = sent;
    c->overtaken = 1;
    return true;
  }
  /* What looked like sent long ago was this. */
  if (known == 0 && c->gap[1] && !sent_before(tcp, length, typed)) c->gap[1] = 0;
  c->sent_to = end;
  return false;
}

/* What `message` does once the state of the socket is found. */
static __always_inline int moved(struct conn* c, struct sock* sk, struct tcp_sock* tcp,
                                 struct file* file, struct task_struct* task, int direction,
                                 int ret, int flags, bool typed) {
  const int index = direction == DIRECTION_SEND;
  struct sonde_event* e;
  enum sonde_match match = SONDE_MATCH_YES;
  bool turn_start;
  u64 offset, now, arrived = 0;
  u32 want, seq, captured = 0;
  bool asked;
  struct source from = {};

  if (!(c->flags & CONN_KNOWN) && !describe(c, sk, tcp, direction, ret, typed)) {
    c->flags |= CONN_MUTED;
    return 0;
  }
  offset = c->offset[index];
  seq = first_byte(sk, tcp, direction, (u32)ret, typed);
  if (tcp && direction == DIRECTION_RECEIVE) offset += taken_unseen(c, seq, (u32)ret);
  c->offset[index] = offset + (u32)ret;
  now = message_time(tcp, typed);
  if (direction == DIRECTION_RECEIVE && tcp && (c->template.flags & SONDE_ACCEPTED))
    arrived = arrival(c, tcp, now, typed);
  turn_start = c->last != direction;
  if (tcp && overtakes_a_send(c, tcp, direction, seq + (u32)ret, (u32)ret, typed))
    turn_start = true;
  if (turn_start) {
    c->last = direction;
    c->turn_captured = 0;
    c->head = 0;
    c->head_length = 0;
    c->many_at = 0;
  }
  /* What is sent next answers the receive that was told too early. */
  if (c->overtaken && direction == DIRECTION_SEND) {
    c->overtaken = 0;
    c->last = 0;
  }

  if (c->turn_captured < SONDE_PAYLOAD_MAX &&
      !(direction == DIRECTION_RECEIVE && (flags & MSG_TRUNC_FLAG)))
    find_source(&from, c, direction, (u32)ret, file, task);
  if (typed && !from.buffer)
    find_ring_source(&from, task, sk, tcp, direction, (u32)ret, seq, turn_start);

  /* The head of a turn is judged until it is certain; a recognised connection is looked at now and
   * then, because it may have been upgraded to another protocol. */
  if ((c->flags & CONN_MATCHED) && !(turn_start && (c->unjudged++ & JUDGE_EVERY_MASK) == 0)) {
    c->head_length = 8;
  } else if (turn_start || c->head_length < 8) {
    u64 bytes = 0;
    const u32 n = (u32)ret < 8 ? (u32)ret : 8;
    u32 some = n < from.buffer_length ? n : from.buffer_length;
    if (from.buffer && some == 8) {
      if (read_source(&bytes, 8, &from)) from.buffer = 0;
    } else if (from.buffer) {
      /* Verifiers before 6.3 lose the bound where the compiler moves the comparison. */
      asm volatile("" : "+r"(some));
      some &= 7;
      if (read_source(&bytes, some, &from)) from.buffer = 0;
    }
    match = from.buffer ? judge(c, bytes, some) : SONDE_MATCH_NO;
    if (match == SONDE_MATCH_NO && turn_start && c->turns < 255) {
      c->turns++;
      if (c->turns >= (c->flags & (CONN_MIDSTREAM | CONN_MATCHED) ? TURNS_MIDSTREAM : TURNS_NEW)) {
        c->flags |= CONN_MUTED;
        return 0;
      }
    }
    if (match == SONDE_MATCH_NO && !(c->flags & CONN_MATCHED)) {
      c->gap[index] = 1;
      return 0;
    }
  } else if (!(c->flags & CONN_MATCHED)) {
    c->gap[index] = 1;
    return 0;
  }

  want = (u32)ret;
  if (c->turn_captured == 0) {
    if (want > SONDE_PAYLOAD_MAX) want = FIRST_LONG_CAPTURE;
  } else {
    const u32 left = SONDE_PAYLOAD_MAX - c->turn_captured;
    if (want > left) want = left;
  }
  asked = want != 0;
  if (!from.buffer) want = 0;
  from.protocol = c->template.protocol;
  if (from.in_kernel && want > from.buffer_length) want = from.buffer_length;
  e = reserve(&from, direction, want, &captured);
  if (!e) {
    count_lost();
    c->gap[index] = GAP_NO_ROOM;
    return 0;
  }
  __builtin_memcpy(e, &c->template, sizeof(*e));
  e->time_ns = now;
  e->arrived_ns = arrived;
  e->tgid = task->tgid;
  e->tid = task->pid;
  e->seq = seq;
  e->length = (u32)ret;
  e->captured = captured;
  e->type = direction;
  e->stream_offset = offset;
  if (turn_start) e->flags |= SONDE_TURN_START;
  if (c->gap[index]) e->flags |= SONDE_GAP;
  if (file && !(LOAD(typed, file, f_flags) & O_NONBLOCK_FLAG)) e->flags |= SONDE_SOCKET_BLOCKING;
  if (asked && !captured) e->flags |= SONDE_PAYLOAD_MISSING;
  bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
  c->gap[index] = 0;
  c->turn_captured += captured;
  c->flags |= CONN_ANNOUNCED;
  return 0;
}

static __always_inline bool may_be_followed(u16 family, u16 type) {
  return type == STREAM && (family == SONDE_FAMILY_INET || family == SONDE_FAMILY_INET6 ||
                            family == SONDE_FAMILY_UNIX);
}

/* Tells user space that nothing more will be moved; once, however often it is found out. */
static __always_inline void report_close(struct conn* c) {
  struct sonde_event* e;
  if (!c || !(c->flags & CONN_ANNOUNCED)) return;
  c->flags &= ~CONN_ANNOUNCED;
  e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    count_lost();
    return;
  }
  __builtin_memcpy(e, &c->template, sizeof(*e));
  e->time_ns = bpf_ktime_get_ns();
  e->type = SONDE_CLOSE;
  if (c->gap[0] == GAP_NO_ROOM || c->gap[1] == GAP_NO_ROOM) e->flags |= SONDE_GAP;
  bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* No tracepoint tells of the end of a unix socket, but the other end meets it: a receive or send
 * that moves nothing, when both ways are shut and nothing is left to be read, is the end of both.
 * The socket of the end that closed first lives, with its storage, as long as its peer. */
static __always_inline bool unix_ended(struct sock* sk, bool typed) {
  return LOAD(typed, sk, __sk_common.skc_family) == SONDE_FAMILY_UNIX &&
         LOAD(typed, sk, sk_shutdown) == SHUT_BOTH_WAYS &&
         LOAD(typed, sk, sk_receive_queue.qlen) == 0;
}

static __always_inline int moved_nothing(struct sock* sk) {
  struct unix_sock* u;
  if (!unix_ended(sk, true)) return 0;
  report_close(bpf_sk_storage_get(&conns, sk, NULL, 0));
  u = (struct unix_sock*)bpf_skc_to_unix_sock(sk);
  if (u && u->peer) report_close(bpf_sk_storage_get(&conns, u->peer, NULL, 0));
  return 0;
}

static __always_inline int message(struct sock* sk, int direction, int ret, int flags) {
  struct task_struct* task;
  struct conn* c;

  /* Half of all receives of some servers only find out that there is nothing more. */
  if (ret <= 0) return moved_nothing(sk);
  task = bpf_get_current_task_btf();
  if (is_excluded(task->tgid)) return 0;
  if (direction == DIRECTION_RECEIVE && (flags & MSG_PEEK_FLAG)) return 0;
  c = bpf_sk_storage_get(&conns, sk, NULL, 0);
  if (!c) {
    if (!may_be_followed(sk->__sk_common.skc_family, sk->sk_type)) return 0;
    c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!c) {
      count_lost();
      return 0;
    }
  }
  if (c->flags & CONN_MUTED) return 0;
  return moved(c, sk, bpf_skc_to_tcp_sock(sk), sk->sk_socket->file, task, direction, ret, flags,
               true);
}

#endif
