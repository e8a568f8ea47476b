// SPDX-License-Identifier: Apache-2.0
// What happens to a decoded export request, whatever carried it: its items are counted, it goes
// into the pipelines, and the sender is told how it ended there.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/admission.h"
#include "base/bytes.h"
#include "base/counters.h"
#include "base/scheduler.h"
#include "net/compression/compression.h"
#include "net/http/http_types.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde::otlp_receiver {

// How an export request ended: a failure, or how many records the peer downstream refused.
struct Accepted {
  uint64_t rejected = 0;
  std::string message;
};

// A body as it is read, and as it came where that was compressed.
struct Body {
  Bytes plain;  // empty where it was not opened
  std::shared_ptr<const Encoded> original;
  bool opaque = false;  // nobody knows what it holds
};

// NotFound for an encoding that is not known, Exhausted for a body over max_size bytes once it is
// decompressed, Invalid for a damaged one; Exhausted with a time to come back where it is the
// process that has no memory for it now. `kept` gives the body as it came, for sending it on. An
// opaque body is not opened: what is wrong with it shows at the peer that it is sent to.
Result<Body> open_body(net::Carrier carrier, std::string_view encoding, std::string_view bytes,
                       size_t max_size, bool opaque, std::move_only_function<Bytes()> kept);

// An open body of OTLP's JSON as protobuf of at most max_size bytes: Invalid where it is wrong,
// Exhausted as by open_body(), before anything is read where there is no memory for reading it.
Result<Body> read_json(Signal signal, const Body& json, size_t max_size);

class Intake {
 public:
  // `transport` is "grpc" or "http", for the counters. What the outputs lead to has started.
  Intake(Scheduler& scheduler, std::string_view id, std::string_view transport,
         pipeline::Outputs outputs);

  // Asked before a body of `length` bytes is read (0: it does not say), which is at most `max_size`
  // once decompressed. `opens`: it is compressed, and will be decompressed.
  Result<Admission> admit(Signal signal, size_t length, bool opens, size_t max_size);
  // `items` is what the body holds, from count_items(); 0 of an opaque one. Calls `done` once:
  // within this call or later on the scheduler.
  void take(Signal signal, Body body, size_t items, std::shared_ptr<const RequestContext> context,
            Admission admission, std::move_only_function<void(Result<Accepted>)> done);
  bool wants(Signal signal) const { return outputs_.of(signal) != nullptr; }
  // Whether something that follows looks inside; a new configuration may change that. True where
  // nobody wants the signal.
  bool looks_inside(Signal signal) const {
    const Sink* sink = outputs_.of(signal);
    return !sink || sink->looks_inside();
  }
  // Requests whose end is not known yet.
  size_t open() const { return *open_; }

 private:
  struct Counts {
    Counter* accepted = nullptr;
    Counter* refused = nullptr;
  };
  // Of requests that are refused, and of those that are accepted.
  std::array<pipeline::OpaqueCounter, 2> opaque_of(Signal signal);

  Scheduler& scheduler_;
  const std::string id_;
  const std::string transport_;
  pipeline::Outputs outputs_;
  BySignal<Counts> counts_;
  void collect_gates();
  BySignal<std::shared_ptr<const Gates>> gates_;
  BySignal<std::shared_ptr<Gate>> reading_;
  uint64_t epoch_ = 0;  // Of gates_.
  Counter& turned_away_;
  BySignal<std::array<pipeline::OpaqueCounter, 2>> opaque_;
  // Shared with the requests, which may end after the receiver that took them is gone.
  std::shared_ptr<size_t> open_ = std::make_shared<size_t>(0);
};

// What came with a request, names in lower case, and what is known of its sender; nullptr where
// nothing is to be kept. `headers` is nullptr where they are not. Counts towards the memory limit.
std::shared_ptr<const RequestContext> context_of(const net::Headers* headers, std::string_view peer,
                                                 pipeline::AuthData auth);

// Export<Signal>ServiceResponse: empty, or with a partial_success.
std::string encode_response(const Accepted& accepted);

}  // namespace sonde::otlp_receiver
