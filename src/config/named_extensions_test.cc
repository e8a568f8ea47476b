// SPDX-License-Identifier: Apache-2.0
#include "config/named_extensions.h"

#include <gtest/gtest.h>

#include "config/yaml.h"

namespace sonde::config {
namespace {

struct Auth {
  std::string authenticator;
};
constexpr auto kAuth = fields<Auth>(
    field("authenticator", &Auth::authenticator, "", {.extension = true, .alias = "who"}));
struct Settings {
  std::optional<Auth> auth;
  std::vector<Auth> several;
  std::map<std::string, Auth> named;
  std::string plain;
  Auth flat;
};
constexpr auto kSettings = fields<Settings>(
    field("auth", &Settings::auth, kAuth, ""), field("several", &Settings::several, kAuth, ""),
    field("named", &Settings::named, kAuth, ""), field("plain", &Settings::plain, ""),
    embed(&Settings::flat, kAuth));

std::vector<std::string> found(std::string_view text) {
  const Value value = *parse_yaml(text, "test.yaml");
  std::vector<std::string> out;
  for (const NamedExtension& named : named_extensions(value, kSettings, "x")) {
    out.push_back(named.path + "=" + named.id);
  }
  return out;
}

TEST(NamedExtensions, AreFoundWhereverTheyStand) {
  EXPECT_EQ(
      found("{auth: {authenticator: a/1}, several: [{authenticator: b}, {}], "
            "named: {k: {who: c}}, plain: d, authenticator: e}"),
      (std::vector<std::string>{"x::auth::authenticator=a/1", "x::several::0::authenticator=b",
                                "x::named::k::who=c", "x::authenticator=e"}));
}

TEST(NamedExtensions, PassOverWhatDoesNotFit) {
  EXPECT_EQ(
      found("{auth: text, several: {authenticator: b}, named: [1], other: {authenticator: f}}"),
      std::vector<std::string>());
  EXPECT_EQ(found("{auth: {authenticator: ''}, authenticator: [g]}"), std::vector<std::string>());
  EXPECT_EQ(found("[]"), std::vector<std::string>());
}

}  // namespace
}  // namespace sonde::config
