// SPDX-License-Identifier: Apache-2.0
// The back end of the benchmark: takes OTLP over gRPC, counts what it holds and tells which
// requests of the data set came. With a rate it is a slow back end: it answers as if it took so
// many items a second.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/batch.h"
#include "net/grpc/grpc_server.h"
#include "net/loop.h"

namespace sonde::bench {

struct SinkCount {
  uint64_t items = 0;
  uint64_t requests = 0;
  uint64_t bytes = 0;      // as they came
  uint64_t malformed = 0;  // requests whose compression was broken
};

class Sink {
 public:
  // Told the number of each request of the data set that came; `taken` runs once for each request
  // that the sink got, after the count has changed. Both run on the loop.
  using Arrived = std::function<void(uint64_t request)>;

  static Result<std::unique_ptr<Sink>> listen(net::Loop& loop, const std::string& address,
                                              double items_per_second, Arrived arrived,
                                              std::function<void()> taken);
  const SinkCount& count() const { return count_; }
  // Requests that came and are not answered yet: whoever sent them would send them again.
  size_t unanswered() const { return unanswered_; }

 private:
  Sink(net::Loop& loop, double rate, Arrived arrived, std::function<void()> taken)
      : loop_(loop), rate_(rate), arrived_(std::move(arrived)), taken_(std::move(taken)) {}
  void take(net::GrpcRequest request, net::GrpcResponder responder);

  net::Loop& loop_;
  double rate_;
  Arrived arrived_;
  std::function<void()> taken_;
  SinkCount count_;
  std::string inflated_;
  int64_t busy_until_ns_ = 0;
  size_t unanswered_ = 0;
  std::unique_ptr<net::GrpcServer> server_;
};

}  // namespace sonde::bench
