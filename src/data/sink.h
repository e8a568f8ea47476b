// SPDX-License-Identifier: Apache-2.0
// Where batches go. Everything that takes data is one: a processor, an exporter, a fan-out, a test.
// A sink that keeps the batch longer than the call owns its acknowledgement until then.
#pragma once

#include "base/admission.h"
#include "data/batch.h"

namespace sonde {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void consume(Batch batch) = 0;
  // Adds the places with bounded room that data of this signal ends in when it is given here: all
  // that it surely reaches, and none that only some of it may reach. Asked after everything behind
  // has started.
  virtual void gates(Signal, Gates&) {}
  // Whether it, or anything after it, looks at more of a batch than its signal, its size and its
  // number of items. Where nothing does, batches may come sealed (batch.h). It may change
  // with a new configuration: on the sink's own thread.
  virtual bool looks_inside() const { return true; }
};

}  // namespace sonde
