// SPDX-License-Identifier: Apache-2.0
// Any text as an htpasswd file: its users are asked for a password, but for hashes that take long.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "components/extension/basicauth/htpasswd.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = sonde::basicauth::parse_htpasswd(text);
  if (!read) return 0;
  int asked = 0;
  for (const auto& [user, password] : read->users) {
    CHECK(user.find(':') == std::string::npos, "a user's name has a colon");
    if (password.slow()) continue;
    if (++asked > 16) break;
    (void)password.matches("secret");
  }
  return 0;
}
