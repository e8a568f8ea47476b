// SPDX-License-Identifier: Apache-2.0
// For tests that serve a loop themselves: one call, until it has ended.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/grpc/grpc_client.h"
#include "net/http/http_client.h"
#include "net/testing/run_until.h"

namespace sonde::net {

// What `begin` gives to the callback that it is handed, while this serves the loop for at most a
// minute. The callback must not run within `begin`.
template <class Value, class Begin>
Result<Value> wait_for_answer(Loop& loop, Begin begin) {
  // Whoever is called back later than that still has a place for the answer.
  const auto answer = std::make_shared<std::optional<Result<Value>>>();
  begin([answer, &loop](Result<Value> result) {
    *answer = std::move(result);
    loop.stop();
  });
  EXPECT_FALSE(*answer) << "called back at once";
  EXPECT_TRUE(run_until(
      loop, [&] { return answer->has_value(); }, std::chrono::minutes(1)))
      << "never called back";
  return *answer ? std::move(**answer) : fail(ErrorKind::Internal, "never called back");
}

inline Result<std::string> call_and_wait(Loop& loop, GrpcClient& client, std::string_view path,
                                         Bytes message, std::string_view encoding = {},
                                         Headers metadata = {}) {
  return wait_for_answer<std::string>(loop, [&](auto done) {
    client.unary(path, std::move(message), std::move(done), encoding, std::move(metadata));
  });
}

inline Result<HttpResponse> request_and_wait(Loop& loop, HttpClient& client,
                                             std::string_view method, std::string_view path,
                                             Bytes body = {}, Headers headers = {}) {
  return wait_for_answer<HttpResponse>(loop, [&](auto done) {
    client.request(method, path, std::move(headers), std::move(body), std::move(done));
  });
}

}  // namespace sonde::net
