// SPDX-License-Identifier: Apache-2.0
// CHECK is for our own mistakes only: it says where and dies, in every build. DCHECK is for what is
// too hot to check in a release. What a peer, the kernel or a user can cause is a Result instead.
#pragma once

namespace sonde::detail {
[[noreturn]] void check_failed(const char* file, int line, const char* expression,
                               const char* message);
}

#define SONDE_CHECK_1(condition) SONDE_CHECK_2(condition, "")
#define SONDE_CHECK_2(condition, message)            \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? void()                                      \
       : ::sonde::detail::check_failed(__FILE__, __LINE__, #condition, message))
#define SONDE_CHECK_PICK(a, b, name, ...) name
// CHECK(condition) or CHECK(condition, "what it means").
#define CHECK(...) SONDE_CHECK_PICK(__VA_ARGS__, SONDE_CHECK_2, SONDE_CHECK_1, )(__VA_ARGS__)

#ifdef NDEBUG
#define DCHECK(...) static_cast<void>(0)
#else
#define DCHECK(...) CHECK(__VA_ARGS__)
#endif
