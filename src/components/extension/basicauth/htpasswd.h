// SPDX-License-Identifier: Apache-2.0
// The lines of an htpasswd file, `user:hash`: bcrypt, MD5 (`$apr1$`, `$1$`), `{SHA}`, `{SSHA}`,
// SHA-256 and SHA-512 as crypt(3) makes them, and, where it is none of those, the password itself.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sonde::basicauth {

class Password {
 public:
  // Errors (Invalid) say what is wrong with a hash, but not what it is.
  static Result<Password> parse(std::string_view text);

  // Whether a check takes long: milliseconds, on purpose.
  bool slow() const;
  // From any thread.
  bool matches(std::string_view password) const;

 private:
  enum class Kind { Plain, Sha, Ssha, Md5, Crypt };
  Kind kind_ = Kind::Plain;
  std::string hash_;  // Of Plain the password, of Crypt the whole text.
  std::string salt_;
  std::string prefix_;
};

struct Htpasswd {
  std::map<std::string, Password, std::less<>> users;
  // "line 3: ...", for those that nobody can sign in by.
  std::vector<std::string> problems;
};

// Of two lines for one user the later counts. An error (Invalid) for a line over 64 KiB.
Result<Htpasswd> parse_htpasswd(std::string_view text);

}  // namespace sonde::basicauth
