// SPDX-License-Identifier: Apache-2.0
// Expected failure is a value: Result<T>, passed up with TRY. A mistake of a peer, of the kernel or
// of a user is always a Result and never a CHECK. A message to a user says where, what, and what to
// do about it.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace sonde {

enum class ErrorKind { Invalid, Unavailable, NotFound, Denied, Exhausted, Internal };

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string message;
  // When positive: the time the peer asked us to wait before the next try.
  Duration retry_after{};
  // The google.rpc.Code that a peer answered with; 0: nobody did.
  uint8_t peer_code = 0;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected<Error>(Error{kind, std::move(message), {}});
}

std::string_view to_string(ErrorKind kind);

// Prefixes the message with where it happened: "receivers::otlp: no such key".
[[nodiscard]] Error at(std::string_view where, Error error);

namespace detail {
template <class T>
T unwrap(std::expected<T, Error>& r) {
  return std::move(*r);
}
inline void unwrap(std::expected<void, Error>&) {}
}  // namespace detail

}  // namespace sonde

#define SONDE_TRY_JOIN2(a, b) a##b
#define SONDE_TRY_JOIN(a, b) SONDE_TRY_JOIN2(a, b)
#define SONDE_TRY(result, ...)                                           \
  ({                                                                     \
    auto result = (__VA_ARGS__);                                         \
    if (!result) [[unlikely]]                                            \
      return std::unexpected<::sonde::Error>(std::move(result.error())); \
    ::sonde::detail::unwrap(result);                                     \
  })
// The value of a Result, or returns its error from the enclosing function.
#define TRY(...) SONDE_TRY(SONDE_TRY_JOIN(sonde_try_, __COUNTER__), __VA_ARGS__)
