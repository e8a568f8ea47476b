// SPDX-License-Identifier: Apache-2.0
#include "net/http/http_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "base/repeating_timer.h"
#include "net/http/cookie_jar.h"
#include "net/http/internal/http_client_connection.h"
#include "net/internal/loop_impl.h"
#include "net/socket/address.h"

namespace sonde::net {
namespace {

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

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  using JobPtr = std::shared_ptr<HttpJob>;
  // A connection and what it does now. Those that do nothing are kept for the next requests.
  struct Lane {
    std::shared_ptr<HttpClientConnection> connection;
    JobPtr job;
    int64_t idle_since_ns = 0;
  };
  using LanePtr = std::shared_ptr<Lane>;

  Impl(Loop& owner, HttpClientOptions settings)
      : loop(owner), options(std::move(settings)), url(parse_url(options.base_url)) {}

  Result<HttpJob> prepare(std::string_view method, std::string_view path, const Headers& headers,
                          Bytes body);
  void begin_soon();
  void begin();
  static asio::awaitable<void> work(std::shared_ptr<Impl> self, LanePtr lane);
  void keep_cookies(const HttpResponse& answer, const HttpJob& job);
  void drop_idle();
  void close();

  Loop& loop;
  HttpClientOptions options;
  Result<Url> url;
  bool closed = false;
  bool posted = false;
  std::deque<JobPtr> jobs;
  std::vector<std::pair<Callback, Error>> refused;  // before they were queued
  std::vector<LanePtr> busy;
  std::vector<LanePtr> idle;  // the one used last is at the end
  RepeatingTimer idle_check;
  CookieJar cookies;
};

HttpClient::HttpClient(Loop& loop, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
HttpClient::~HttpClient() { close(); }
void HttpClient::close() { impl_->close(); }

Result<HttpJob> HttpClient::Impl::prepare(std::string_view method, std::string_view path,
                                          const Headers& headers, Bytes body) {
  if (closed) return fail(ErrorKind::Unavailable, "the HTTP client is closed");
  if (!url) return std::unexpected(url.error());
  if (url->tls && !options.tls) {
    return fail(ErrorKind::Invalid,
                fmt::format("\"{}\": https needs TLS settings", options.base_url));
  }
  if (jobs.size() >= options.max_queued) {
    return std::unexpected(Error{ErrorKind::Exhausted, "too many requests wait for a connection",
                                 std::chrono::seconds(1)});
  }
  std::string target = url->path + std::string(path);
  if (target.empty()) target = "/";
  if (!is_token(method) || !target.starts_with('/') ||
      target.find_first_of(std::string_view(" \r\n\0", 4)) != std::string::npos) {
    return fail(ErrorKind::Invalid, fmt::format("\"{} {}\" is no request", method, target));
  }
  HttpJob job;
  job.head_method = method == "HEAD";
  job.repeatable = method == "GET" || job.head_method;
  // A proxy that sees the request is told where it goes (RFC 9112 section 3.2.2).
  const bool whole = options.proxy && !url->tls;
  job.head = fmt::format("{} {}{}{} HTTP/1.1\r\n", method, whole ? "http://" : "",
                         whole ? url->authority() : "", target);
  const auto add = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(job.head), "{}: {}\r\n", name, value);
  };
  // A configured Host names the virtual server, whatever address leads there.
  if (find_header(headers, "Host").empty()) add("Host", url->authority());
  for (const Header& header : headers) {
    // These two are of the message as it is sent here (RFC 9112 section 6).
    if (equals_ignoring_case(header.name, "content-length") ||
        equals_ignoring_case(header.name, "transfer-encoding")) {
      continue;
    }
    if (!is_token(header.name) || !is_one_line(header.value)) {
      return fail(ErrorKind::Invalid, fmt::format("header \"{}\" is malformed", header.name));
    }
    add(header.name, header.value);
  }
  if (!url->authorization.empty() && find_header(headers, "Authorization").empty()) {
    add("Authorization", url->authorization);
  }
  if (options.cookies) {
    const std::string cookie = cookies.header(target, url->tls, loop.clock().unix_ns());
    if (!cookie.empty()) add("Cookie", cookie);
    job.target = target;
  }
  if (whole && !options.proxy->authorization.empty()) {
    add("Proxy-Authorization", options.proxy->authorization);
  }
  if (!options.keep_alive) add("Connection", "close");
  if (find_header(headers, "User-Agent").empty()) add("User-Agent", "sonde");
  if (!body.empty() || !job.repeatable) add("Content-Length", fmt::format("{}", body.size()));
  job.head += "\r\n";
  job.body = std::move(body);
  return job;
}

void HttpClient::request(std::string_view method, std::string_view path, Headers headers,
                         Bytes body, Callback done) {
  Impl& impl = *impl_;
  auto job = impl.prepare(method, path, headers, std::move(body));
  if (!job) {
    impl.refused.emplace_back(std::move(done), std::move(job.error()));
    return impl.begin_soon();
  }
  job->done = std::move(done);
  job->deadline_ns = impl.loop.clock().monotonic_ns() + impl.options.timeout.count();
  impl.jobs.push_back(std::make_shared<HttpJob>(std::move(*job)));
  impl.begin_soon();
}

// Posted, so that no callback runs inside request().
void HttpClient::Impl::begin_soon() {
  if (std::exchange(posted, true)) return;
  loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->begin();  // `self` outlives what callbacks do
  });
}

void HttpClient::Impl::begin() {
  posted = false;
  for (auto& [done, error] : std::exchange(refused, {})) done(std::unexpected(std::move(error)));
  while (!jobs.empty() && !closed) {
    LanePtr lane;
    if (!idle.empty()) {
      lane = std::move(idle.back());
      idle.pop_back();
    } else if (busy.size() < options.max_connections) {
      lane = std::make_shared<Lane>();
      lane->connection = std::make_shared<HttpClientConnection>(loop, options, *url);
    } else {
      return;
    }
    lane->job = std::move(jobs.front());
    jobs.pop_front();
    busy.push_back(lane);
    asio::co_spawn(loop.impl().io, work(shared_from_this(), std::move(lane)), asio::detached);
  }
}

asio::awaitable<void> HttpClient::Impl::work(std::shared_ptr<Impl> self, LanePtr lane) {
  Impl& impl = *self;
  for (;;) {
    const JobPtr job = lane->job;
    auto answer = co_await lane->connection->exchange(*job);
    if (answer && impl.options.cookies) impl.keep_cookies(*answer, *job);
    Callback done = std::exchange(job->done, {});
    if (!done) break;  // close() has ended it
    // The callback may close the client, or ask for more.
    if (answer) {
      done(std::move(*answer));
    } else {
      done(std::unexpected(std::move(answer.error().error)));
    }
    if (impl.closed) break;
    if (impl.jobs.empty()) {
      std::erase(impl.busy, lane);
      lane->job.reset();
      if (!lane->connection->open()) co_return;
      if (impl.idle.size() >= impl.options.max_idle) {
        lane->connection->close();
        co_return;
      }
      lane->idle_since_ns = impl.loop.clock().monotonic_ns();
      impl.idle.push_back(std::move(lane));
      if (!impl.idle_check.running()) {
        impl.idle_check.start(impl.loop, impl.options.idle_timeout, [&impl] { impl.drop_idle(); });
      }
      co_return;
    }
    lane->job = std::move(impl.jobs.front());
    impl.jobs.pop_front();
  }
}

void HttpClient::Impl::keep_cookies(const HttpResponse& answer, const HttpJob& job) {
  for (const Header& header : answer.headers) {
    if (!equals_ignoring_case(header.name, "Set-Cookie")) continue;
    cookies.take(header.value, job.target, loop.clock().unix_ns());
  }
}

void HttpClient::Impl::drop_idle() {
  const int64_t before = loop.clock().monotonic_ns() - options.idle_timeout.count();
  std::erase_if(idle, [&](const LanePtr& lane) {
    if (lane->idle_since_ns > before) return false;
    lane->connection->close();
    return true;
  });
  if (idle.empty() && busy.empty()) idle_check.stop();
}

void HttpClient::Impl::close() {
  closed = true;
  idle_check.stop();
  const auto lanes = std::exchange(busy, {});
  for (const LanePtr& lane : std::exchange(idle, {})) lane->connection->close();
  std::vector<JobPtr> ended;
  for (const LanePtr& lane : lanes) {
    lane->connection->close();
    ended.push_back(lane->job);
  }
  for (JobPtr& job : std::exchange(jobs, {})) ended.push_back(std::move(job));
  for (auto& [done, error] : std::exchange(refused, {})) done(std::unexpected(std::move(error)));
  for (const JobPtr& job : ended) {
    if (Callback done = std::exchange(job->done, {})) {
      done(fail(ErrorKind::Unavailable, "the HTTP client was closed"));
    }
  }
}

}  // namespace sonde::net
