// SPDX-License-Identifier: Apache-2.0
// Any answer of a token endpoint, as JSON and as a form: a token that is taken has a text and no
// lifetime below zero.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "components/extension/oauth2client/token.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  for (const char* type : {"application/json", "text/plain; charset=utf-8", ""}) {
    for (const int status : {200, 400}) {
      const auto token = sonde::oauth2::read_token_answer({status, {{"Content-Type", type}}, body});
      if (!token) continue;
      CHECK(status == 200, "a token from a failure");
      CHECK(!token->access_token.empty() && !token->type.empty(), "a token without a text");
      CHECK(!token->lifetime || *token->lifetime >= sonde::Duration{}, "a lifetime below zero");
    }
  }
  return 0;
}
