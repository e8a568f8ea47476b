// SPDX-License-Identifier: Apache-2.0
// One connection of an HttpClient, which connects when it is needed and is kept between requests.
// One request at a time.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "net/http/http_client.h"
#include "net/http/internal/http_input.h"
#include "net/internal/transport.h"

namespace sonde::net {

struct HttpJob {
  std::string head;  // request line and headers, as sent
  Bytes body;
  bool head_method = false;
  std::string target;  // where answers may set cookies
  bool repeatable = false;
  int64_t deadline_ns = 0;
  HttpClient::Callback done;  // empty once it has ended
};

// Where an exchange failed decides whether it may be tried on a new connection.
struct HttpFailure {
  Error error;
  bool before_answer = false;
};
using HttpAnswer = std::expected<HttpResponse, HttpFailure>;

class HttpClientConnection : public std::enable_shared_from_this<HttpClientConnection> {
 public:
  HttpClientConnection(Loop& loop, const HttpClientOptions& options, Url url);

  // The job's deadline bounds it. The caller keeps this connection in memory until it returns.
  asio::awaitable<HttpAnswer> exchange(const HttpJob& job);
  bool open() const { return transport_ != nullptr; }
  void close();  // also what is in progress

 private:
  asio::awaitable<HttpAnswer> attempt(const HttpJob& job);
  asio::awaitable<HttpAnswer> read_answer(const HttpJob& job);
  HttpFailure failure(error_code error, std::string_view doing) const;
  void drop();
  void expire();

  Loop& loop_;
  Url url_;
  TlsContextPtr tls_;
  std::optional<Proxy> proxy_;
  Duration timeout_;
  size_t max_response_;
  bool whole_answers_;
  std::unique_ptr<Dial> dial_;  // while connecting
  std::unique_ptr<Transport> transport_;
  HttpInput input_;
  bool late_ = false;
  bool closed_ = false;
};

}  // namespace sonde::net
