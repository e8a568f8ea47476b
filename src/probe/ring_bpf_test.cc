// SPDX-License-Identifier: Apache-2.0
// A connection whose server end is moved by io_uring, in this kernel: the bytes must arrive in the
// events whether the probe knows the request or has to look inside TCP. Needs root and io_uring.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "probe/probe.h"

namespace sonde::probe {
namespace {

// The least of a ring: one request at a time.
class Ring {
 public:
  Ring() {
    io_uring_params p{};
    fd_ = static_cast<int>(syscall(SYS_io_uring_setup, 8, &p));
    if (fd_ < 0) return;
    rings_bytes_ = std::max(p.sq_off.array + p.sq_entries * sizeof(uint32_t),
                            p.cq_off.cqes + p.cq_entries * sizeof(io_uring_cqe));
    rings_ = static_cast<char*>(map(rings_bytes_, IORING_OFF_SQ_RING));
    sqes_ = static_cast<io_uring_sqe*>(map(p.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    params_ = p;
  }
  ~Ring() {
    if (fd_ < 0) return;
    munmap(rings_, rings_bytes_);
    munmap(sqes_, params_.sq_entries * sizeof(io_uring_sqe));
    close(fd_);
  }
  bool usable() const { return fd_ >= 0; }

  // As in io_uring_enter(2). A linked request is submitted with the one after it.
  void submit(uint8_t op, int fd, const void* buffer, size_t length, bool linked = false) {
    std::atomic_ref tail(*at(params_.sq_off.tail));
    const uint32_t index = tail.load() & *at(params_.sq_off.ring_mask);
    io_uring_sqe& sqe = sqes_[index];
    sqe = {};
    sqe.opcode = op;
    sqe.fd = fd;
    sqe.addr = reinterpret_cast<uint64_t>(buffer);
    sqe.len = static_cast<uint32_t>(length);
    if (linked) sqe.flags = IOSQE_IO_LINK;
    ready_++;
    at(params_.sq_off.array)[index] = index;
    tail.store(tail.load() + 1);
    if (linked) return;
    ASSERT_EQ(syscall(SYS_io_uring_enter, fd_, ready_, 0, 0, nullptr, 0), ready_);
    ready_ = 0;
  }
  int wait() {
    std::atomic_ref head(*at(params_.cq_off.head));
    if (std::atomic_ref(*at(params_.cq_off.tail)).load() == head.load())
      syscall(SYS_io_uring_enter, fd_, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
    const auto* cqes = reinterpret_cast<io_uring_cqe*>(rings_ + params_.cq_off.cqes);
    const int result = cqes[head.load() & *at(params_.cq_off.ring_mask)].res;
    head.store(head.load() + 1);
    return result;
  }

 private:
  uint32_t* at(uint32_t offset) { return reinterpret_cast<uint32_t*>(rings_ + offset); }
  void* map(size_t bytes, uint64_t offset) {
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                static_cast<off_t>(offset));
  }
  int fd_ = -1;
  int ready_ = 0;
  char* rings_ = nullptr;
  io_uring_sqe* sqes_ = nullptr;
  size_t rings_bytes_ = 0;
  io_uring_params params_{};
};

struct Pair {
  int client = -1;
  int server = -1;
  uint16_t port = 0;
  Pair() {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    port = ntohs(address.sin_port);
    client = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    server = accept(listener, nullptr, nullptr);
    close(listener);
  }
  ~Pair() {
    close(client);
    close(server);
  }
};

constexpr std::string_view kRequest = "GET /ring HTTP/1.1\r\nHost: test\r\n\r\n";
constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class RingBpf : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (!ring_.usable()) GTEST_SKIP() << "io_uring is not permitted here";
  }
  void start(RingMeans means) {
    if (detect_ring_means() < means) GTEST_SKIP() << "this kernel has no means for it";
    auto made =
        Probe::create({.drop_privileges = false, .exclude_self = false, .ring_means = means});
    ASSERT_TRUE(made) << made.error().message;
    probe_ = std::move(*made);
    ASSERT_TRUE(probe_->attach());
  }
  void exchange(uint8_t receive, uint8_t send) {
    char in[256];
    iovec to[2] = {{in, 4}, {in + 4, sizeof in - 4}};
    std::string out(kResponse);
    iovec from[2] = {{out.data(), 20}, {out.data() + 20, out.size() - 20}};
    const bool vectors = receive == IORING_OP_READV;
    ring_.submit(receive, pair_.server, vectors ? static_cast<void*>(to) : in,
                 vectors ? 2 : sizeof in);
    ASSERT_EQ(::send(pair_.client, kRequest.data(), kRequest.size(), 0),
              static_cast<ssize_t>(kRequest.size()));
    ASSERT_EQ(ring_.wait(), static_cast<int>(kRequest.size()));
    ring_.submit(send, pair_.server, vectors ? static_cast<void*>(from) : out.data(),
                 vectors ? 2 : out.size());
    ASSERT_EQ(ring_.wait(), static_cast<int>(out.size()));
    ASSERT_EQ(recv(pair_.client, in, sizeof in, 0), static_cast<ssize_t>(out.size()));
  }
  // What the server's end received and sent, and the flags of all of it.
  std::string seen(uint8_t type, uint8_t* flags = nullptr) {
    while (probe_->drain([&](const sonde_event& e, std::string_view payload) {
      if (e.local_port == pair_.port && (e.type == SONDE_RECEIVE || e.type == SONDE_SEND))
        events_.emplace_back(e, payload);
    }) > 0) {
    }
    std::string all;
    for (const auto& [event, payload] : events_) {
      if (event.type != type) continue;
      all += payload;
      if (flags) *flags |= event.flags;
    }
    return all;
  }
  void expect_exchanges(int n) {
    std::string requests;
    std::string responses;
    for (int i = 0; i < n; i++) {
      requests += kRequest;
      responses += kResponse;
    }
    uint8_t flags = 0;
    EXPECT_EQ(seen(SONDE_RECEIVE, &flags), requests);
    EXPECT_EQ(seen(SONDE_SEND, &flags), responses);
    EXPECT_FALSE(flags & (SONDE_GAP | SONDE_PAYLOAD_MISSING));
  }

  Ring ring_;
  Pair pair_;
  std::unique_ptr<Probe> probe_;
  std::vector<std::pair<sonde_event, std::string>> events_;
};

TEST_F(RingBpf, ReadsWhatRequestsSay) {
  ASSERT_NO_FATAL_FAILURE(start(RingMeans::Requests));
  if (IsSkipped()) return;
  exchange(IORING_OP_RECV, IORING_OP_SEND);
  exchange(IORING_OP_READ, IORING_OP_WRITE);
  exchange(IORING_OP_READV, IORING_OP_WRITEV);
  expect_exchanges(3);
  EXPECT_EQ(probe_->stats().blind_turns, 0u);
}

TEST_F(RingBpf, ReadsInsideTcpWhatWasSubmittedBeforeTheStart) {
  Pair first;
  char in[256];
  ring_.submit(IORING_OP_RECV, first.server, in, sizeof in);
  Ring other;
  other.submit(IORING_OP_RECV, pair_.server, in, sizeof in, true);
  other.submit(IORING_OP_SEND, pair_.server, kResponse.data(), kResponse.size());
  ASSERT_NO_FATAL_FAILURE(start(RingMeans::Inside));
  if (IsSkipped()) return;
  // A process with a ring would have been found at the start, but this one does not search itself.
  ASSERT_FALSE(probe_->reads_inside());
  ASSERT_EQ(::send(first.client, kRequest.data(), kRequest.size(), 0),
            static_cast<ssize_t>(kRequest.size()));
  ASSERT_EQ(ring_.wait(), static_cast<int>(kRequest.size()));
  EXPECT_EQ(probe_->stats().blind_turns, 1u);
  pollfd asked{probe_->wake_fd(), POLLIN, 0};
  EXPECT_EQ(poll(&asked, 1, 5000), 1);
  probe_->wake();
  EXPECT_TRUE(probe_->reads_inside());

  ASSERT_EQ(::send(pair_.client, kRequest.data(), kRequest.size(), 0),
            static_cast<ssize_t>(kRequest.size()));
  ASSERT_EQ(recv(pair_.client, in, sizeof in, 0), static_cast<ssize_t>(kResponse.size()));
  expect_exchanges(1);
  EXPECT_EQ(probe_->stats().blind_turns, 1u);
}

}  // namespace
}  // namespace sonde::probe
