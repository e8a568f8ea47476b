// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "components/receiver/ebpf/container_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sonde::json_text_at(text, {"Name"});
  const auto name = sonde::container_name_of("HTTP/1.0 200 OK\r\n\r\n" + std::string(text));
  if (name.name.size() > 128 || name.service.size() > 128) std::abort();
  sonde::container_name_of(text);
  return 0;
}
