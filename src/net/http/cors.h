// SPDX-License-Identifier: Apache-2.0
// Cross-origin resource sharing: which pages of browsers may send to a server and read its answers
// (https://fetch.spec.whatwg.org/#http-cors-protocol). It refuses nobody: a browser that finds no
// permission in an answer keeps the answer from its page.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http/http_types.h"

namespace sonde::net {

struct CorsSettings {
  // "*", or origins such as "https://shop.example", each with one "*" for any text. Without case.
  std::vector<std::string> allowed_origins;
  // "*", or names. Accept, Accept-Language, Content-Language and Content-Type are always allowed,
  // and X-Requested-With where the list is empty.
  std::vector<std::string> allowed_headers;
  std::vector<std::string> exposed_headers;  // which of an answer a page may read
  int64_t max_age = 0;  // seconds that a browser keeps a permission; 0: as the browser likes
};

class Cors {
 public:
  explicit Cors(CorsSettings settings);

  // Whether a browser asks for permission, which no handler should see.
  static bool is_preflight(const Request& request);
  Response preflight(const Request& request) const;
  // Adds what the answer to a request of this origin (empty: none) and method says.
  void annotate(std::string_view origin, std::string_view method, Headers& headers) const;

 private:
  bool allows_origin(std::string_view origin) const;
  bool allows_headers(std::string_view list) const;
  void add_permission(std::string_view origin, Headers& headers) const;

  CorsSettings settings_;
  bool any_origin_ = false;
  bool any_header_ = false;
  std::vector<std::string> origins_;
  std::vector<std::pair<std::string, std::string>> patterns_;  // before and after the "*"
  std::string exposed_;
};

}  // namespace sonde::net
