// SPDX-License-Identifier: Apache-2.0
// What an HTTP exchange looks like to the rest of Sonde: plain structs, no library types. Header
// names compare without case. Bodies are whole strings, since every body is bounded by a limit.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/admission.h"
#include "base/ascii.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sonde::net {

struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;

// The value of the first header of this name; empty when there is none.
std::string_view find_header(const Headers& headers, std::string_view name);

// What is known of who sent a request, by name.
using Sender = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "HEAD" arrives as "GET" with head set: the server drops the body itself
  bool head = false;
  std::string target;  // as sent
  std::string path;    // percent-decoded, always starts with '/' (or is "*")
  std::string query;   // raw, without the '?'
  Headers headers;
  Bytes body;
  Admission admission;  // of HttpServerOptions::admit
  Sender sender;        // of HttpServerOptions::identify
  std::string peer;     // "address:port" of the other end

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
  // The decoded value of a query parameter; nullopt when it is absent.
  std::optional<std::string> query_param(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type;  // empty: no Content-Type header
  std::string body;
  Headers headers;
  // Let go of, as the body is, when the answer was sent or cannot be any more.
  std::shared_ptr<const void> held = nullptr;
};

struct HttpResponse {
  int status = 0;
  Headers headers;
  std::string body;
  bool whole = true;  // else the body was too large: see HttpClientOptions::whole_answers
  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

std::string_view reason_phrase(int status);
// Of a Content-Type: without its parameters, in lower case (RFC 9110 section 8.3.1).
std::string media_type(std::string_view content_type);
// The Authorization header for the percent-encoded user:password of a URL (RFC 7617); nothing where
// an escape is broken.
std::optional<std::string> basic_authorization(std::string_view user_info);
// A date in one of the three forms of RFC 9110 section 5.6.7, or with the dashes of old cookies, as
// seconds since 1970; nothing for what is none.
std::optional<int64_t> parse_http_date(std::string_view text);
// What a Retry-After says: seconds, or a date in one of the three forms of RFC 9110 section 5.6.7.
// Zero where it says nothing, or a time that is past; at most an hour, for more is an outage.
Duration retry_after(std::string_view header, int64_t unix_ns);
// Decodes %XX, and '+' as a space when asked. A broken escape is nullopt.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace sonde::net
