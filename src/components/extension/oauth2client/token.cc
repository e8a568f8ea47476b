// SPDX-License-Identifier: Apache-2.0
#include "components/extension/oauth2client/token.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"

namespace sonde::oauth2 {
namespace {

constexpr size_t kShown = 256;  // Of what the server says, in an error.

struct Answer {
  std::string access_token, token_type, error, error_description, error_uri;
  int64_t expires_in = 0;
};

std::unexpected<Error> unavailable(std::string why) {
  return fail(ErrorKind::Unavailable, std::move(why));
}

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// False where a field is there and of another type.
bool read_string(const simdjson::dom::object& object, std::string_view name, std::string& out) {
  const auto field = object[name];
  if (field.error() != simdjson::SUCCESS || field.is_null()) return true;
  std::string_view text;
  if (field.get(text) != simdjson::SUCCESS) return false;
  out = text;
  return true;
}

// A number, or a text that is one: some servers quote it.
bool read_seconds(const simdjson::dom::object& object, int64_t& out) {
  const auto field = object["expires_in"];
  if (field.error() != simdjson::SUCCESS || field.is_null()) return true;
  if (field.get(out) == simdjson::SUCCESS) return true;
  std::string_view text;
  if (field.get(text) != simdjson::SUCCESS) return false;
  const auto number = whole_number(text);
  out = number.value_or(0);
  return number.has_value();
}

bool read_json(std::string_view body, Answer& out) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  // With room behind it, as the parser wants.
  if (parser.parse(simdjson::padded_string(body)).get(object) != simdjson::SUCCESS) return false;
  return read_string(object, "access_token", out.access_token) &&
         read_string(object, "token_type", out.token_type) &&
         read_string(object, "error", out.error) &&
         read_string(object, "error_description", out.error_description) &&
         read_string(object, "error_uri", out.error_uri) && read_seconds(object, out.expires_in);
}

bool read_form(std::string_view body, Answer& out) {
  net::Request request;
  request.query = body;
  const auto value = [&](std::string_view name) {
    return request.query_param(name).value_or(std::string());
  };
  out = {value("access_token"),      value("token_type"), value("error"),
         value("error_description"), value("error_uri"),  0};
  out.expires_in = whole_number(value("expires_in")).value_or(0);
  return true;
}

std::string type_of(std::string_view said) {
  for (const std::string_view known : {"Bearer", "MAC", "Basic"}) {
    if (equals_ignoring_case(said, known)) return std::string(known);
  }
  return said.empty() ? "Bearer" : std::string(said);
}

std::string said_error(const Answer& said) {
  std::string out = fmt::format("\"{}\"", said.error);
  if (!said.error_description.empty()) out += fmt::format(" \"{}\"", said.error_description);
  if (!said.error_uri.empty()) out += fmt::format(" \"{}\"", said.error_uri);
  return std::string(cut_utf8(out, kShown));
}

}  // namespace

Result<Token> read_token_answer(const net::HttpResponse& answer) {
  const bool failed = answer.status < 200 || answer.status > 299;
  const std::string type = net::media_type(answer.header("content-type"));
  const bool form = type == "application/x-www-form-urlencoded" || type == "text/plain";
  Answer said;
  const bool read = form ? read_form(answer.body, said) : read_json(answer.body, said);
  // Some servers tell an error with status 200.
  if (read && !said.error.empty()) return unavailable(said_error(said));
  if (failed) {
    return unavailable(
        fmt::format("it answered {}: {}", answer.status, cut_utf8(answer.body, kShown)));
  }
  if (!read) return unavailable("its answer is no JSON object with a token");
  if (said.access_token.empty()) return unavailable("its answer has no access_token");
  Token token{type_of(said.token_type), std::move(said.access_token), std::nullopt};
  if (said.expires_in != 0) {
    token.lifetime = std::chrono::seconds(std::clamp<int64_t>(said.expires_in, 0, INT32_MAX));
  }
  return token;
}

std::string encode_form_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alphanumeric(c) || std::string_view("-_.~").contains(c)) {
      out += c;
    } else {
      out += c == ' ' ? "+" : fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::string encode_form(const Form& form) {
  std::string out;
  for (const auto& [name, values] : form) {
    for (const std::string& value : values) {
      if (!out.empty()) out += '&';
      out += encode_form_value(name) + "=" + encode_form_value(value);
    }
  }
  return out;
}

}  // namespace sonde::oauth2
