// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/status.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace sonde::pipeline {
namespace {

Status kind(StatusKind kind, std::string error = {}) { return {kind, std::move(error)}; }

TEST(Status, FollowsTheTransitionsOfTheCollector) {
  using enum StatusKind;
  const std::vector<StatusKind> all = {None,           Starting,   Ok,       RecoverableError,
                                       PermanentError, FatalError, Stopping, Stopped};
  const std::map<StatusKind, std::set<StatusKind>> allowed = {
      {None, {Starting}},
      {Starting, {Ok, RecoverableError, PermanentError, FatalError, Stopping}},
      {Ok, {RecoverableError, PermanentError, FatalError, Stopping}},
      {RecoverableError, {Ok, RecoverableError, PermanentError, FatalError, Stopping}},
      {PermanentError, {FatalError, Stopping}},
      {FatalError, {}},
      {Stopping, {RecoverableError, PermanentError, FatalError, Stopped}},
      {Stopped, {}}};
  for (const StatusKind from : all) {
    for (const StatusKind to : all) {
      EXPECT_EQ(may_follow(from, to), allowed.at(from).contains(to))
          << status_name(from) << " to " << status_name(to);
    }
  }
}

TEST(StatusBoard, KeepsWhenAnErrorBeganAndWhatItSaysNow) {
  auto board = std::make_shared<StatusBoard>();
  StatusReporter reporter(board, "exporter/a", 0);
  EXPECT_FALSE(reporter.report(Status::ok(), 1)) << "it was not starting";
  EXPECT_FALSE(board->read("exporter/a"));
  reporter.report(kind(StatusKind::Starting), 1);
  reporter.report(Status::ok(), 2);
  const uint64_t version = board->version();
  EXPECT_FALSE(reporter.report(Status::ok(), 3));
  EXPECT_EQ(board->version(), version);
  reporter.report(kind(StatusKind::RecoverableError, "refused"), 4);
  reporter.report(kind(StatusKind::RecoverableError, "timed out"), 5);
  const auto now = board->read("exporter/a");
  ASSERT_TRUE(now);
  EXPECT_EQ(now->status.kind, StatusKind::RecoverableError);
  EXPECT_EQ(now->status.error, "timed out");
  EXPECT_EQ(now->since_unix_ns, 4);
  EXPECT_GT(board->version(), version);
}

TEST(StatusBoard, ShowsTheWorstOfTheInstancesOfTheShards) {
  auto board = std::make_shared<StatusBoard>();
  StatusReporter first(board, "exporter/a", 0), second(board, "exporter/a", 1);
  for (StatusReporter* r : {&first, &second}) {
    r->report(kind(StatusKind::Starting), 1);
    r->report(Status::ok(), 1);
  }
  second.report(kind(StatusKind::RecoverableError, "refused"), 2);
  ASSERT_EQ(board->read().size(), 1u);
  EXPECT_EQ(board->read()[0].status.error, "refused");
  second.report(Status::ok(), 3);
  EXPECT_EQ(board->read()[0].status.kind, StatusKind::Ok);
}

TEST(StatusBoard, ShowsTheInstanceThatReplacesAnother) {
  auto board = std::make_shared<StatusBoard>();
  auto old = std::make_unique<StatusReporter>(board, "exporter/a", 0);
  old->report(kind(StatusKind::Starting), 1);
  old->report(kind(StatusKind::PermanentError, "no such table"), 2);
  auto fresh = std::make_unique<StatusReporter>(board, "exporter/a", 0);
  EXPECT_EQ(board->read("exporter/a")->status.kind, StatusKind::PermanentError)
      << "what is only built says nothing yet";
  fresh->report(kind(StatusKind::Starting), 3);
  fresh->report(Status::ok(), 4);
  EXPECT_EQ(board->read("exporter/a")->status.kind, StatusKind::Ok);
  fresh.reset();  // Rolled back.
  EXPECT_EQ(board->read("exporter/a")->status.kind, StatusKind::PermanentError);
  old.reset();
  EXPECT_TRUE(board->read().empty());
}

TEST(StatusBoard, IsReadyWithoutABreakWhileOneGraphTakesThePlaceOfAnother) {
  auto board = std::make_shared<StatusBoard>();
  EXPECT_FALSE(board->ready_since());
  std::optional<StatusBoard::Ready> old(std::in_place, board, 5);
  {
    StatusBoard::Ready fresh(board, 9);
    old.reset();
    EXPECT_EQ(board->ready_since(), 5);
  }
  EXPECT_FALSE(board->ready_since());
  StatusBoard::Ready later(board, 20);
  EXPECT_EQ(board->ready_since(), 20);
}

}  // namespace
}  // namespace sonde::pipeline
