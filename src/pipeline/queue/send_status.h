// SPDX-License-Identifier: Apache-2.0
// How the back end of a sending queue fares, from the answers that the queues of its signals get:
// a recoverable error while any of them fails, ok when none does any more. Private to the sending
// queue.
#pragma once

#include <optional>
#include <string>

#include "pipeline/component.h"

namespace sonde::pipeline {

class SendStatus {
 public:
  // Without a host, nothing is reported.
  void report_to(Host* host) { host_ = host; }

  void failed(Signal signal, const Error& error) {
    auto& at = errors_[signal];
    if (at == error.message) return;
    at = error.message;
    if (host_) host_->report_status(Status::recoverable(error));
  }
  void worked(Signal signal) {
    auto& at = errors_[signal];
    if (!at) return;
    at.reset();
    if (!host_) return;
    for (const auto& other : errors_) {
      if (other) {
        return host_->report_status({.kind = StatusKind::RecoverableError, .error = *other});
      }
    }
    host_->report_status(Status::ok());
  }

 private:
  Host* host_ = nullptr;
  BySignal<std::optional<std::string>> errors_;
};

}  // namespace sonde::pipeline
