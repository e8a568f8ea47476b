// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/grpc_frame.h"

#include <gtest/gtest.h>

#include <vector>

#include "net/compression/compression.h"

namespace sonde::net {
namespace {

using namespace std::chrono_literals;

Error error_of(std::string status, std::string message = "") {
  GrpcTrailers t;
  t.http_status = 200;
  t.status = std::move(status);
  t.message = std::move(message);
  return grpc_outcome(t).error();
}

TEST(GrpcMessageReader, CollectsAMessageFromSingleBytes) {
  const std::string wire = grpc_prefix(3) + "abc";
  GrpcMessageReader reader(100);
  for (const char c : wire) ASSERT_TRUE(reader.feed({&c, 1}));
  EXPECT_EQ(reader.finish(), "abc");
}

TEST(GrpcMessageReader, TakesAnEmptyMessage) {
  GrpcMessageReader reader(100);
  ASSERT_TRUE(reader.feed(grpc_prefix(0)));
  EXPECT_EQ(reader.finish(), "");
}

TEST(GrpcMessageReader, RefusesWhatIsNotOneWholeMessage) {
  EXPECT_FALSE(GrpcMessageReader(100).finish());
  GrpcMessageReader cut(100);
  ASSERT_TRUE(cut.feed(grpc_prefix(3) + "ab"));
  EXPECT_EQ(cut.finish().error().kind, ErrorKind::Unavailable);
  EXPECT_FALSE(GrpcMessageReader(100).feed(grpc_prefix(1) + "ab"));
  EXPECT_FALSE(GrpcMessageReader(100).feed(std::string("\7", 1)));
  EXPECT_EQ(GrpcMessageReader(100).feed(grpc_prefix(101)).error().message,
            "the gRPC response of 101 bytes is over the limit of 100");
}

TEST(GrpcMessageReader, DecompressesUnderTheSameLimit) {
  const std::vector<Bytes> text = {Bytes::copy(std::string(100, 'a'))};
  const auto packed = compress(Encoding::Gzip, text);
  ASSERT_TRUE(packed);
  const std::string wire = grpc_prefix(packed->size(), true) + std::string(packed->view());
  const auto read = [&](size_t limit, std::string_view encoding) {
    GrpcMessageReader reader(limit);
    EXPECT_TRUE(reader.feed(wire));
    return reader.finish(encoding);
  };
  EXPECT_EQ(read(100, "gzip"), std::string(100, 'a'));
  EXPECT_EQ(read(99, "gzip").error().kind, ErrorKind::Exhausted);
  EXPECT_EQ(read(100, "zstd").error().kind, ErrorKind::Invalid);
  EXPECT_EQ(read(100, "").error().message,
            "the gRPC response is compressed as \"\", which is not supported");
}

TEST(GrpcOutcome, SortsStatusesByWhetherARetryHelps) {
  for (const char* status : {"1", "4", "10", "11", "14", "15"}) {
    EXPECT_EQ(error_of(status).kind, ErrorKind::Unavailable) << status;
    EXPECT_EQ(std::to_string(error_of(status).peer_code), status);
  }
  // RESOURCE_EXHAUSTED only where the peer says when: see ReadsRetryInfo.
  for (const char* status :
       {"2", "3", "5", "6", "7", "8", "9", "12", "13", "16", "99", "x", "-1"}) {
    EXPECT_EQ(error_of(status).kind, ErrorKind::Invalid) << status;
  }
  EXPECT_EQ(error_of("8", "too%20much").message, "RESOURCE_EXHAUSTED: too much");
  EXPECT_EQ(error_of("14").message, "UNAVAILABLE");
  EXPECT_EQ(error_of("99").peer_code, 2);
}

TEST(GrpcOutcome, MapsAnHttpStatusWithoutAGrpcStatus) {
  GrpcTrailers t;
  t.http_status = 503;
  EXPECT_EQ(grpc_outcome(t).error().kind, ErrorKind::Unavailable);
  t.http_status = 404;
  EXPECT_EQ(grpc_outcome(t).error().message,
            "UNIMPLEMENTED: the peer answered HTTP 404 without a grpc-status");
  t.http_status = 200;
  EXPECT_EQ(grpc_outcome(t).error().kind, ErrorKind::Invalid);
}

TEST(GrpcOutcome, ObeysThePushback) {
  GrpcTrailers t;
  t.http_status = 200;
  t.status = "14";
  t.pushback = "1500";
  EXPECT_EQ(grpc_outcome(t).error().retry_after, Duration(1500ms));
  t.pushback = "-1";
  EXPECT_EQ(grpc_outcome(t).error().kind, ErrorKind::Invalid);
  t.pushback = "99999999999999999999";
  EXPECT_EQ(grpc_outcome(t).error().kind, ErrorKind::Invalid);
}

TEST(GrpcOutcome, ReadsRetryInfo) {
  // google.rpc.Status{code 8, details: RetryInfo{retry_delay: 2 s}}
  GrpcTrailers t;
  t.http_status = 200;
  t.status = "8";
  t.details = "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg==";
  EXPECT_EQ(grpc_outcome(t).error().retry_after, Duration(2s));
  EXPECT_EQ(grpc_outcome(t).error().kind, ErrorKind::Unavailable);
  // The same without a delay: it may be tried again at once.
  t.details = "CAgaLAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIA";
  EXPECT_EQ(grpc_outcome(t).error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(grpc_outcome(t).error().retry_after, Duration(0s));
  t.details.clear();
  t.pushback = "100";
  EXPECT_EQ(grpc_outcome(t).error().kind, ErrorKind::Unavailable);
}

TEST(GrpcOutcome, IgnoresOtherAndBrokenDetails) {
  GrpcTrailers t;
  t.http_status = 200;
  t.status = "8";
  for (const char* details :
       {"CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkRlYnVnSW5mbxIECgIIAg==",
        "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECg==", "!!",
        "/////////////////"}) {
    t.details = details;
    EXPECT_EQ(grpc_outcome(t).error().retry_after, Duration(0s)) << details;
  }
}

}  // namespace
}  // namespace sonde::net
