// SPDX-License-Identifier: Apache-2.0
// The senders of the benchmark: so many connections over which the requests of a data set go round
// and round. A closed loop keeps a window of requests that the sink has not seen; an open loop
// sends by the clock, whatever comes back, and counts each delay from when its request was due, so
// that a stalled receiver cannot hide the requests that it kept from being sent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "data_set.h"
#include "net/grpc/grpc_client.h"
#include "net/loop.h"

namespace sonde::bench {

struct SourceOptions {
  std::string target;  // host:port
  int connections = 4;
  uint64_t window = 32;  // closed loop: requests that are sent and neither delivered nor refused
  double rate = 0;       // open loop: items a second; 0 is the closed loop
};

struct SourceCount {
  uint64_t sent = 0;     // items
  uint64_t refused = 0;  // items of requests that ended in an error
  uint64_t requests = 0;
  uint64_t unanswered = 0;  // requests
  std::string first_error;
};

class Source {
 public:
  Source(net::Loop& loop, const DataSet& data, SourceOptions options);
  ~Source();

  void start();
  void stop() { running_ = false; }
  // What the sink counted in all, whenever that changes.
  void delivered(uint64_t items);
  // A request of the data set came to the sink.
  void arrived(uint64_t number);

  const SourceCount& count() const { return count_; }
  bool settled() const;  // Every item is delivered or refused, every request answered.
  // From due to delivered and from due to answered; in nanoseconds, unsorted.
  const std::vector<int64_t>& delivery_delays() const { return delivery_; }
  const std::vector<int64_t>& answer_delays() const { return answers_; }
  // Forgets counts and delays: the warm-up is over. Only when settled.
  void forget();

 private:
  void pump_soon();
  void pump();
  void send(int64_t due_ns);

  net::Loop& loop_;
  const DataSet& data_;
  SourceOptions options_;
  std::string path_;
  std::vector<std::unique_ptr<net::GrpcClient>> clients_;
  SourceCount count_;
  uint64_t delivered_ = 0;
  uint64_t forgotten_ = 0;                 // delivered before forget()
  std::vector<std::vector<int64_t>> due_;  // per request of the data set, oldest first
  std::vector<int64_t> delivery_;
  std::vector<int64_t> answers_;
  uint64_t next_ = 0;
  int64_t next_due_ns_ = 0;
  bool running_ = false;
  bool pump_posted_ = false;
  TimerId timer_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace sonde::bench
