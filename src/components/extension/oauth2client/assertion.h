// SPDX-License-Identifier: Apache-2.0
// A JSON Web Token (RFC 7519) that says who we are and is signed with our key, as the grant
// jwt-bearer (RFC 7523) wants it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "config/value.h"

namespace sonde::oauth2 {

struct Assertion {
  std::string algorithm;  // RS256, RS384 or RS512; empty: RS256
  std::string key_pem;    // an RSA private key
  std::string key_id;
  std::string iss, sub, aud, scope;
  int64_t now_seconds = 0;                      // since 1970; it is good for half an hour
  config::Value claims = config::Value::map();  // more, which win over those above
};

// Invalid where the key is none.
Result<std::string> sign(const Assertion& assertion);

}  // namespace sonde::oauth2
