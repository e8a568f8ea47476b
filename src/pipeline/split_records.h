// SPDX-License-Identifier: Apache-2.0
//
// Deals the records of an OTLP chunk out into several chunks, copying their bytes verbatim, so that
// fields this build does not know survive. Used where a batch is partitioned between shards and
// where records are kept or dropped. It reads nothing of a record: `choose` does.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "data/batch.h"

namespace sonde::pipeline {

inline constexpr uint32_t kDropRecord = UINT32_MAX;
// `resource` and `record` are the bodies of the messages. Returns a part, or kDropRecord.
using ChooseRecord = std::function<uint32_t(std::string_view resource, std::string_view record)>;

// One chunk per part; empty for a part that got nothing. A chunk whose records all go to one part
// is passed on as it is. Bytes that do not parse stay with the first part.
std::vector<Bytes> split_records(const Bytes& chunk, uint32_t parts, const ChooseRecord& choose);

// A hash of a trace id (or of any other bytes) that is the same in every process and on every host.
uint64_t stable_hash(std::string_view bytes);

// The part by trace id for spans, by resource for metrics and logs.
uint32_t partition_of(Signal signal, std::string_view resource, std::string_view record,
                      uint32_t parts);

}  // namespace sonde::pipeline
