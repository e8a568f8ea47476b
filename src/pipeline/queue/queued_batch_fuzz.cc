// SPDX-License-Identifier: Apache-2.0
// Records of a persistent queue that somebody else wrote. What parses must come back the same after
// it was written again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "pipeline/queue/queued_batch.h"

using namespace sonde;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes record = Bytes::copy({reinterpret_cast<const char*>(data), size});
  const auto first = pipeline::decode_queued(Signal::Traces, record);
  if (!first) return 0;
  std::string again = pipeline::encode_queued_head(*first);
  for (const Bytes& chunk : first->chunks) again += chunk.view();
  const auto second = pipeline::decode_queued(Signal::Traces, Bytes::take(std::move(again)));
  if (!second || second->items() != first->items() || second->chunks != first->chunks) std::abort();
  if ((first->context != nullptr) != (second->context != nullptr)) std::abort();
  if (first->context && (first->context->metadata != second->context->metadata ||
                         first->context->peer != second->context->peer)) {
    std::abort();
  }
  return 0;
}
