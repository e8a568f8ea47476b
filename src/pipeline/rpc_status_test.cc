// SPDX-License-Identifier: Apache-2.0
#include "pipeline/rpc_status.h"

#include <gtest/gtest.h>

namespace sonde::pipeline {
namespace {

using net::GrpcCode;

// As the Collector's receiver maps what it knows; all else is 500.
TEST(RpcStatus, BecomesTheHttpStatusThatTheCollectorAnswers) {
  for (const auto code : {GrpcCode::Cancelled, GrpcCode::DeadlineExceeded, GrpcCode::Aborted,
                          GrpcCode::OutOfRange, GrpcCode::Unavailable, GrpcCode::DataLoss}) {
    EXPECT_EQ(http_status_of(code), 503);
  }
  EXPECT_EQ(http_status_of(GrpcCode::ResourceExhausted), 429);
  EXPECT_EQ(http_status_of(GrpcCode::InvalidArgument), 400);
  EXPECT_EQ(http_status_of(GrpcCode::Unauthenticated), 401);
  EXPECT_EQ(http_status_of(GrpcCode::PermissionDenied), 403);
  EXPECT_EQ(http_status_of(GrpcCode::Unimplemented), 404);
  constexpr uint8_t kAlreadyExists = 6, kFailedPrecondition = 9;
  for (const auto code :
       {GrpcCode::Unknown, GrpcCode::Internal, GrpcCode::NotFound,
        static_cast<GrpcCode>(kAlreadyExists), static_cast<GrpcCode>(kFailedPrecondition)}) {
    EXPECT_EQ(http_status_of(code), 500);
  }
}

}  // namespace
}  // namespace sonde::pipeline
