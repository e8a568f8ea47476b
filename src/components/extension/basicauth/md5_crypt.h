// SPDX-License-Identifier: Apache-2.0
// The MD5 hash of passwords as Apache's htpasswd (`$apr1$`) and old Unix systems (`$1$`) make it: a
// thousand rounds over password and salt. Weak today; here to read what people have.
#pragma once

#include <string>
#include <string_view>

namespace sonde::basicauth {

// The 22 characters that stand behind the salt. `prefix` is "$apr1$" or "$1$".
std::string md5_crypt(std::string_view password, std::string_view salt, std::string_view prefix);

}  // namespace sonde::basicauth
