// SPDX-License-Identifier: Apache-2.0
#include "net/http/internal/http_parse.h"

#include <boost/beast/http/error.hpp>
#include <utility>

namespace sonde::net {

std::optional<Refusal> refusal_of(error_code error) {
  using E = http::error;
  if (error == asio::error::timed_out) return Refusal{408, "the request did not arrive in time"};
  if (error == E::header_limit || error == E::buffer_overflow) {
    return Refusal{431, "the request header is too large"};
  }
  if (error == boost::system::errc::not_enough_memory) {
    return Refusal{429, "the memory limit is reached, try again later", true};
  }
  if (error == E::body_limit) return Refusal{413, "the request body is too large"};
  if (error == E::end_of_stream || error == E::partial_message) return std::nullopt;
  if (error == E::bad_version) return Refusal{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  if (error.category() == make_error_code(E::bad_method).category()) {
    return Refusal{400, "malformed request: " + error.message()};
  }
  return std::nullopt;  // the connection broke
}

namespace {

std::optional<Refusal> check_head(const RequestParser& parser) {
  const auto& head = parser.get();
  if (head.version() != 10 && head.version() != 11) {
    return Refusal{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  const auto hosts = head.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && head.version() == 11)) {
    return Refusal{400, "a request needs exactly one Host header"};
  }
  if (head.count(http::field::transfer_encoding) > 0) {
    // Two readings of a body's length are how requests are smuggled past a proxy.
    if (head.version() == 10 || head.count(http::field::content_length) > 0) {
      return Refusal{400, "Transfer-Encoding is not allowed here"};
    }
    if (!parser.chunked() ||
        !equals_ignoring_case(head[http::field::transfer_encoding], "chunked")) {
      return Refusal{501, "the only transfer coding known here is chunked"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> take_target(std::string_view target, Request& out) {
  out.head = out.method == "HEAD";
  if (out.head) out.method = "GET";
  out.target = std::string(target);
  std::string_view rest = out.target;
  if (!rest.starts_with('/') && rest != "*") {
    const size_t scheme = rest.find("://");
    const size_t slash = scheme == std::string_view::npos ? scheme : rest.find('/', scheme + 3);
    if (slash == std::string_view::npos) return Refusal{400, "the request target is not a path"};
    rest.remove_prefix(slash);
  }
  rest = rest.substr(0, rest.find('#'));
  const size_t question = std::min(rest.find('?'), rest.size());
  out.query = std::string(rest.substr(std::min(question + 1, rest.size())));
  auto path = percent_decode(rest.substr(0, question));
  if (!path || path->find('\0') != std::string::npos) {
    return Refusal{400, "the request path has a broken percent escape"};
  }
  out.path = std::move(*path);
  return std::nullopt;
}

std::optional<Refusal> take_head(const RequestParser& parser, Request& out) {
  if (auto refusal = check_head(parser)) return refusal;
  const auto& message = parser.get();
  out.method = std::string(message.method_string());
  if (auto refusal = take_target(message.target(), out)) return refusal;
  out.headers.clear();
  for (const auto& field : message) {
    out.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return std::nullopt;
}

void take_body(RequestParser& parser, Request& out) {
  out.body = std::move(parser.get().body()).take();
}

std::optional<Refusal> parse_request(std::string_view bytes, size_t max_header, size_t max_body,
                                     Request& out) {
  RequestParser parser;
  parser.header_limit(static_cast<uint32_t>(max_header));
  parser.body_limit(max_body);
  bool checked = false;
  while (!parser.is_done()) {
    error_code error;
    const size_t used = parser.put(asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    if (parser.is_header_done() && !checked) {
      if (auto refusal = take_head(parser, out)) return refusal;
      checked = true;
      parser.eager(true);
    }
    if (error == http::error::need_more || (!error && used == 0)) {
      return Refusal{0, "the request is not whole"};
    }
    if (error) return refusal_of(error);
  }
  take_body(parser, out);
  return std::nullopt;
}

}  // namespace sonde::net
