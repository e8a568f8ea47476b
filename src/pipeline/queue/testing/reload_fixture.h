// SPDX-License-Identifier: Apache-2.0
// For tests of sending queues that go on under exporters with other settings.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/testing/temporary_directory.h"
#include "net/compression/compression.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/folder_storage.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {

// An exporter's peer: how many records came, and whether it answers.
struct Peer {
  uint64_t items = 0;
  int requests = 0;
  bool away = false;
  bool hold = false;
  std::vector<SendDone> held;
};

class SendingQueueReloadTest : public testing::Test {
 protected:
  SendingQueueReloadTest() {
    Ack::abort_on_lost(true);
    settings.retry.randomization_factor = 0;
    host.extensions["a"] = &a;
    host.extensions["b"] = &b;
  }
  std::string id() const { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  std::unique_ptr<SendingQueue> make(Peer& peer, SendingQueue* predecessor = nullptr) {
    auto queue = std::make_unique<SendingQueue>(host.scheduler(), id(), settings,
                                                [&peer](const Batch& batch, SendDone done) {
                                                  ++peer.requests;
                                                  if (peer.hold) {
                                                    peer.held.push_back(std::move(done));
                                                  } else if (peer.away) {
                                                    done(fail(ErrorKind::Unavailable, "away"));
                                                  } else {
                                                    peer.items += batch.items();
                                                    done(Sent{});
                                                  }
                                                });
    const auto restored = queue->restore(host, predecessor);
    EXPECT_TRUE(restored) << (restored ? "" : restored.error().message);
    return queue;
  }
  void run() { host.scheduler().run_ready(); }
  // A queue under an exporter to the first peer that has been given so many requests of two spans.
  std::unique_ptr<SendingQueue> filled(int requests) {
    auto queue = make(first);
    for (int i = 0; i < requests; ++i) queue->consume(spans(2));
    run();
    return queue;
  }
  // The queue under an exporter to the second peer that has taken over from the old one.
  std::unique_ptr<SendingQueue> successor(SendingQueue& old) {
    auto queue = make(second, &old);
    queue->take_over();
    return queue;
  }
  // How many records the next process sends that starts on what the disk holds, to a peer that
  // takes everything.
  uint64_t sent_by_the_next_process() {
    Peer peer;
    const auto queue = make(peer);
    run();
    EXPECT_TRUE(queue->drained());
    return peer.items;
  }
  uint64_t dropped(std::string_view reason) {
    return dropped_counter(id(), Signal::Traces, reason).value();
  }
  // The old one stops as the engine stops it, and must have let go of everything.
  void end(std::unique_ptr<SendingQueue>& queue) {
    queue->stop();
    run();
    EXPECT_TRUE(queue->drained());
    queue.reset();
  }

  TestHost host;
  TemporaryDirectory directory;
  FolderStorage a{directory.path() / "a"}, b{directory.path() / "b"};
  SendingSettings settings;
  Peer first, second;
};

// A request that came compressed, and that nobody has looked into.
inline Batch sealed(int count, Ack ack = {}) {
  const Batch open = spans(count);
  Batch batch(Signal::Traces, {}, std::move(ack));
  batch.original = std::make_shared<const Encoded>(
      "gzip", *net::compress(net::Encoding::Gzip, open.chunks), 0, 1 << 20);
  batch.opaque = true;
  return batch;
}

}  // namespace sonde::pipeline
