// SPDX-License-Identifier: Apache-2.0
// Snappy's block format and its framing format (framing_format.txt of its sources).
#include <isa-l/crc.h>
#include <snappy.h>

#include <cstdint>
#include <cstring>

#include "net/compression/codecs.h"

namespace sonde::net::codec {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kIdentifier = "\xff\x06\x00\x00sNaPpY"sv;
constexpr size_t kChunkHead = 4;
constexpr size_t kChecksum = 4;
constexpr size_t kMaxChunk = 65536;  // uncompressed
// A copy of three bytes yields at most 64, so no honest body becomes more than this.
constexpr size_t kMaxRatio = 64;

enum Chunk : uint8_t { kCompressed = 0x00, kPlain = 0x01, kIdentifierChunk = 0xff };

uint32_t masked_checksum(std::string_view bytes) {
  auto* const data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  const uint32_t crc = ~::crc32_iscsi(data, static_cast<int>(bytes.size()), 0xffffffffu);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

uint32_t little_endian(std::string_view bytes, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return value;
}

void put(char* at, uint32_t value, size_t count) {
  for (size_t i = 0; i < count; ++i) at[i] = static_cast<char>(value >> (8 * i));
}

}  // namespace

Result<Bytes> snappy_compress(std::span<const Bytes> parts) {
  const Bytes all = joined(parts);
  Buffer out(::snappy::MaxCompressedLength(all.size()));
  size_t size = 0;
  ::snappy::RawCompress(all.data(), all.size(), out.data(), &size);
  out.resize(size);
  return std::move(out).take();
}

Result<Bytes> snappy_decompress(std::string_view bytes, size_t max_size) {
  size_t size = 0;
  if (!::snappy::GetUncompressedLength(bytes.data(), bytes.size(), &size)) {
    return damaged("snappy", "it says no size");
  }
  if (size > max_size) return over_limit("snappy", max_size);
  if (size > bytes.size() * kMaxRatio) return damaged("snappy", "it is too short for its size");
  if (size == 0) {
    if (bytes.size() > 1) return damaged("snappy", "something follows its end");
    return Bytes{};
  }
  Buffer out(size);
  if (!::snappy::RawUncompress(bytes.data(), bytes.size(), out.data())) {
    return damaged("snappy", "a reference or a length is wrong");
  }
  out.resize(size);
  return std::move(out).take();
}

bool is_snappy_framed(std::string_view bytes) { return bytes.starts_with(kIdentifier); }

Result<Bytes> snappy_frame(std::span<const Bytes> parts) {
  const Bytes all = joined(parts);
  std::string_view rest = all.view();
  const size_t chunks = rest.size() / kMaxChunk + 1;
  const size_t most = kChunkHead + kChecksum + ::snappy::MaxCompressedLength(kMaxChunk);
  Buffer out(kIdentifier.size() + chunks * most);
  out.append(kIdentifier);
  while (!rest.empty()) {
    const std::string_view plain = rest.substr(0, kMaxChunk);
    rest.remove_prefix(plain.size());
    char* const head = out.data() + out.size();
    char* const body = head + kChunkHead + kChecksum;
    size_t size = 0;
    ::snappy::RawCompress(plain.data(), plain.size(), body, &size);
    uint8_t type = kCompressed;
    if (size >= plain.size() - plain.size() / 8) {  // Not worth its reader's time.
      type = kPlain;
      size = plain.size();
      std::memcpy(body, plain.data(), size);
    }
    head[0] = static_cast<char>(type);
    put(head + 1, static_cast<uint32_t>(size + kChecksum), 3);
    put(head + kChunkHead, masked_checksum(plain), kChecksum);
    out.resize(out.size() + kChunkHead + kChecksum + size);
  }
  return std::move(out).take();
}

Result<Bytes> snappy_unframe(std::string_view bytes, size_t max_size) {
  // First the sizes, then the memory.
  size_t total = 0;
  for (int pass = 0;; ++pass) {
    Buffer out(pass == 0 ? 0 : total);
    std::string_view rest = bytes;
    while (!rest.empty()) {
      if (rest.size() < kChunkHead) return cut_short("snappy");
      const auto type = static_cast<uint8_t>(rest[0]);
      const size_t length = little_endian(rest.substr(1), 3);
      rest.remove_prefix(kChunkHead);
      if (rest.size() < length) return cut_short("snappy");
      std::string_view body = rest.substr(0, length);
      rest.remove_prefix(length);
      if (type == kIdentifierChunk) {
        if (body != kIdentifier.substr(kChunkHead)) return damaged("snappy", "no such stream");
        continue;
      }
      if (type >= 0x80) continue;  // Padding, and what later versions may skip.
      if (type > kPlain) return damaged("snappy", "an unknown chunk that may not be skipped");
      if (length < kChecksum) return damaged("snappy", "a chunk without a checksum");
      const uint32_t checksum = little_endian(body, kChecksum);
      body.remove_prefix(kChecksum);
      size_t size = body.size();
      if (type == kCompressed &&
          !::snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
        return damaged("snappy", "a chunk says no size");
      }
      if (size > kMaxChunk) return damaged("snappy", "a chunk over 65536 bytes");
      if (pass == 0) {
        total += size;
        if (total > max_size) return over_limit("snappy", max_size);
        continue;
      }
      char* const at = out.data() + out.size();
      if (type == kPlain) {
        if (size > 0) std::memcpy(at, body.data(), size);
      } else if (!::snappy::RawUncompress(body.data(), body.size(), at)) {
        return damaged("snappy", "a reference or a length is wrong");
      }
      out.resize(out.size() + size);
      if (masked_checksum({at, size}) != checksum) {
        return damaged("snappy", "the checksum is wrong");
      }
    }
    if (pass == 1) return std::move(out).take();
    if (total == 0) return Bytes{};
  }
}

}  // namespace sonde::net::codec
