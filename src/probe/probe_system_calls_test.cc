// SPDX-License-Identifier: Apache-2.0
// Every system call that moves bytes of a TCP socket through user memory carries one HTTP exchange,
// which the tracker must count exactly once, as server and as client. Needs root; without it every
// test is skipped.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

#include "probe/probe.h"
#include "probe/testing/config.h"
#include "probe/testing/loopback.h"
#include "probe/tracker.h"

namespace sonde::probe {
namespace {

using testing::Pair;
using testing::receive_all;
using testing::send_all;

constexpr std::string_view kRequest = "GET /item/1 HTTP/1.1\r\nHost: test\r\n\r\n";
constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
constexpr std::string_view kBody = "body";
constexpr size_t kAnswer = kHead.size() + kBody.size();

// What calls work on lies below 4 GiB, so that 32-bit calls reach it too.
struct Memory {
  char in[4096];
  char out[4096];
  iovec vector[4];
  mmsghdr messages[2];
  uint32_t narrow_vector[8];
  uint32_t narrow_messages[16];
  uint32_t arguments[6];
};

struct Way {
  const char* name;
  // Each answers what the system call did, with `head` and `body` in out, or into in.
  std::function<long(int, Memory&)> receive;
  std::function<long(int, Memory&)> send;
};

uint32_t low(const void* p) { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(p)); }

void two_parts(Memory& m, iovec* v) {
  v[0] = {m.out, kHead.size()};
  v[1] = {m.out + kHead.size(), kBody.size()};
}

// The request in two small buffers, of which the first holds only a part of the head.
void two_buffers(Memory& m, iovec* v) {
  v[0] = {m.in, 20};
  v[1] = {m.in + 20, 1000};
}

long of_messages(long done, const mmsghdr* messages) {
  if (done < 0) return done;
  long total = 0;
  for (long i = 0; i < done; i++) total += messages[i].msg_len;
  return total;
}

Way many(const char* name, uint32_t count) {
  return {name,
          [count](int fd, Memory& m) {
            std::memset(m.messages, 0, sizeof(m.messages));
            two_buffers(m, m.vector);
            for (uint32_t i = 0; i < count; i++) {
              m.messages[i].msg_hdr.msg_iov = count == 1 ? m.vector : m.vector + i;
              m.messages[i].msg_hdr.msg_iovlen = count == 1 ? 2 : 1;
            }
            return of_messages(recvmmsg(fd, m.messages, count, MSG_WAITFORONE, nullptr),
                               m.messages);
          },
          [count](int fd, Memory& m) {
            std::memset(m.messages, 0, sizeof(m.messages));
            two_parts(m, m.vector);
            for (uint32_t i = 0; i < count; i++) {
              m.messages[i].msg_hdr.msg_iov = count == 1 ? m.vector : m.vector + i;
              m.messages[i].msg_hdr.msg_iovlen = count == 1 ? 2 : 1;
            }
            return of_messages(sendmmsg(fd, m.messages, count, 0), m.messages);
          }};
}

Way vector(const char* name, long (*receive)(int, const iovec*), long (*send)(int, const iovec*)) {
  return {name,
          [receive](int fd, Memory& m) {
            two_buffers(m, m.vector);
            return receive(fd, m.vector);
          },
          [send](int fd, Memory& m) {
            two_parts(m, m.vector);
            return send(fd, m.vector);
          }};
}

std::vector<Way> ways() {
  return {
      {"read and write", [](int fd, Memory& m) { return read(fd, m.in, 4096); },
       [](int fd, Memory& m) { return write(fd, m.out, kAnswer); }},
      {"recvfrom and sendto", [](int fd, Memory& m) { return recv(fd, m.in, 4096, 0); },
       [](int fd, Memory& m) { return send(fd, m.out, kAnswer, 0); }},
      vector(
          "readv and writev", [](int fd, const iovec* v) -> long { return readv(fd, v, 2); },
          [](int fd, const iovec* v) -> long { return writev(fd, v, 2); }),
      vector(
          "preadv2 and pwritev2",
          [](int fd, const iovec* v) -> long { return preadv2(fd, v, 2, -1, 0); },
          [](int fd, const iovec* v) -> long { return pwritev2(fd, v, 2, -1, 0); }),
      vector(
          "recvmsg and sendmsg",
          [](int fd, const iovec* v) -> long {
            msghdr h{};
            h.msg_iov = const_cast<iovec*>(v);
            h.msg_iovlen = 2;
            return recvmsg(fd, &h, 0);
          },
          [](int fd, const iovec* v) -> long {
            msghdr h{};
            h.msg_iov = const_cast<iovec*>(v);
            h.msg_iovlen = 2;
            return sendmsg(fd, &h, 0);
          }),
      many("recvmmsg and sendmmsg of one message", 1),
      many("recvmmsg and sendmmsg of two messages", 2),
  };
}

#if defined(__x86_64__)
// A call by the gate of 32-bit programs, with their numbers and structures.
long narrow_call(uint32_t nr, uint32_t a, uint32_t b, uint32_t c, uint32_t d = 0, uint32_t e = 0) {
  int result;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
               : "memory", "cc", "r8", "r9", "r10", "r11");
  return result;
}

uint32_t narrow_vector(Memory& m, bool receive) {
  char* at = receive ? m.in : m.out;
  const auto first = static_cast<uint32_t>(receive ? 20 : kHead.size());
  const uint32_t v[4] = {low(at), first, low(at + first),
                         receive ? 1000 : static_cast<uint32_t>(kBody.size())};
  std::memcpy(m.narrow_vector, v, sizeof(v));
  return low(m.narrow_vector);
}

// `count` messages of one segment each, or one of two.
uint32_t narrow_messages(Memory& m, bool receive, uint32_t count) {
  std::memset(m.narrow_messages, 0, sizeof(m.narrow_messages));
  const uint32_t v = narrow_vector(m, receive);
  for (uint32_t i = 0; i < count; i++) {
    m.narrow_messages[i * 8 + 2] = v + i * 8;
    m.narrow_messages[i * 8 + 3] = count == 1 ? 2 : 1;
  }
  return low(m.narrow_messages);
}

long of_narrow_messages(long done, const Memory& m) {
  long total = done < 0 ? done : 0;
  for (long i = 0; i < done; i++) total += m.narrow_messages[i * 8 + 7];
  return total;
}

long socket_call(Memory& m, uint32_t call, std::initializer_list<uint32_t> arguments) {
  std::copy(arguments.begin(), arguments.end(), m.arguments);
  return narrow_call(102, call, low(m.arguments), 0);
}

std::vector<Way> narrow_ways() {
  const auto fd32 = [](int fd) { return static_cast<uint32_t>(fd); };
  return {
      {"32-bit read and write",
       [=](int fd, Memory& m) { return narrow_call(3, fd32(fd), low(m.in), 4096); },
       [=](int fd, Memory& m) { return narrow_call(4, fd32(fd), low(m.out), kAnswer); }},
      {"32-bit readv and writev",
       [=](int fd, Memory& m) { return narrow_call(145, fd32(fd), narrow_vector(m, true), 2); },
       [=](int fd, Memory& m) { return narrow_call(146, fd32(fd), narrow_vector(m, false), 2); }},
      {"32-bit recvfrom and sendto",
       [=](int fd, Memory& m) { return narrow_call(371, fd32(fd), low(m.in), 4096); },
       [=](int fd, Memory& m) { return narrow_call(369, fd32(fd), low(m.out), kAnswer); }},
      {"32-bit recvmsg and sendmsg",
       [=](int fd, Memory& m) {
         return narrow_call(372, fd32(fd), narrow_messages(m, true, 1), 0);
       },
       [=](int fd, Memory& m) {
         return narrow_call(370, fd32(fd), narrow_messages(m, false, 1), 0);
       }},
      {"32-bit recvmmsg and sendmmsg",
       [=](int fd, Memory& m) {
         const uint32_t at = narrow_messages(m, true, 2);
         return of_narrow_messages(narrow_call(337, fd32(fd), at, 2, MSG_WAITFORONE), m);
       },
       [=](int fd, Memory& m) {
         const uint32_t at = narrow_messages(m, false, 2);
         return of_narrow_messages(narrow_call(345, fd32(fd), at, 2), m);
       }},
      {"socketcall recv and send",
       [=](int fd, Memory& m) { return socket_call(m, 10, {fd32(fd), low(m.in), 4096, 0}); },
       [=](int fd, Memory& m) { return socket_call(m, 9, {fd32(fd), low(m.out), kAnswer, 0}); }},
      {"socketcall recvmsg and sendmsg",
       [=](int fd, Memory& m) {
         return socket_call(m, 17, {fd32(fd), narrow_messages(m, true, 1), 0});
       },
       [=](int fd, Memory& m) {
         return socket_call(m, 16, {fd32(fd), narrow_messages(m, false, 1), 0});
       }},
  };
}
#endif

struct Requests : RequestSink {
  void request(const FinishedRequest& r) override {
    if (r.target != "/item/1" || r.operation != "GET" || r.status != 200) wrong++;
    (r.server ? servers : clients)++;
  }
  int servers = 0, clients = 0, wrong = 0;
};

class ProbeBpfSystemCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    auto made = Probe::create(testing::config());
    ASSERT_TRUE(made) << made.error().message;
    probe_ = std::move(*made);
    auto attached = probe_->attach();
    ASSERT_TRUE(attached) << attached.error().message;
    void* p = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    ASSERT_NE(p, MAP_FAILED);
    memory_ = static_cast<Memory*>(p);
  }
  void TearDown() override {
    if (memory_) munmap(memory_, sizeof(Memory));
  }
  // What the tracker finished of this process since the last time.
  Requests counted() {
    Requests sink;
    Tracker tracker({}, processes_, sink);
    while (probe_->drain([&](const sonde_event& e, std::string_view payload) {
      if (e.tgid == static_cast<uint32_t>(getpid())) tracker.event(e, payload);
    }) > 0) {
    }
    tracker.flush();
    return sink;
  }
  // One exchange in which the server moves everything by this way. Three times over the same
  // memory, since what a call left there must not mislead the next.
  void exchange(const Way& way) {
    Memory& m = *memory_;
    counted();
    Pair pair;
    pair.accept_now();
    for (int i = 0; i < 3; i++) {
      send_all(pair.client, kRequest);
      ASSERT_EQ(way.receive(pair.server, m), static_cast<long>(kRequest.size()));
      ASSERT_EQ(std::string_view(m.in, kRequest.size()), kRequest);
      std::memcpy(m.out, kHead.data(), kHead.size());
      std::memcpy(m.out + kHead.size(), kBody.data(), kBody.size());
      ASSERT_EQ(way.send(pair.server, m), static_cast<long>(kAnswer));
      receive_all(pair.client, kAnswer);
    }
    const Requests seen = counted();
    EXPECT_EQ(seen.servers, 3);
    EXPECT_EQ(seen.clients, 3);
    EXPECT_EQ(seen.wrong, 0);
  }
  ProcessTable processes_{{.proc_root = "/nonexistent", .host = "test"}};
  std::unique_ptr<Probe> probe_;
  Memory* memory_ = nullptr;
};

TEST_F(ProbeBpfSystemCalls, EachCarriesAnExchangeThatCountsOnce) {
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.name);
    exchange(way);
  }
}

#if defined(__x86_64__)
TEST_F(ProbeBpfSystemCalls, ThoseOf32BitProgramsToo) {
  constexpr uint32_t kGetpid = 20;
  if (narrow_call(kGetpid, 0, 0, 0) != getpid())
    GTEST_SKIP() << "this kernel runs no 32-bit programs";
  for (const Way& way : narrow_ways()) {
    SCOPED_TRACE(way.name);
    exchange(way);
  }
}
#endif

}  // namespace
}  // namespace sonde::probe
