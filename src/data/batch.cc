// SPDX-License-Identifier: Apache-2.0
#include "data/batch.h"

#include "data/count.h"

namespace sonde {

size_t count_records(Signal signal, std::string_view chunk) {
  return count_items(signal, chunk).value_or(0);
}

size_t count_records(const Batch& batch) {
  size_t count = 0;
  for (const Bytes& chunk : batch.chunks) count += count_records(batch.signal, chunk.view());
  return count;
}

size_t Batch::items() const {
  if (!items_) items_ = opaque ? 0 : count_records(*this);
  return *items_;
}

}  // namespace sonde
