// SPDX-License-Identifier: Apache-2.0
// What was read of a trace state and written again reads the same, and twice written is once.
#include <cstdlib>

#include "components/processor/probabilistic_sampler/consistent.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sonde::sampling::TraceState;
  const auto state = TraceState::parse({reinterpret_cast<const char*>(data), size});
  if (!state) return 0;
  std::string once;
  state->write_to(once);
  const auto again = TraceState::parse(once);
  if (!again) std::abort();
  if (again->threshold.has_value() != state->threshold.has_value()) std::abort();
  if (again->randomness.has_value() != state->randomness.has_value()) std::abort();
  std::string twice;
  again->write_to(twice);
  if (once != twice) std::abort();
  return 0;
}
