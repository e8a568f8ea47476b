// SPDX-License-Identifier: Apache-2.0
#include "net/http2/stream_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sonde::net::http2 {
namespace {

TEST(Http2StreamTable, FindsWhatIsThereWhateverWasErased) {
  std::mt19937 random(1);
  StreamTable table;
  std::map<uint32_t, Stream*> expected;
  uint32_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0 || expected.empty()) {
      expected[next] = &table.insert(next);
      next += 2 * (1 + static_cast<uint32_t>(random() % 7));
    } else {
      auto at = expected.lower_bound(static_cast<uint32_t>(random() % next));
      if (at == expected.end()) at = expected.begin();
      table.erase(*at->second);
      EXPECT_EQ(table.find(at->first), nullptr);
      expected.erase(at);
    }
    ASSERT_EQ(table.size(), expected.size());
    for (const auto& [id, stream] : expected) ASSERT_EQ(table.find(id), stream);
  }
}

}  // namespace
}  // namespace sonde::net::http2
