// SPDX-License-Identifier: Apache-2.0
// A batch as the persistent queue writes it: a head (how many records, the sender's metadata) and
// behind it the chunks, one after the other. The findings of an authenticator are not kept, since
// they may be secrets.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "data/batch.h"

namespace sonde::pipeline {

// What stands before the chunks.
std::string encode_queued_head(const Batch& batch);
// The chunk of the result is a slice of `record`. Invalid when the head does not parse.
Result<Batch> decode_queued(Signal signal, const Bytes& record);

}  // namespace sonde::pipeline
