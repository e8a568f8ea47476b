// SPDX-License-Identifier: Apache-2.0
// Whether a chunk is OTLP all the way down, for the places where the requests of several senders
// become one: there a record that the next one cannot parse would take those of the others with it.
// A walk by a table of the schema, without an allocation: about a third of a nanosecond a byte.
// What passes through alone is not looked at: its own sender is told what the back end says.
#pragma once

#include <string_view>

#include "base/result.h"
#include "data/batch.h"

namespace sonde {

// Refuses (Invalid, naming the message and the field) what the Collector refuses: bytes that are no
// protobuf, a field of the schema (opentelemetry-proto 1.x) with another wire type, packed fields
// that are cut, ids that are neither empty nor of their 16 or 8 bytes. Unknown fields are skipped;
// text may be any bytes. On top of that it refuses what others than the Collector do not take:
// groups, which OTLP never had, numbers of fields past protobuf's, and attributes that nest deeper
// than the rest of this room follows them. For any thread.
Result<> validate(Signal signal, std::string_view chunk);

// Each chunk of the batch; the first that is refused decides.
Result<> validate(const Batch& batch);

}  // namespace sonde
