// SPDX-License-Identifier: Apache-2.0
// For tests: frames of HTTP/2 by hand.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http2/frame.h"

namespace sonde::net::http2 {

inline std::string frame(Type type, uint8_t flags, uint32_t stream, std::string_view payload) {
  const auto head = write_frame_head({.length = static_cast<uint32_t>(payload.size()),
                                      .type = type,
                                      .flags = flags,
                                      .stream = stream});
  return std::string(head.data(), head.size()).append(payload);
}

inline std::string uint32(uint32_t value) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift);
  return out;
}

inline std::string setting(Setting name, uint32_t value) {
  return std::string({'\0', static_cast<char>(name)}) + uint32(value);
}

// Literals of HPACK without indexing (RFC 7541 section 6.2.2); each string below 127 bytes.
inline std::string literals(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += '\0';
    out += static_cast<char>(name.size());
    out += name;
    out += static_cast<char>(value.size());
    out += value;
  }
  return out;
}

inline std::string request_fields() {
  return literals({{":method", "POST"},
                   {":scheme", "http"},
                   {":path", "/t.T/Call"},
                   {"content-type", "application/grpc"}});
}

// The frames in a run of bytes, as far as they are whole.
struct SeenFrame {
  FrameHead head;
  std::string payload;
};
inline std::vector<SeenFrame> frames_of(std::string_view bytes) {
  if (bytes.starts_with(kPreface)) bytes.remove_prefix(kPreface.size());
  std::vector<SeenFrame> out;
  while (bytes.size() >= kFrameHead) {
    const FrameHead head = read_frame_head(bytes.data());
    if (bytes.size() - kFrameHead < head.length) break;
    out.push_back({head, std::string(bytes.substr(kFrameHead, head.length))});
    bytes.remove_prefix(kFrameHead + head.length);
  }
  return out;
}

}  // namespace sonde::net::http2
