// SPDX-License-Identifier: Apache-2.0
// For tests of extensions that say who sends, or who we are.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/yaml.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/component.h"

namespace sonde::pipeline {

// One extension at a time, in a host of this type with the id of the extension.
template <class TestedIn>
class AuthenticatorTest : public ::testing::Test {
 protected:
  explicit AuthenticatorTest(const ComponentType& type)
      : host_(std::string(type.name)), type_(type) {}
  // It may still call back to what the test holds.
  void TearDown() override { extension_.reset(); }

  // In the place of the one before, which stays where the settings are refused.
  Result<> start(const std::string& settings) { return start(settings, host_); }
  Result<> start(const std::string& settings, Host& host) {
    const config::Value value = TRY(config::parse_yaml(settings, "test.yaml"));
    extension_ = TRY(type_.create(value, type_.name, {}));
    return extension_->start(host);
  }
  static void expect_refused(const Result<>& started, std::string_view why) {
    ASSERT_FALSE(started) << "instead of: " << why;
    EXPECT_NE(started.error().message.find(why), std::string::npos) << started.error().message;
  }
  ServerAuthenticator& server() { return dynamic_cast<ServerAuthenticator&>(*extension_); }
  ClientAuthenticator& client() { return dynamic_cast<ClientAuthenticator&>(*extension_); }

  TestedIn host_;
  std::unique_ptr<Component> extension_;

 private:
  const ComponentType& type_;
};

}  // namespace sonde::pipeline
