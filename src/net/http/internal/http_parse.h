// SPDX-License-Identifier: Apache-2.0
// The checks between Beast's parser and a handler: what Beast lets pass but this server refuses,
// and the conversion to a Request. The server and the fuzzer share it, so what is fuzzed is what
// runs.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "net/http/http_types.h"
#include "net/http/internal/http_body.h"
#include "net/internal/asio.h"

namespace sonde::net {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using RequestParser = http::request_parser<BufferBody>;

// Why a request is not handed to the handler, as the status and the words of the answer.
struct Refusal {
  int status = 400;
  std::string why;
  bool come_back = false;  // in a second: it is said in Retry-After
};

// What to answer to an error of the parser; nullopt when the peer is gone and nothing is to be
// said.
std::optional<Refusal> refusal_of(error_code error);
// Of any version of HTTP: sets target, path and query, and what HEAD means. `out.method` is set.
std::optional<Refusal> take_target(std::string_view target, Request& out);
// To be asked once the header is read, before the body. Fills `out` but for the body.
std::optional<Refusal> take_head(const RequestParser& parser, Request& out);
// Once the body is read: moves it out of the parser.
void take_body(RequestParser& parser, Request& out);
// All of it over bytes in memory. A request that is not whole yet is a refusal with status 0.
std::optional<Refusal> parse_request(std::string_view bytes, size_t max_header, size_t max_body,
                                     Request& out);

}  // namespace sonde::net
