// SPDX-License-Identifier: Apache-2.0
// Dies loudly. It writes to stderr itself: the logger may be what is broken.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace sonde::detail {

void check_failed(const char* file, int line, const char* expression, const char* message) {
  std::fprintf(stderr, "sonde: CHECK failed at %s:%d: %s%s%s\n", file, line, expression,
               *message ? ": " : "", message);
  std::abort();
}

}  // namespace sonde::detail
