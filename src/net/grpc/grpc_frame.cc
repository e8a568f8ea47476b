// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/grpc_frame.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/base64.h"
#include "net/compression/compression.h"
#include "net/http/http_types.h"

namespace sonde::net {
namespace {

constexpr size_t kPrefix = 5;
constexpr std::array<std::string_view, 17> kNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

template <class Int>
std::optional<Int> parse_int(std::string_view text) {
  Int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// As gRPC says a client must read an HTTP status that came without a grpc-status.
int status_of_http(int http) {
  switch (http) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

bool is_retryable(int status) {
  switch (status) {
    case 1:
    case 4:
    case 10:
    case 11:
    case 14:
    case 15:
      return true;
    default:
      return false;
  }
}

std::optional<uint64_t> read_varint(std::string_view& in) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// Calls fn(field, number, bytes) for each field; enough of protobuf for the two small messages
// here, without making this room depend on the data room.
template <class Fn>
bool each_field(std::string_view in, Fn fn) {
  while (!in.empty()) {
    const auto tag = read_varint(in);
    if (!tag) return false;
    uint64_t number = 0;
    std::string_view bytes;
    switch (*tag & 7) {
      case 0: {
        const auto value = read_varint(in);
        if (!value) return false;
        number = *value;
        break;
      }
      case 1:
      case 5: {
        const size_t width = (*tag & 7) == 1 ? 8 : 4;
        if (in.size() < width) return false;
        in.remove_prefix(width);
        break;
      }
      case 2: {
        const auto size = read_varint(in);
        if (!size || *size > in.size()) return false;
        bytes = in.substr(0, static_cast<size_t>(*size));
        in.remove_prefix(bytes.size());
        break;
      }
      default:
        return false;
    }
    fn(*tag >> 3, number, bytes);
  }
  return true;
}

// The retry_delay of a google.rpc.RetryInfo within google.rpc.Status.details.
std::optional<Duration> retry_delay(std::string_view encoded) {
  const auto status = decode_any_base64(encoded);
  if (!status) return std::nullopt;
  bool found = false;
  int64_t seconds = 0;
  int64_t nanos = 0;
  each_field(*status, [&](uint64_t field, uint64_t, std::string_view any) {
    if (field != 3) return;
    std::string_view type;
    std::string_view value;
    each_field(any, [&](uint64_t f, uint64_t, std::string_view bytes) {
      if (f == 1) type = bytes;
      if (f == 2) value = bytes;
    });
    if (!type.ends_with("/google.rpc.RetryInfo")) return;
    found = true;
    each_field(value, [&](uint64_t f, uint64_t, std::string_view delay) {
      if (f != 1) return;
      each_field(delay, [&](uint64_t g, uint64_t number, std::string_view) {
        if (g == 1) seconds = static_cast<int64_t>(number);
        if (g == 2) nanos = static_cast<int64_t>(number);
      });
    });
  });
  if (!found) return std::nullopt;
  // An hour bounds what a peer can ask for; more would be an outage, not a pause.
  seconds = std::clamp<int64_t>(seconds, 0, 3600);
  nanos = std::clamp<int64_t>(nanos, 0, 999'999'999);
  return std::chrono::seconds(seconds) + Duration(nanos);
}

}  // namespace

std::string grpc_prefix(size_t message_size, bool compressed) {
  const auto size = static_cast<uint32_t>(message_size);
  std::string out(kPrefix, '\0');
  out[0] = compressed ? 1 : 0;
  for (unsigned i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
  return out;
}

Result<> GrpcMessageReader::feed(std::string_view bytes) {
  if (prefix_.size() < kPrefix) {
    const size_t take = std::min(kPrefix - prefix_.size(), bytes.size());
    prefix_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if (prefix_[0] != 0 && prefix_[0] != 1)
      return fail(ErrorKind::Invalid, "the gRPC response has an unknown flag");
    if (prefix_.size() < kPrefix) return {};
    length_ = 0;
    for (unsigned i = 1; i < kPrefix; ++i) {
      length_ = length_ << 8 | static_cast<unsigned char>(prefix_[i]);
    }
    if (length_ > max_message_) {
      return fail(ErrorKind::Invalid, fmt::format("the gRPC response of {} bytes is over the limit "
                                                  "of {}",
                                                  length_, max_message_));
    }
  }
  if (bytes.size() > length_ - message_.size()) {
    return fail(ErrorKind::Invalid, "a unary gRPC response carries more than one message");
  }
  message_.append(bytes);
  return {};
}

Result<std::string> GrpcMessageReader::finish(std::string_view encoding) {
  if (prefix_.empty()) return fail(ErrorKind::Invalid, "the gRPC response has no message");
  if (prefix_.size() < kPrefix || message_.size() < length_) {
    return fail(ErrorKind::Unavailable, "the gRPC response was cut short");
  }
  if (prefix_[0] == 0) return std::move(message_);
  const auto known = encoding_named(encoding, Carrier::Grpc);
  if (!known || *known == Encoding::Identity) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("the gRPC response is compressed as \"{}\", which is not supported", encoding));
  }
  const Bytes plain = TRY(decompress(*known, message_, max_message_));
  return std::string(plain.view());
}

std::string_view grpc_status_name(int status) {
  if (status < 0 || static_cast<size_t>(status) >= kNames.size()) return "UNKNOWN";
  return kNames[static_cast<size_t>(status)];
}

Result<> grpc_outcome(const GrpcTrailers& trailers) {
  int status = 2;
  std::string text;
  if (trailers.status) {
    status = parse_int<int>(*trailers.status).value_or(2);
    if (status == 0) return {};
    text = percent_decode(trailers.message).value_or(trailers.message);
  } else if (trailers.http_status != 200) {
    status = status_of_http(trailers.http_status);
    text = fmt::format("the peer answered HTTP {} without a grpc-status", trailers.http_status);
  } else {
    text = "the response ended without a grpc-status";
  }
  Error error;
  const auto delay = retry_delay(trailers.details);
  const bool told = status == 8 && (delay || trailers.pushback);
  error.kind = is_retryable(status) || told ? ErrorKind::Unavailable : ErrorKind::Invalid;
  error.peer_code = status > 0 && status < static_cast<int>(kNames.size())
                        ? static_cast<uint8_t>(status)
                        : uint8_t{2};
  error.message = fmt::format("{}{}{}", grpc_status_name(status), text.empty() ? "" : ": ", text);
  error.retry_after = delay.value_or(Duration{});
  if (trailers.pushback) {
    const auto ms = parse_int<int64_t>(*trailers.pushback);
    // A negative or unreadable pushback means "do not retry", as gRPC's retry design says.
    if (!ms || *ms < 0) {
      error.kind = ErrorKind::Invalid;
      error.retry_after = {};
    } else {
      error.retry_after = std::chrono::milliseconds(std::min<int64_t>(*ms, 3'600'000));
    }
  }
  return std::unexpected(std::move(error));
}

std::string grpc_percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

std::string grpc_base64(std::string_view bytes) {
  std::string out = encode_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

}  // namespace sonde::net
