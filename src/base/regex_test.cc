// SPDX-License-Identifier: Apache-2.0
#include "base/regex.h"

#include <gtest/gtest.h>

#include "base/digest.h"

namespace sonde {
namespace {

std::string masked(std::string_view pattern, std::string_view text) {
  auto regex = Regex::compile(pattern);
  EXPECT_TRUE(regex);
  std::string out;
  const bool any =
      regex->replace_all(text, [](std::string& to, std::string_view) { to += "*"; }, out);
  return any ? out : "none";
}

TEST(Regex, MatchesAnywhereUnlessAnchored) {
  auto regex = Regex::compile("auth.*");
  ASSERT_TRUE(regex);
  EXPECT_TRUE(regex->matches("my auth service"));
  EXPECT_FALSE(regex->matches("aut"));
}

TEST(Regex, NamesGroupsInBothSpellings) {
  auto regex = Regex::compile(R"(^(?P<a>\w+)/(?<b>[(?<]*)/(c)?)");
  ASSERT_TRUE(regex) << regex.error().message;
  EXPECT_EQ(regex->group_names(), (std::vector<std::string>{"a", "b", ""}));
  std::string_view groups[4];
  ASSERT_TRUE(regex->find("x/(?/", groups));
  EXPECT_EQ(groups[1], "x");
  EXPECT_EQ(groups[2], "(?");
  EXPECT_EQ(groups[3].data(), nullptr);
  EXPECT_FALSE(regex->find("/", groups));
}

TEST(Regex, SaysWhatIsWrong) {
  auto regex = Regex::compile("a(");
  ASSERT_FALSE(regex);
  EXPECT_NE(regex.error().message.find("\"a(\""), std::string::npos);
}

TEST(Regex, ReplacesAsGoDoes) {
  EXPECT_EQ(masked(".*", "secret"), "*");
  EXPECT_EQ(masked(".*", ""), "*");
  EXPECT_EQ(masked("a*", "baac"), "*b*c*");
  EXPECT_EQ(masked("x", "abc"), "none");
  EXPECT_EQ(masked("[0-9]+", "a1b22c"), "a*b*c");
  EXPECT_EQ(masked("^a", "aa"), "*a");
}

TEST(Digest, IsThatOfTheStandards) {
  EXPECT_EQ(hex_digest(Digest::Md5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex_digest(Digest::Sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex_digest(Digest::Sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_digest(Digest::Sha3_256, "abc"),
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  // RFC 4231, test case 2.
  EXPECT_EQ(hex_hmac(Digest::Sha256, "Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace sonde
