// SPDX-License-Identifier: Apache-2.0
// The first byte chooses signal, body and direction. What one direction made the other must take,
// and the second time around nothing may change. A request is the same where its signal is found by
// its key.
#include <cstdint>

#include "wire/otlp_json/otlp_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sonde;
  if (size == 0) return 0;
  constexpr size_t kLimit = 64 * 1024;
  const auto signal = static_cast<Signal>(data[0] % kSignals.size());
  const auto body = data[0] & 64 ? wire::OtlpBody::Response : wire::OtlpBody::Request;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Bytes bytes = Bytes::copy(input);
  if (data[0] & 128) {
    auto read = wire::otlp_from_json(signal, body, input, kLimit);
    const auto of_any = wire::otlp_requests_from_json(input, std::span(&signal, 1), kLimit);
    // A file of any signal holds no profiles.
    const bool found = body == wire::OtlpBody::Request && signal != Signal::Profiles;
    if (found && !read != !of_any) __builtin_trap();
    if (!read) return 0;
    if (found) {
      std::string_view same;
      for (const auto& [other, request] : *of_any) {
        if (other == signal) same = request.view();
        if (other != signal && !request.empty()) __builtin_trap();
      }
      if (same != read->view()) __builtin_trap();
    }
    if (read->size() > kLimit) __builtin_trap();
    bytes = *read;
  }
  const auto json = wire::otlp_to_json(signal, body, std::span(&bytes, 1));
  if (!json) {
    if (data[0] & 128) __builtin_trap();
    return 0;
  }
  const auto again = wire::otlp_from_json(signal, body, *json, SIZE_MAX);
  if (!again) __builtin_trap();
  const auto same = wire::otlp_to_json(signal, body, std::span(&*again, 1));
  if (!same || *same != *json) __builtin_trap();
  return 0;
}
