// SPDX-License-Identifier: Apache-2.0
// Where batches go. Everything that takes data is one: a processor, an exporter, a fan-out, a test.
// A sink that keeps the batch longer than the call owns its acknowledgement until then.
#pragma once

#include "data/batch.h"

namespace sonde {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void consume(Batch batch) = 0;
};

}  // namespace sonde
