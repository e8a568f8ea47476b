// SPDX-License-Identifier: Apache-2.0
#include "base/worker_thread.h"

#include <gtest/gtest.h>

#include <latch>
#include <vector>

#include "base/digest.h"
#include "base/snapshot.h"

namespace sonde {
namespace {

TEST(WorkerThread, DoesWorkInOrderAndTakesNoMoreThanItsBound) {
  std::latch begun(1), go(1), done(1);
  std::vector<int> order;
  WorkerThread worker(2);
  ASSERT_TRUE(worker.post([&] {
    begun.count_down();
    go.wait();
    order.push_back(1);
  }));
  begun.wait();  // It waits no more, so two others may.
  EXPECT_TRUE(worker.post([&] { order.push_back(2); }));
  EXPECT_TRUE(worker.post([&] {
    order.push_back(3);
    done.count_down();
  }));
  EXPECT_FALSE(worker.post([&] { order.push_back(4); }));
  go.count_down();
  done.wait();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(WorkerThread, EndsWhatIsInProgressAndDropsTheRest) {
  std::latch begun(1);
  auto dropped = std::make_shared<int>(0);
  bool ended = false, ran = false;
  {
    WorkerThread worker(4);
    ASSERT_TRUE(worker.post([&] {
      begun.count_down();
      ended = true;
    }));
    begun.wait();
  }
  EXPECT_TRUE(ended);
  {
    std::latch go(1), started(1);
    auto worker = std::make_unique<WorkerThread>(4);
    ASSERT_TRUE(worker->post([&] {
      started.count_down();
      go.wait();
    }));
    started.wait();
    ASSERT_TRUE(worker->post([&ran, dropped] { ran = true; }));
    const std::jthread destroyer([&] { worker.reset(); });
    go.count_down();
  }
  // Whether the second began before the end is the machine's affair; that it is gone is not.
  EXPECT_EQ(dropped.use_count(), 1);
  EXPECT_EQ(*dropped, 0);
  (void)ran;
}

TEST(Snapshot, KeepsWhatAReaderGot) {
  Snapshot<std::vector<int>> value({1, 2});
  const auto read = value.get();
  value.set({3});
  EXPECT_EQ(*read, (std::vector{1, 2}));
  EXPECT_EQ(*value.get(), std::vector{3});
}

TEST(Digest, GivesBytesAndComparesSecrets) {
  EXPECT_EQ(raw_digest(Digest::Md5, "").substr(0, 4), "\xd4\x1d\x8c\xd9");
  EXPECT_EQ(raw_digest(Digest::Sha1, "abc").size(), 20u);
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "abcd"));
  EXPECT_NE(random_secret(16), random_secret(16));
}

}  // namespace
}  // namespace sonde
