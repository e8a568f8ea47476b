// SPDX-License-Identifier: Apache-2.0
#include "components/extension/basicauth/htpasswd.h"

#include <crypt.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/digest.h"
#include "components/extension/basicauth/md5_crypt.h"

namespace sonde::basicauth {
namespace {

constexpr size_t kSha1Size = 20;
constexpr size_t kMaxLine = size_t{64} << 10;
constexpr std::string_view kCryptPrefixes[] = {"$2y$", "$2a$", "$2b$", "$2x$", "$5$", "$6$"};

// What crypt(3) makes of the password with the salt that the hash begins with.
bool matches_crypt(const std::string& hash, std::string_view password) {
  // It would read only as far as the first zero.
  if (password.contains('\0')) return false;
  const auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(std::string(password).c_str(), hash.c_str(), data.get());
  // An error is told by a text that begins with an asterisk.
  return made != nullptr && made[0] != '*' && same_secret(made, hash);
}

}  // namespace

Result<Password> Password::parse(std::string_view text) {
  Password made;
  const auto begins = [&](std::string_view prefix) { return text.starts_with(prefix); };
  if (begins("$apr1$") || begins("$1$")) {
    made.kind_ = Kind::Md5;
    made.prefix_ = begins("$1$") ? "$1$" : "$apr1$";
    text.remove_prefix(made.prefix_.size());
    const size_t end = text.find('$');
    if (end == std::string_view::npos) return fail(ErrorKind::Invalid, "the MD5 hash has no salt");
    made.salt_ = text.substr(0, end);
    made.hash_ = text.substr(end + 1);
  } else if (begins("{SHA}") || begins("{SSHA}")) {
    made.kind_ = begins("{SHA}") ? Kind::Sha : Kind::Ssha;
    const auto bytes = decode_base64(text.substr(text.find('}') + 1));
    if (!bytes || bytes->size() < kSha1Size ||
        (made.kind_ == Kind::Sha && bytes->size() > kSha1Size)) {
      return fail(ErrorKind::Invalid, "the SHA-1 hash is damaged");
    }
    made.hash_ = bytes->substr(0, kSha1Size);
    made.salt_ = bytes->substr(kSha1Size);
  } else {
    const bool crypt = std::ranges::any_of(kCryptPrefixes, begins);
    made.kind_ = crypt ? Kind::Crypt : Kind::Plain;
    made.hash_ = text;
  }
  return made;
}

bool Password::slow() const { return kind_ == Kind::Crypt || kind_ == Kind::Md5; }

bool Password::matches(std::string_view password) const {
  switch (kind_) {
    case Kind::Plain:
      // nginx writes plain passwords so.
      return same_secret(password, hash_) || same_secret("{PLAIN}" + std::string(password), hash_);
    case Kind::Sha:
    case Kind::Ssha:
      return same_secret(raw_digest(Digest::Sha1, std::string(password) + salt_), hash_);
    case Kind::Md5:
      return same_secret(md5_crypt(password, salt_, prefix_), hash_);
    case Kind::Crypt:
      return matches_crypt(hash_, password);
  }
  return false;
}

Result<Htpasswd> parse_htpasswd(std::string_view text) {
  Htpasswd out;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (whole.size() > kMaxLine) {
      return fail(ErrorKind::Invalid, fmt::format("line {} is longer than 64 KiB", number));
    }
    const std::string_view line = trimmed(whole, kWhiteSpace);
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      out.problems.push_back(fmt::format("line {} has no colon", number));
      continue;
    }
    auto password = Password::parse(line.substr(colon + 1));
    if (!password) {
      out.problems.push_back(fmt::format("line {}: {}", number, password.error().message));
      continue;
    }
    out.users.insert_or_assign(std::string(line.substr(0, colon)), std::move(*password));
  }
  return out;
}

}  // namespace sonde::basicauth
