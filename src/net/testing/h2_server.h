// SPDX-License-Identifier: Apache-2.0
// For tests: the smallest HTTP/2 server that a gRPC client can talk to, on nghttp2 and a blocking
// socket in a thread of its own. Each call is answered by the test's function; it can also refuse
// calls, fall silent, say GOAWAY or hang up.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sonde::net {

struct H2Call {
  std::map<std::string, std::string> headers;
  std::string body;
};
struct H2Answer {
  // CutShort: the head, then the end of the connection. Reset: with `code`.
  enum What {
    Reply,
    Silence,
    Refuse,
    Goaway,
    GoawayAndRefuse,
    HangUp,
    CutShort,
    Reset
  } what = Reply;
  uint32_t code = 0;
  std::vector<nghttp2_settings_entry> settings = {};  // said before anything else
  std::vector<std::pair<std::string, std::string>> head = {{":status", "200"},
                                                           {"content-type", "application/grpc"}};
  std::string body;
  std::vector<std::pair<std::string, std::string>> trailers = {{"grpc-status", "0"}};
};

class H2Server {
 public:
  using Handler = std::function<H2Answer(const H2Call&)>;
  explicit H2Server(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    ::listen(listener_, 8);
    ::pipe(quit_);
    thread_ = std::thread([this] { run(); });
  }
  ~H2Server() {
    ::close(quit_[1]);
    thread_.join();
    for (auto& c : connections_) nghttp2_session_del(c->session), ::close(c->fd);
    ::close(quit_[0]);
    ::close(listener_);
  }
  uint16_t port = 0;
  std::atomic<int> accepted = 0;

 private:
  struct Reply {
    H2Answer answer;
    size_t sent = 0;
  };
  struct Connection {
    H2Server* server = nullptr;
    int fd = -1;
    nghttp2_session* session = nullptr;
    std::map<int32_t, H2Call> calls;
    std::map<int32_t, Reply> replies;
    bool hang_up = false;
    int32_t last_taken = 0;         // the highest stream that was answered
    int32_t goaway_at = INT32_MAX;  // what came after it was said not to have been taken
  };
  static std::vector<nghttp2_nv> fields(
      const std::vector<std::pair<std::string, std::string>>& in) {
    std::vector<nghttp2_nv> out;
    for (const auto& [name, value] : in) {
      out.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                     value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return out;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t n,
                       const uint8_t* value, size_t m, uint8_t, void* user) {
    static_cast<Connection*>(user)->calls[frame->hd.stream_id].headers.emplace(
        std::string(reinterpret_cast<const char*>(name), n),
        std::string(reinterpret_cast<const char*>(value), m));
    return 0;
  }
  static int on_data(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* bytes,
                     size_t n, void* user) {
    static_cast<Connection*>(user)->calls[stream].body.append(reinterpret_cast<const char*>(bytes),
                                                              n);
    return nghttp2_session_consume(session, stream, n);
  }
  static ssize_t read_body(nghttp2_session* session, int32_t stream, uint8_t* out, size_t size,
                           uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& reply = *static_cast<Reply*>(source->ptr);
    const size_t n = std::min(size, reply.answer.body.size() - reply.sent);
    std::memcpy(out, reply.answer.body.data() + reply.sent, n);
    reply.sent += n;
    if (reply.sent == reply.answer.body.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!reply.answer.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto trailers = fields(reply.answer.trailers);
        nghttp2_submit_trailer(session, stream, trailers.data(), trailers.size());
      }
    }
    return static_cast<ssize_t>(n);
  }
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    auto& c = *static_cast<Connection*>(user);
    const int32_t id = frame->hd.stream_id;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 || id == 0) return 0;
    if (id > c.goaway_at) return 0;
    Reply& reply = c.replies[id];
    reply.answer = c.server->handler_(c.calls[id]);
    const bool refused =
        reply.answer.what == H2Answer::Refuse || reply.answer.what == H2Answer::GoawayAndRefuse;
    if (!refused) c.last_taken = std::max(id, c.last_taken);
    const auto& settings = reply.answer.settings;
    if (!settings.empty()) {
      nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    }
    switch (reply.answer.what) {
      case H2Answer::Silence:
        return 0;
      case H2Answer::HangUp:
        c.hang_up = true;
        return 0;
      case H2Answer::Refuse:
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return 0;
      case H2Answer::GoawayAndRefuse:
        if (id < c.last_taken) {  // GOAWAY cannot say that of this one alone.
          nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        } else {
          c.goaway_at = c.last_taken;
          nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, c.goaway_at, NGHTTP2_NO_ERROR, nullptr,
                                0);
        }
        return 0;
      case H2Answer::Goaway:
        c.goaway_at = c.last_taken;
        nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, c.goaway_at, NGHTTP2_NO_ERROR, nullptr,
                              0);
        break;
      case H2Answer::Reset:
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, reply.answer.code);
        return 0;
      case H2Answer::CutShort: {
        const auto head = fields(reply.answer.head);
        nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, id, nullptr, head.data(), head.size(),
                               nullptr);
        c.hang_up = true;
        return 0;
      }
      case H2Answer::Reply:
        break;
    }
    const auto head = fields(reply.answer.head);
    nghttp2_data_provider body{};
    body.source.ptr = &reply;
    body.read_callback = read_body;
    const bool only = reply.answer.body.empty() && reply.answer.trailers.empty();
    nghttp2_submit_response(session, id, head.data(), head.size(), only ? nullptr : &body);
    return 0;
  }
  void accept_one() {
    auto c = std::make_unique<Connection>();
    c->server = this;
    c->fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int on = 1;  // window updates are small, and would wait for acknowledgements
    ::setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    // Windows that nghttp2 opens itself make it reset a stream that has more than a smaller window
    // allows, though it came before the peer knew of that.
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_session_server_new2(&c->session, callbacks, c.get(), options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry limit{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2};
    nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, &limit, 1);
    ++accepted;
    connections_.push_back(std::move(c));
    pump(*connections_.back());
  }
  // Writes what the session wants to say. False when the connection is over.
  bool pump(Connection& c) {
    const uint8_t* out = nullptr;
    ssize_t n = 0;
    while ((n = nghttp2_session_mem_send(c.session, &out)) > 0) {
      while (n > 0) {
        const ssize_t sent = ::send(c.fd, out, static_cast<size_t>(n), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        out += sent;
        n -= sent;
      }
    }
    return !c.hang_up && (nghttp2_session_want_read(c.session) != 0 ||
                          nghttp2_session_want_write(c.session) != 0);
  }
  // Closing with unread bytes resets the connection, and the peer would lose answers before that.
  static void hang_up(int fd) {
    ::shutdown(fd, SHUT_WR);
    const timeval limit{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char ignored[16384];
    while (::recv(fd, ignored, sizeof ignored, 0) > 0) {
    }
    ::close(fd);
  }
  bool serve(Connection& c) {
    uint8_t in[16384];
    const ssize_t n = ::recv(c.fd, in, sizeof in, 0);
    if (n <= 0) return false;
    if (nghttp2_session_mem_recv(c.session, in, static_cast<size_t>(n)) < 0) return false;
    return pump(c);
  }
  void run() {
    for (;;) {
      std::vector<pollfd> fds = {{quit_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto& c : connections_) fds.push_back({c->fd, POLLIN, 0});
      if (::poll(fds.data(), fds.size(), -1) < 0) return;
      if (fds[0].revents != 0) return;
      for (size_t i = fds.size(); i-- > 2;) {
        if (fds[i].revents == 0 || serve(*connections_[i - 2])) continue;
        nghttp2_session_del(connections_[i - 2]->session);
        hang_up(connections_[i - 2]->fd);
        connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i - 2));
      }
      if (fds[1].revents != 0) accept_one();
    }
  }

  Handler handler_;
  int listener_ = -1;
  int quit_[2] = {-1, -1};
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread thread_;
};

}  // namespace sonde::net
