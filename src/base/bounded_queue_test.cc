// SPDX-License-Identifier: Apache-2.0
// The queue refuses what does not fit and never loses what it took.
#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

namespace sonde {
namespace {

TEST(BoundedQueue, RefusesWhatDoesNotFitAndLeavesItUntouched) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(**queue.try_pop(), 1);
  EXPECT_TRUE(queue.try_push(std::move(second)));
  EXPECT_EQ(**queue.try_pop(), 2);
  EXPECT_FALSE(queue.try_pop().has_value());
}

TEST(BoundedQueue, CountsCostsAndNotEntries) {
  BoundedQueue<int> queue(100);
  EXPECT_TRUE(queue.try_push(1, 60));
  EXPECT_FALSE(queue.try_push(2, 41));
  EXPECT_FALSE(queue.try_push(2, std::numeric_limits<size_t>::max()));
  EXPECT_TRUE(queue.try_push(3, 40));
  EXPECT_EQ(queue.cost(), 100u);
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_EQ(queue.cost(), 40u);
}

TEST(BoundedQueue, ClosedQueueOnlyEmpties) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.try_push(7));
  queue.close();
  EXPECT_FALSE(queue.try_push(8));
  EXPECT_EQ(queue.try_pop(), 7);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace sonde
