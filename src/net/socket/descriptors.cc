// SPDX-License-Identifier: Apache-2.0
#include "net/socket/descriptors.h"

#include <sys/resource.h>

namespace sonde::net {

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace sonde::net
