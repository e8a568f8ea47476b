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
  FIRST_LONG_CAPTURE = 1024, /* Of a first message that is longer than a whole budget. */
  TURNS_NEW = 6,             /* Three each way decide about a socket seen from its start. */
  TURNS_MIDSTREAM = 32,      /* One that was open may be deep in a body. */
  JUDGE_EVERY_MASK = 15,     /* One turn of sixteen. */
  END_OF_HEAD = 0x0a0d0a0d,  /* CR LF CR LF */
  MIDSTREAM_SLACK = 2,       /* SYN and FIN count as bytes in some counters. */
};

static __always_inline void map_v4(u8* out, u32 address) {
  u32* words = (u32*)out;
  words[0] = 0;
  words[1] = 0;
  words[2] = bpf_htonl(0xffff);
  words[3] = address;
}

/* Fills what stays the same for the life of the socket. False: not a socket that we follow. */
static __always_inline bool describe(struct conn* c, struct sock* sk, struct tcp_sock* tcp,
                                     int direction, u32 ret) {
  struct sonde_event e = {};
  const u16 family = sk->__sk_common.skc_family;
  if (family == SONDE_FAMILY_UNIX) {
    if (sk->sk_type != STREAM) return false;
    /* A server's end shares the name of its listener; a client's is nameless. */
    struct unix_sock* u = (struct unix_sock*)bpf_skc_to_unix_sock(sk);
    if (u && u->addr) e.flags |= SONDE_ACCEPTED;
  } else {
    u32 pending;
    u64 received, sent;
    if (!tcp) return false;
    /* The backlog of a listener is inherited by what it accepts and is 0 on a client. */
    if (sk->sk_max_ack_backlog) e.flags |= SONDE_ACCEPTED;
    e.local_port = sk->__sk_common.skc_num;
    e.remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
    pending = tcp->rcv_nxt - tcp->copied_seq;
    received = tcp->bytes_received - pending;
    pending = tcp->write_seq - tcp->snd_una;
    sent = tcp->bytes_acked + pending;
    if (direction == DIRECTION_RECEIVE) {
      received -= ret;
    } else {
      sent -= ret;
    }
    if ((long long)received > MIDSTREAM_SLACK) c->gap[0] = 1;
    if ((long long)sent > MIDSTREAM_SLACK) c->gap[1] = 1;
    if (c->gap[0] | c->gap[1]) c->flags |= CONN_MIDSTREAM;
  }
  e.family = family;
  e.netns = sk->__sk_common.skc_net.net->ns.inum;
  e.cookie = bpf_get_socket_cookie(sk);
  c->template = e;
  if (family == SONDE_FAMILY_INET) {
    map_v4(c->template.local_addr, sk->__sk_common.skc_rcv_saddr);
    map_v4(c->template.remote_addr, sk->__sk_common.skc_daddr);
  } else if (family == SONDE_FAMILY_INET6) {
    struct in6_addr a = sk->__sk_common.skc_v6_rcv_saddr;
    __builtin_memcpy(c->template.local_addr, &a, 16);
    a = sk->__sk_common.skc_v6_daddr;
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

static __always_inline void finish_event(struct sonde_event* e, const struct sonde_event* from) {
  __builtin_memcpy(e, from, sizeof(*from));
}

/* The ring takes records of constant size only, hence one branch a size class. */
#define SONDE_EMIT_CLASS(size)                                                       \
  if (want <= (size)) {                                                              \
    struct sonde_event* e = bpf_ringbuf_reserve(&events, sizeof(*e) + (size), 0);    \
    if (!e) {                                                                        \
      count_lost();                                                                  \
      return false;                                                                  \
    }                                                                                \
    if (gathered) {                                                                  \
      if (bpf_probe_read_kernel(e->payload, want, gathered)) want = 0;               \
    } else if (want && bpf_probe_read_user(e->payload, want, (void*)from->buffer)) { \
      want = 0;                                                                      \
      h->flags |= SONDE_PAYLOAD_MISSING;                                             \
    }                                                                                \
    h->captured = want;                                                              \
    finish_event(e, h);                                                              \
    bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);                                         \
    return true;                                                                     \
  }

static __always_inline bool emit(struct sonde_event* h, const struct source* from, int direction,
                                 u32 want) {
  u8* gathered = NULL;
  if (want && from->buffer_length < want) {
    /* Most servers send the head and the body as two segments of one call. The head is all that
     * anybody asks for, and without the body it needs no second copy. */
    u32 end = 0;
    if (from->buffer_length >= 4 &&
        !bpf_probe_read_user(&end, 4, (void*)(from->buffer + from->buffer_length - 4)) &&
        end == END_OF_HEAD)
      want = from->buffer_length;
  }
  if (want && from->buffer_length < want) {
    const u32 key = direction == DIRECTION_SEND;
    want = gather(from->iov, from->iov_count, direction, want);
    gathered = bpf_map_lookup_elem(&scratch, &key);
    if (!gathered) want = 0;
    if (want == 0) h->flags |= SONDE_PAYLOAD_MISSING;
  }
  if (want == 0) {
    struct sonde_event* e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
    if (!e) {
      count_lost();
      return false;
    }
    finish_event(e, h);
    bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
    return true;
  }
  SONDE_EMIT_CLASS(128)
  SONDE_EMIT_CLASS(256)
  SONDE_EMIT_CLASS(512)
  SONDE_EMIT_CLASS(1024)
  SONDE_EMIT_CLASS(4096)
  return false;
}

static __always_inline int message(struct sock* sk, int direction, int ret, int flags) {
  const u64 id = bpf_get_current_pid_tgid();
  const u32 tgid = id >> 32;
  const int index = direction == DIRECTION_SEND;
  struct sonde_event h;
  struct source from = {};
  struct tcp_sock* tcp;
  struct file* file;
  struct conn* c;
  enum sonde_match match = SONDE_MATCH_YES;
  bool turn_start;
  u64 offset, arrived = 0;
  u32 want;

  if (ret <= 0 || is_excluded(tgid)) return 0;
  if (direction == DIRECTION_RECEIVE && (flags & MSG_PEEK_FLAG)) return 0;
  c = bpf_sk_storage_get(&conns, sk, NULL, 0);
  if (!c) {
    const u16 family = sk->__sk_common.skc_family;
    if (family != SONDE_FAMILY_INET && family != SONDE_FAMILY_INET6 && family != SONDE_FAMILY_UNIX)
      return 0;
    if (sk->sk_type != STREAM) return 0;
    c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!c) {
      count_lost();
      return 0;
    }
  }
  if (c->flags & CONN_MUTED) return 0;
  tcp = bpf_skc_to_tcp_sock(sk);
  if (!(c->flags & CONN_KNOWN) && !describe(c, sk, tcp, direction, ret)) {
    c->flags |= CONN_MUTED;
    return 0;
  }
  offset = c->offset[index];
  c->offset[index] = offset + (u32)ret;
  if (direction == DIRECTION_RECEIVE) {
    arrived = c->arrived_ns;
    c->arrived_ns = 0;
  }
  turn_start = c->last != direction;
  if (turn_start) {
    c->last = direction;
    c->turn_captured = 0;
    c->head = 0;
    c->head_length = 0;
  }

  file = sk->sk_socket->file;
  if (c->turn_captured < SONDE_PAYLOAD_MAX &&
      !(direction == DIRECTION_RECEIVE && (flags & MSG_TRUNC_FLAG)))
    find_source(&from, sk, direction, file);

  /* The head of a turn is judged until it is certain; a recognised connection is looked at now and
   * then, because it may have been upgraded to another protocol. */
  if ((c->flags & CONN_MATCHED) && !(turn_start && (c->unjudged++ & JUDGE_EVERY_MASK) == 0)) {
    c->head_length = 8;
  } else if (turn_start || c->head_length < 8) {
    u64 bytes = 0;
    const u32 n = (u32)ret < 8 ? (u32)ret : 8;
    u32 some = n < from.buffer_length ? n : from.buffer_length;
    if (from.buffer && some == 8) {
      if (bpf_probe_read_user(&bytes, 8, (void*)from.buffer)) from.buffer = 0;
    } else if (from.buffer) {
      /* Verifiers before 6.3 lose the bound where the compiler moves the comparison. */
      asm volatile("" : "+r"(some));
      some &= 7;
      if (bpf_probe_read_user(&bytes, some, (void*)from.buffer)) from.buffer = 0;
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
  h = c->template;
  if (want && !from.buffer) {
    want = 0;
    h.flags |= SONDE_PAYLOAD_MISSING;
  }
  h.time_ns = bpf_ktime_get_ns();
  h.arrived_ns = arrived;
  h.tgid = tgid;
  h.tid = (u32)id;
  h.length = (u32)ret;
  h.type = direction;
  h.stream_offset = offset;
  if (tcp) h.seq = (direction == DIRECTION_RECEIVE ? tcp->copied_seq : tcp->write_seq) - (u32)ret;
  if (turn_start) h.flags |= SONDE_TURN_START;
  if (c->gap[index]) h.flags |= SONDE_GAP;
  if (file && !(file->f_flags & O_NONBLOCK_FLAG)) h.flags |= SONDE_SOCKET_BLOCKING;
  if (emit(&h, &from, direction, want)) {
    c->gap[index] = 0;
    c->turn_captured += h.captured;
    c->flags |= CONN_ANNOUNCED;
  } else {
    c->gap[index] = 1;
  }
  return 0;
}

#endif
