// SPDX-License-Identifier: Apache-2.0
// What is said to a token endpoint and what it answers (RFC 6749, sections 4.4 and 5).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http/http_types.h"

namespace sonde::oauth2 {

struct Token {
  std::string type;  // as it is written before the token: "Bearer", or what the server said
  std::string access_token;
  std::optional<Duration> lifetime;  // from now; none: it never expires

  std::string header() const { return type + " " + access_token; }
};

// Errors (Unavailable, since another answer may come later) say what the server said.
Result<Token> read_token_answer(const net::HttpResponse& answer);

using Form = std::map<std::string, std::vector<std::string>>;

// application/x-www-form-urlencoded, by name.
std::string encode_form(const Form& form);
std::string encode_form_value(std::string_view text);

}  // namespace sonde::oauth2
