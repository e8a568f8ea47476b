// SPDX-License-Identifier: Apache-2.0
// What the names of a request are made of: methods, targets and hosts as peers write them.
#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"
#include "probe/protocol/protocol.h"

namespace sonde::probe::http1 {
namespace {

FinishedRequest begun(std::string_view method, std::string_view target,
                      std::string_view host = {}) {
  FinishedRequest out;
  protocol_of(protocol_number("http1"))
      ->begin({.first = {}, .operation = method, .target = target, .host = host}, out);
  return out;
}

TEST(Http1Names, AMethodThatTheConventionDoesNotListIsAnother) {
  EXPECT_EQ(begun("QUERY", "/").operation, "QUERY");
  EXPECT_EQ(begun("QUERY", "/").operation_original, "");
  EXPECT_EQ(begun("PROPFIND", "/").operation, "_OTHER");
  EXPECT_EQ(begun("PROPFIND", "/").operation_original, "PROPFIND");
}

TEST(Http1Names, AnAbsoluteTargetNamesItsHostWithoutUserAndPassword) {
  const FinishedRequest r = begun("GET", "http://alice:pw@x@shop:81/a/b?q=/", "other");
  EXPECT_EQ(r.host, "shop:81");
  EXPECT_EQ(r.target, "/a/b");
  EXPECT_EQ(begun("GET", "http://token@shop").host, "shop");
  EXPECT_EQ(begun("GET", "http://shop?q=me@home").host, "shop");
  EXPECT_EQ(begun("GET", "http://shop?q=1").target, "/");
  EXPECT_EQ(begun("GET", "/a", "bob:pw@shop").host, "shop");
  EXPECT_EQ(begun("CONNECT", "bob:pw@shop:443").host, "shop:443");
  EXPECT_EQ(begun("GET", "/a@b").target, "/a@b");
}

TEST(Http1Names, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(begun("GET", "/bad\xff\xfe").target, "/bad\uFFFD\uFFFD");
  EXPECT_EQ(begun("GET", "/", "sh\xf6p").host, "sh\uFFFDp");
  EXPECT_EQ(begun("CONNECT", "sh\xf6p:1").host, "sh\uFFFDp:1");
}

TEST(Http1Names, ALongTargetIsCutBetweenCharacters) {
  const std::string most = "/" + std::string(kMaxTarget - 2, 'x');
  EXPECT_EQ(begun("GET", most + "\u00e9").target, most);
  EXPECT_EQ(begun("GET", most + "xyz").target, most + "x");
  EXPECT_LE(begun("GET", "/" + std::string(2000, '\xff')).target.size(), kMaxTarget);
  EXPECT_EQ(well_formed_utf8(begun("GET", "/" + std::string(2000, '\xff')).target),
            begun("GET", "/" + std::string(2000, '\xff')).target);
}

}  // namespace
}  // namespace sonde::probe::http1
