// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 client for exporters, encrypted or not: a few kept-alive connections, each of which
// carries one request at a time. A status of any value is a success here; only a failed exchange is
// an error (Unavailable, so that a sending queue retries it; Invalid for a bad address; Exhausted
// for an answer over its limit).
// An answer with a Content-Encoding is decompressed, under the same limit.
// A kept-alive connection that the peer closed is replaced; only GET and HEAD are sent twice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http/http_types.h"
#include "net/loop.h"
#include "net/socket/proxy.h"
#include "net/tls/tls.h"

namespace sonde::net {

struct HttpClientOptions {
  std::string base_url;  // "http[s]://host:port[/prefix]"; the prefix goes before each path
  Duration timeout = std::chrono::seconds(10);       // one request, connecting included
  Duration idle_timeout = std::chrono::seconds(30);  // then an unused connection is closed
  size_t max_response = 4 * 1024 * 1024;
  size_t max_connections = 16;  // at once; further requests wait
  size_t max_idle = SIZE_MAX;   // of them kept while they carry nothing
  size_t max_queued = 256;      // requests that wait; more are refused (Exhausted)
  TlsContextPtr tls = nullptr;  // of make_tls_client() for HTTP/1.1; an https:// URL needs it
  std::optional<Proxy> proxy = std::nullopt;
  bool keep_alive = true;  // several requests on a connection
  bool cookies = false;    // send back what the host sets: see cookie_jar.h
  // Whether an answer over max_response is an error (Exhausted). Else it comes without its body,
  // for those to whom the status says enough.
  bool whole_answers = true;
};

class HttpClient {
 public:
  using Callback = std::move_only_function<void(Result<HttpResponse>)>;

  HttpClient(Loop& loop, HttpClientOptions options);
  ~HttpClient();  // as close()
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The callback runs exactly once, on the loop, never inside this call.
  void request(std::string_view method, std::string_view path, Headers headers, Bytes body,
               Callback done);
  // Ends every waiting request with Unavailable, inside this call. Later requests fail as well.
  void close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sonde::net
