// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "probe/process_package.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view name = sonde::probe::names::name_in_package(text);
  if (!name.empty() && (name.data() <= text.data() || name.data() + name.size() >= text.end())) {
    std::abort();
  }
  return 0;
}
