// SPDX-License-Identifier: Apache-2.0
// The requests that the load generator sends, as a file: made once from a seed by pipeline_data,
// mapped by pipeline_load. It is larger than a processor's last cache, because a data set that fits
// in there makes everything look twice as fast.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "data/batch.h"

namespace sonde::bench {

// Each resource carries the number of its request under this name, as its first attribute, by which
// the sink tells when it was sent.
inline constexpr std::string_view kNumberKey = "bench.request";

struct DataSet {
  Signal signal = Signal::Traces;
  bool gzip = false;
  uint32_t items = 0;         // of one request
  std::vector<Bytes> bodies;  // the messages, compressed where `gzip` is set
};

Result<> write_data_set(const std::string& path, const DataSet& data);
// The bodies point into the mapped file.
Result<DataSet> map_data_set(const std::string& path);

}  // namespace sonde::bench
