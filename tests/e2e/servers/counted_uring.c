// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server whose every socket operation goes through io_uring, in the shapes that servers
// use: counted_uring PORT MODE, where MODE is one of
//   plain      recv and send         vectors    recvmsg and sendmsg of two segments
//   files      read and write        multishot  multishot accept and receive into a ring of buffers
//   workers    each in the kernel's worker threads (IOSQE_ASYNC)
//   polling    submitted by the kernel's polling thread (SQPOLL)
//   zerocopy   send without a copy   linked     head and body as two linked sends
//   fixed      buffers that were registered beforehand
// /missing answers 404, /broken 500, /big 2 MB, all else 200.
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 256, IN = 8192, BIG = 2000000, GROUP = 1, BUFFERS = 64 };
enum { ACCEPT, RECEIVE, SEND };

struct client {
  int fd, used;
  char in[IN];
  size_t have;
  char head[256];
  struct iovec out[2], rest[2];
  struct msghdr message;
  size_t left;
  int close_after, receiving, fresh;
};

static struct io_uring ring;
static struct client clients[CLIENTS];
static const char* mode;
static char* big;
static char* fixed_out;
static struct io_uring_buf_ring* buffers;
static char pool[BUFFERS][IN];
static int listener;

static int is(const char* name) { return strcmp(mode, name) == 0; }

static struct io_uring_sqe* next(int what, int index) {
  struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  if (!sqe) {
    io_uring_submit(&ring);
    sqe = io_uring_get_sqe(&ring);
  }
  sqe->user_data = (unsigned long)what << 32 | (unsigned)index;
  return sqe;
}

static void prepared(struct io_uring_sqe* sqe, int what, int index) {
  sqe->user_data = (unsigned long)what << 32 | (unsigned)index;
  if (is("workers")) sqe->flags |= IOSQE_ASYNC;
}

static void accept_more(void) {
  struct io_uring_sqe* sqe = next(ACCEPT, 0);
  if (is("multishot")) {
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
  } else {
    io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
  }
  sqe->user_data = (unsigned long)ACCEPT << 32;
}

static void receive(int index) {
  struct client* c = &clients[index];
  struct io_uring_sqe* sqe = next(RECEIVE, index);
  c->receiving = 1;
  if (is("multishot")) {
    io_uring_prep_recv(sqe, c->fd, NULL, 0, 0);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
  } else if (is("files")) {
    io_uring_prep_read(sqe, c->fd, c->in + c->have, (unsigned)(IN - c->have), 0);
  } else if (is("fixed")) {
    io_uring_prep_read_fixed(sqe, c->fd, c->in + c->have, (unsigned)(IN - c->have), 0, 0);
  } else if (is("vectors")) {
    c->rest[0] = (struct iovec){c->in + c->have, 3 < IN - c->have ? 3 : IN - c->have};
    c->rest[1] = (struct iovec){c->in + c->have + c->rest[0].iov_len, IN - c->have - c->rest[0].iov_len};
    c->message = (struct msghdr){.msg_iov = c->rest, .msg_iovlen = 2};
    io_uring_prep_recvmsg(sqe, c->fd, &c->message, 0);
  } else {
    io_uring_prep_recv(sqe, c->fd, c->in + c->have, IN - c->have, 0);
  }
  prepared(sqe, RECEIVE, index);
}

static void send_rest(int index) {
  struct client* c = &clients[index];
  struct io_uring_sqe* sqe;
  if (is("vectors")) {
    sqe = next(SEND, index);
    c->message = (struct msghdr){.msg_iov = c->out, .msg_iovlen = 2};
    if (c->out[0].iov_len == 0) c->message = (struct msghdr){.msg_iov = c->out + 1, .msg_iovlen = 1};
    io_uring_prep_sendmsg(sqe, c->fd, &c->message, MSG_NOSIGNAL);
    prepared(sqe, SEND, index);
    return;
  }
  for (int i = 0; i < 2; i++) {
    if (c->out[i].iov_len == 0) continue;
    sqe = next(SEND, index);
    if (is("files")) {
      io_uring_prep_write(sqe, c->fd, c->out[i].iov_base, (unsigned)c->out[i].iov_len, 0);
    } else if (is("fixed") && i == 0) {
      memcpy(fixed_out + index * 256, c->out[0].iov_base, c->out[0].iov_len);
      io_uring_prep_write_fixed(sqe, c->fd, fixed_out + index * 256, (unsigned)c->out[0].iov_len, 0, 1);
    } else if (is("zerocopy")) {
      io_uring_prep_send_zc(sqe, c->fd, c->out[i].iov_base, c->out[i].iov_len, MSG_NOSIGNAL | MSG_WAITALL, 0);
    } else {
      io_uring_prep_send(sqe, c->fd, c->out[i].iov_base, c->out[i].iov_len, MSG_NOSIGNAL | MSG_WAITALL);
    }
    prepared(sqe, SEND, index);
    if (!is("linked") || c->out[1].iov_len == 0) break;
    if (i == 0) sqe->flags |= IOSQE_IO_LINK;
  }
}

static void answer(int index) {
  struct client* c = &clients[index];
  char* end = memmem(c->in, c->have, "\r\n\r\n", 4);
  const char* status = "200 OK";
  const char* body = "ok";
  size_t length = 2;
  if (!end) {
    if (c->have == IN) exit(3);
    if (!c->receiving) receive(index);
    return;
  }
  if (memmem(c->in, (size_t)(end - c->in), " /missing ", 10)) status = "404 Not Found";
  if (memmem(c->in, (size_t)(end - c->in), " /broken ", 9)) status = "500 Oops";
  if (memmem(c->in, (size_t)(end - c->in), " /big ", 6)) body = big, length = BIG;
  c->close_after = memmem(c->in, (size_t)(end - c->in), "onnection: close", 16) != NULL;
  c->out[0].iov_base = c->head;
  c->out[0].iov_len = (size_t)sprintf(c->head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, length,
                                      c->close_after ? "Connection: close\r\n" : "");
  c->out[1].iov_base = (void*)body;
  c->out[1].iov_len = length;
  c->left = c->out[0].iov_len + length;
  c->have -= (size_t)(end + 4 - c->in);
  memmove(c->in, end + 4, c->have);
  send_rest(index);
}

static void drop(int index) {
  shutdown(clients[index].fd, SHUT_RDWR);
  close(clients[index].fd);
  clients[index].used = clients[index].receiving ? 2 : 0; /* 2: a receive is still to be answered */
}

static void accepted(int fd) {
  int one = 1;
  for (int i = 0; i < CLIENTS; i++) {
    if (clients[i].used) continue;
    memset(&clients[i], 0, sizeof clients[i]);
    clients[i].used = 1;
    clients[i].fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    receive(i);
    return;
  }
  close(fd);
}

static void received(int index, int result, unsigned flags) {
  struct client* c = &clients[index];
  if (!(flags & IORING_CQE_F_MORE)) c->receiving = 0;
  if (flags & IORING_CQE_F_BUFFER) {
    const int id = (int)(flags >> IORING_CQE_BUFFER_SHIFT);
    if (result > 0 && c->used == 1 && c->have + (size_t)result <= IN) memcpy(c->in + c->have, pool[id], (size_t)result);
    io_uring_buf_ring_add(buffers, pool[id], IN, (unsigned short)id, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
  }
  if (c->used == 2) {
    if (!c->receiving) c->used = 0;
    return;
  }
  if (result == -ENOBUFS) {
    receive(index);
  } else if (result <= 0) {
    drop(index);
  } else {
    c->have += (size_t)result;
    answer(index);
  }
}

static void sent(int index, int result) {
  struct client* c = &clients[index];
  if (c->used != 1) return;
  if (result < 0) {
    drop(index);
    return;
  }
  c->left -= (size_t)result;
  for (int i = 0; i < 2; i++) {
    const size_t n = (size_t)result < c->out[i].iov_len ? (size_t)result : c->out[i].iov_len;
    c->out[i].iov_base = (char*)c->out[i].iov_base + n;
    c->out[i].iov_len -= n;
    result -= (int)n;
  }
  if (c->left) {
    if (!is("linked")) send_rest(index);
  } else if (c->close_after) {
    drop(index);
  } else if (c->have) {
    answer(index);
  } else if (!c->receiving) {
    receive(index);
  }
}

int main(int argc, char** argv) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  struct io_uring_params params = {0};
  int one = 1, error;
  if (argc < 3) return 2;
  mode = argv[2];
  if (is("polling")) params.flags = IORING_SETUP_SQPOLL, params.sq_thread_idle = 1000;
  if ((error = io_uring_queue_init_params(1024, &ring, &params)) < 0) {
    fprintf(stderr, "io_uring: %s\n", strerror(-error));
    return 77;
  }
  big = malloc(BIG);
  memset(big, 'b', BIG);
  if (is("fixed")) {
    fixed_out = malloc(CLIENTS * 256);
    struct iovec all[2] = {{clients, sizeof clients}, {fixed_out, CLIENTS * 256}};
    if ((error = io_uring_register_buffers(&ring, all, 2)) < 0) {
      fprintf(stderr, "registering buffers: %s\n", strerror(-error));
      return 77;
    }
  }
  if (is("multishot")) {
    struct io_uring_buf_reg reg = {.ring_entries = BUFFERS, .bgid = GROUP};
    if (posix_memalign((void**)&buffers, 4096, BUFFERS * sizeof(struct io_uring_buf))) return 1;
    reg.ring_addr = (unsigned long)buffers;
    if ((error = io_uring_register_buf_ring(&ring, &reg, 0)) < 0) {
      fprintf(stderr, "buffer ring: %s\n", strerror(-error));
      return 77;
    }
    io_uring_buf_ring_init(buffers);
    for (int i = 0; i < BUFFERS; i++)
      io_uring_buf_ring_add(buffers, pool[i], IN, (unsigned short)i, io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
  }
  listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  address.sin_port = htons((unsigned short)atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) || listen(listener, 128)) {
    perror("listen");
    return 1;
  }
  accept_more();
  for (;;) {
    struct io_uring_cqe* cqe;
    io_uring_submit(&ring);
    if (io_uring_wait_cqe(&ring, &cqe) < 0) continue;
    const int index = (int)(cqe->user_data & 0xffffffff);
    const int what = (int)(cqe->user_data >> 32);
    const int result = cqe->res;
    const unsigned flags = cqe->flags;
    io_uring_cqe_seen(&ring, cqe);
    if (what == ACCEPT) {
      if (!(flags & IORING_CQE_F_MORE)) accept_more();
      if (result >= 0) accepted(result);
    } else if (what == RECEIVE) {
      received(index, result, flags);
    } else if (!(flags & IORING_CQE_F_NOTIF)) {
      sent(index, result);
    }
  }
}
