// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>

#include "net/address.h"
#include "net/compression/compression.h"
#include "net/internal/connect.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Deadline = asio::steady_timer::time_point;

constexpr size_t kMaxResponseHeader = 64 * 1024;

struct Job {
  std::string head;  // request line and headers, as sent
  bool head_method = false;
  bool repeatable = false;
  Bytes body;
  Deadline deadline;
  std::optional<Error> refused;  // decided before it was queued
  HttpClient::Callback done;
};

// Where an exchange failed decides whether it may be tried on a new connection.
struct Failure {
  Error error;
  bool before_answer = false;
};
using Answer = std::expected<HttpResponse, Failure>;

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == ':') return false;
  }
  return true;
}

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// An answer that cannot be decompressed keeps its Content-Encoding: its status still counts.
void decode(HttpResponse& response, size_t limit) {
  const auto named = [](const Header& header) {
    return equals_ignoring_case(header.name, "content-encoding");
  };
  const auto header = std::ranges::find_if(response.headers, named);
  if (header == response.headers.end()) return;
  const auto encoding = encoding_named(header->value, Carrier::Http);
  if (!encoding || *encoding == Encoding::Identity) return;
  const auto plain = decompress(*encoding, response.body, limit);
  if (!plain) return;
  response.body = std::string(plain->view());
  response.headers.erase(header);
}

// A kept-alive connection on which anything can be read has been closed or is out of step.
bool still_usable(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN);
}

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  Impl(Loop& owner, HttpClientOptions settings)
      : loop(owner),
        options(std::move(settings)),
        url(parse_url(options.base_url)),
        stream(owner.impl().io) {}

  void enqueue(Job job);
  void close();
  void drop_connection();
  static asio::awaitable<void> work(std::shared_ptr<Impl> self);
  asio::awaitable<Answer> exchange(const Job& job);
  asio::awaitable<Answer> read_answer(const Job& job);
  Failure failure(error_code error, std::string_view doing) const;

  Loop& loop;
  HttpClientOptions options;
  Result<Url> url;
  beast::tcp_stream stream;
  OwnPort near_end;
  beast::flat_buffer buffer;
  bool connected = false;
  bool working = false;
  bool closed = false;
  std::deque<Job> jobs;
  std::optional<Job> current;
  TimerId idle = 0;
};

HttpClient::HttpClient(Loop& loop, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
HttpClient::~HttpClient() { close(); }
void HttpClient::close() { impl_->close(); }

void HttpClient::request(std::string_view method, std::string_view path, Headers headers,
                         Bytes body, Callback done) {
  Impl& impl = *impl_;
  Job job;
  job.done = std::move(done);
  job.head_method = method == "HEAD";
  job.repeatable = method == "GET" || job.head_method;
  job.deadline =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(impl.options.timeout);
  const auto refuse = [&](ErrorKind kind, std::string why) {
    job.refused = Error{kind, std::move(why), {}};
    impl.enqueue(std::move(job));
  };
  if (impl.closed) return refuse(ErrorKind::Unavailable, "the HTTP client is closed");
  if (!impl.url) return refuse(impl.url.error().kind, impl.url.error().message);
  if (impl.url->tls) {
    return refuse(ErrorKind::Invalid,
                  fmt::format("\"{}\": https is not supported yet", impl.options.base_url));
  }
  if (impl.jobs.size() >= impl.options.max_queued) {
    return refuse(ErrorKind::Exhausted, "too many requests wait for the connection");
  }
  std::string target = impl.url->path + std::string(path);
  if (target.empty()) target = "/";
  if (!is_token(method) || !target.starts_with('/') ||
      target.find_first_of(std::string_view(" \r\n\0", 4)) != std::string::npos) {
    return refuse(ErrorKind::Invalid, fmt::format("\"{} {}\" is no request", method, target));
  }
  job.head =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, target, impl.url->address.to_string());
  for (const Header& header : headers) {
    if (!is_token(header.name) || !is_one_line(header.value)) {
      return refuse(ErrorKind::Invalid, fmt::format("header \"{}\" is malformed", header.name));
    }
    fmt::format_to(std::back_inserter(job.head), "{}: {}\r\n", header.name, header.value);
  }
  if (find_header(headers, "User-Agent").empty()) job.head += "User-Agent: sonde\r\n";
  if (!body.empty() || !job.repeatable) {
    fmt::format_to(std::back_inserter(job.head), "Content-Length: {}\r\n", body.size());
  }
  job.head += "\r\n";
  job.body = std::move(body);
  impl.enqueue(std::move(job));
}

void HttpClient::Impl::enqueue(Job job) {
  jobs.push_back(std::move(job));
  if (std::exchange(working, true)) return;
  // Posted, so that no callback runs inside request().
  loop.post([self = shared_from_this()] {
    asio::co_spawn(self->loop.impl().io, work(self), asio::detached);
  });
}

void HttpClient::Impl::drop_connection() {
  connected = false;
  buffer.clear();
  error_code ignored;
  stream.socket().close(ignored);
  near_end = OwnPort();
}

void HttpClient::Impl::close() {
  closed = true;
  loop.cancel(std::exchange(idle, 0));
  drop_connection();
  auto waiting = std::exchange(jobs, {});
  if (current) waiting.push_front(std::move(*std::exchange(current, std::nullopt)));
  for (Job& job : waiting) {
    job.done(fail(ErrorKind::Unavailable, "the HTTP client was closed"));
  }
}

asio::awaitable<void> HttpClient::Impl::work(std::shared_ptr<Impl> self) {
  Impl& impl = *self;
  impl.loop.cancel(std::exchange(impl.idle, 0));
  while (!impl.jobs.empty()) {
    impl.current = std::move(impl.jobs.front());
    impl.jobs.pop_front();
    Answer answer = std::unexpected(Failure{});
    if (impl.current->refused) {
      answer = std::unexpected(Failure{*impl.current->refused, false});
    } else {
      // A copy, since close() ends and empties the current job while this waits. It is the views
      // and the shared body that are needed, not the callback.
      Job job;
      job.head = impl.current->head;
      job.body = impl.current->body;
      job.head_method = impl.current->head_method;
      job.deadline = impl.current->deadline;
      const bool repeatable = impl.current->repeatable;
      if (impl.connected && !still_usable(impl.stream.socket().native_handle())) {
        impl.drop_connection();
      }
      const bool reused = impl.connected;
      answer = co_await impl.exchange(job);
      if (!answer && !impl.closed && answer.error().before_answer && reused && repeatable) {
        impl.drop_connection();
        answer = co_await impl.exchange(job);
      }
    }
    if (!impl.current) continue;  // close() has ended it
    Callback done = std::move(impl.current->done);
    impl.current.reset();
    if (answer) {
      done(std::move(*answer));
    } else {
      if (!impl.closed) impl.drop_connection();
      done(std::unexpected(std::move(answer.error().error)));
    }
  }
  impl.working = false;
  if (impl.connected && !impl.closed) {
    impl.idle = impl.loop.after(impl.options.idle_timeout, [weak = self->weak_from_this()] {
      const auto owner = weak.lock();
      if (owner && !owner->working) owner->drop_connection();
    });
  }
}

Failure HttpClient::Impl::failure(error_code error, std::string_view doing) const {
  if (error == beast::error::timeout) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count();
    return {{ErrorKind::Unavailable,
             fmt::format("{} {}: no answer within {} ms", doing, url->address.to_string(), ms),
             {}},
            false};
  }
  if (error == http::error::body_limit || error == http::error::header_limit ||
      error == http::error::buffer_overflow) {
    return {{ErrorKind::Exhausted,
             fmt::format("the answer of {} is over the limit of {} bytes", url->address.to_string(),
                         options.max_response),
             {}},
            false};
  }
  return {{ErrorKind::Unavailable,
           fmt::format("{} {}: {}", doing, url->address.to_string(), error.message()),
           {}},
          false};
}

asio::awaitable<Answer> HttpClient::Impl::exchange(const Job& job) {
  stream.expires_at(job.deadline);
  if (!connected) {
    auto made = co_await connect(stream, url->address);
    if (!made) co_return std::unexpected(Failure{std::move(made.error()), false});
    if (closed) {
      drop_connection();
      co_return std::unexpected(Failure{});
    }
    connected = true;
    near_end = std::move(*made);
  }
  const std::array<asio::const_buffer, 2> out = {asio::buffer(job.head),
                                                 asio::buffer(job.body.data(), job.body.size())};
  const auto [error, n] = co_await asio::async_write(stream, out, kAwait);
  if (error == beast::error::timeout || closed) {
    co_return std::unexpected(failure(error, "sending to"));
  }
  // A peer that refuses a body answers and closes before it has read all: its answer still counts.
  auto answer = co_await read_answer(job);
  if (!answer && error && answer.error().before_answer) {
    answer.error().error = failure(error, "sending to").error;
  }
  if (error && !closed) drop_connection();
  co_return answer;
}

asio::awaitable<Answer> HttpClient::Impl::read_answer(const Job& job) {
  for (;;) {
    http::response_parser<http::string_body> parser;
    parser.header_limit(kMaxResponseHeader);
    parser.body_limit(options.max_response);
    parser.skip(job.head_method);
    const bool fresh = buffer.size() == 0;
    const auto [error, n] = co_await http::async_read_header(stream, buffer, parser, kAwait);
    if (error) {
      Failure failed = failure(error, "waiting for");
      failed.before_answer = fresh && n == 0 && error != beast::error::timeout;
      co_return std::unexpected(std::move(failed));
    }
    const int status = static_cast<int>(parser.get().result_int());
    if (status == 101) {
      co_return std::unexpected(Failure{
          {ErrorKind::Invalid, "the peer switched to a protocol that was not asked for", {}},
          false});
    }
    if (status < 200) continue;  // 100 Continue and the like; the real answer follows
    if (!parser.is_done()) {
      const auto [cut, m] = co_await http::async_read(stream, buffer, parser, kAwait);
      if (cut) co_return std::unexpected(failure(cut, "reading from"));
    }
    const bool keep = parser.keep_alive();
    auto message = parser.release();
    HttpResponse response;
    response.status = status;
    for (const auto& field : message) {
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    response.body = std::move(message.body());
    decode(response, options.max_response);
    if (!closed && (!keep || buffer.size() > 0)) drop_connection();
    co_return response;
  }
}

}  // namespace sonde::net
