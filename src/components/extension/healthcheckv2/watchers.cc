// SPDX-License-Identifier: Apache-2.0
#include "components/extension/healthcheckv2/watchers.h"

namespace sonde::healthcheckv2 {

void Watchers::add(std::string service, net::GrpcResponder responder) {
  if (watchers_.size() >= kMostWatchers) {
    return responder.fail({net::GrpcCode::ResourceExhausted, "too many watch already", {}});
  }
  watchers_.push_back({.service = std::move(service), .stream = responder.start_stream()});
  tell(watchers_.back(), health_());
  if (!timer_.running()) timer_.start(scheduler_, kWatchEvery, [this] { tick(); });
}

// What is not known may come to be: it is told so, and watched.
void Watchers::tell(Watcher& watcher, const pipeline::Health& health) {
  const pipeline::Health* scope = pipeline::scope_of(health, watcher.service);
  const Serving now =
      scope ? serving_of(*scope, rule_, scheduler_.clock().unix_ns()) : Serving::ServiceUnknown;
  if (watcher.told == now || !watcher.stream.ready()) return;
  watcher.told = now;
  watcher.stream.send(Bytes::take(encode_response(now)));
}

void Watchers::tick() {
  std::erase_if(watchers_, [](const Watcher& w) { return !w.stream.open(); });
  if (watchers_.empty()) return timer_.stop();
  const pipeline::Health health = health_();
  for (Watcher& watcher : watchers_) tell(watcher, health);
}

void Watchers::close() {
  timer_.stop();
  for (Watcher& watcher : watchers_) {
    watcher.stream.finish({net::GrpcCode::Cancelled, "Server shutting down.", {}});
  }
  watchers_.clear();
}

}  // namespace sonde::healthcheckv2
