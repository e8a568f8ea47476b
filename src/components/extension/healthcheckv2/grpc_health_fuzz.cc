// SPDX-License-Identifier: Apache-2.0
// A HealthCheckRequest is a peer's bytes: any are read or refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "components/extension/healthcheckv2/grpc_health.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto service =
      sonde::healthcheckv2::decode_request({reinterpret_cast<const char*>(data), size});
  if (service && service->size() > size) std::abort();
  return 0;
}
