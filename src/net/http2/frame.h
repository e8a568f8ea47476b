// SPDX-License-Identifier: Apache-2.0
// The frames of HTTP/2 (RFC 9113 sections 4, 6 and 7): their names, and the nine bytes before each.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sonde::net::http2 {

enum class Type : uint8_t {
  Data = 0,
  Headers = 1,
  Priority = 2,
  Reset = 3,
  Settings = 4,
  PushPromise = 5,
  Ping = 6,
  Goaway = 7,
  WindowUpdate = 8,
  Continuation = 9,
};

inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kPriority = 0x20;

enum class Setting : uint16_t {
  HeaderTableSize = 1,
  EnablePush = 2,
  MaxConcurrentStreams = 3,
  InitialWindowSize = 4,
  MaxFrameSize = 5,
  MaxHeaderListSize = 6,
};

enum class Code : uint32_t {
  NoError = 0,
  ProtocolError = 1,
  InternalError = 2,
  FlowControlError = 3,
  SettingsTimeout = 4,
  StreamClosed = 5,
  FrameSizeError = 6,
  RefusedStream = 7,
  Cancel = 8,
  CompressionError = 9,
  ConnectError = 10,
  EnhanceYourCalm = 11,
  InadequateSecurity = 12,
  Http11Required = 13,
};

constexpr std::string_view name_of(Code code) {
  constexpr std::array<std::string_view, 14> kNames = {"NO_ERROR",
                                                       "PROTOCOL_ERROR",
                                                       "INTERNAL_ERROR",
                                                       "FLOW_CONTROL_ERROR",
                                                       "SETTINGS_TIMEOUT",
                                                       "STREAM_CLOSED",
                                                       "FRAME_SIZE_ERROR",
                                                       "REFUSED_STREAM",
                                                       "CANCEL",
                                                       "COMPRESSION_ERROR",
                                                       "CONNECT_ERROR",
                                                       "ENHANCE_YOUR_CALM",
                                                       "INADEQUATE_SECURITY",
                                                       "HTTP_1_1_REQUIRED"};
  const auto at = static_cast<size_t>(code);
  return at < kNames.size() ? kNames[at] : "unknown";
}

inline constexpr size_t kFrameHead = 9;
inline constexpr uint32_t kMaxStream = 0x7fffffff;
inline constexpr int64_t kMaxWindow = 0x7fffffff;
inline constexpr uint32_t kDefaultWindow = 65535;
inline constexpr uint32_t kDefaultMaxFrame = 16384;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct FrameHead {
  uint32_t length = 0;  // at most 2^24 - 1
  Type type = Type::Data;
  uint8_t flags = 0;
  uint32_t stream = 0;
  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

// Of four bytes, the most significant first.
constexpr uint32_t read_uint32(const char* at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(at[i]);
  return value;
}

constexpr FrameHead read_frame_head(const char* at) {
  return {.length = read_uint32(at) >> 8,
          .type = static_cast<Type>(at[3]),
          .flags = static_cast<uint8_t>(at[4]),
          .stream = read_uint32(at + 5) & kMaxStream};
}

constexpr std::array<char, kFrameHead> write_frame_head(const FrameHead& head) {
  std::array<char, kFrameHead> out{};
  for (unsigned i = 0; i < 3; ++i) out[i] = static_cast<char>(head.length >> (16 - 8 * i));
  out[3] = static_cast<char>(head.type);
  out[4] = static_cast<char>(head.flags);
  for (unsigned i = 0; i < 4; ++i) out[5 + i] = static_cast<char>(head.stream >> (24 - 8 * i));
  return out;
}

}  // namespace sonde::net::http2
