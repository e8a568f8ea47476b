// SPDX-License-Identifier: Apache-2.0
#include "pipeline/reloader.h"

#include <utility>

namespace sonde::pipeline {

void Reloader::request(ReloadRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (take_) return take_(std::move(request));
  }
  if (request.done) {
    request.done(
        fail(ErrorKind::Unavailable, "this process does not read its configuration again"));
  }
}

void Reloader::connect(Take take) {
  const std::lock_guard lock(mutex_);
  take_ = std::move(take);
}

}  // namespace sonde::pipeline
