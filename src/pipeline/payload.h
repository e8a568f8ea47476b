// SPDX-License-Identifier: Apache-2.0
// The body of an export request as a peer wants it: compressed, and not compressed again where it
// came that way and nobody has changed it since.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "data/batch.h"
#include "net/compression/compression.h"

namespace sonde::pipeline {

// What the settings `compression` and `compression_params::level` of a client say. The error is one
// of Config::validate().
Result<net::Encoding> compression_of(std::string_view name, int level, net::Carrier carrier);

// What a sealed batch holds. Invalid where it is damaged or larger than the receiver takes: of a
// batch that nobody has looked into, that shows only here.
Result<Bytes> open_sealed(const Encoded& original);
// The chunks of a batch, sealed or not, to be sent. Exhausted with a time to come back where there
// is no memory to open it; the same holds for export_body().
Result<std::vector<Bytes>> chunks_of(const Batch& batch);

Result<Bytes> export_body(const Batch& batch, net::Encoding encoding, int level);

}  // namespace sonde::pipeline
