// SPDX-License-Identifier: Apache-2.0
// gzip and zlib by ISA-L, which takes a fraction of zlib's time. zlib does what ISA-L lacks: the
// levels that trade time for size, none, and Huffman codes alone.
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <memory>

#include "net/compression/codecs.h"

namespace sonde::net::codec {
namespace {

constexpr int kHuffmanOnly = -2;
constexpr int kMostOfIsal = 6;  // Levels above ask for the smallest result.
constexpr size_t kMaxRatio = 1032;

uint8_t* input_of(std::string_view bytes) {
  // Neither library writes to its input; their types are older than const.
  return reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
}

struct Deflater {
  isal_zstream stream;
  std::unique_ptr<uint8_t[]> memory{new uint8_t[ISAL_DEF_LVL1_DEFAULT]};
};

Result<Bytes> deflate_by_isal(bool gzip, std::span<const Bytes> parts, size_t total) {
  thread_local const std::unique_ptr<Deflater> deflater = [] {
    auto made = std::make_unique<Deflater>();
    isal_deflate_init(&made->stream);
    return made;
  }();
  isal_zstream& stream = deflater->stream;
  isal_deflate_reset(&stream);
  stream.level = 1;
  stream.level_buf = deflater->memory.get();
  stream.level_buf_size = ISAL_DEF_LVL1_DEFAULT;
  stream.gzip_flag = gzip ? IGZIP_GZIP : IGZIP_ZLIB;
  stream.flush = NO_FLUSH;
  stream.end_of_stream = 0;
  stream.avail_in = 0;
  Output out(total / 4 + 256, total + total / 8 + 4096);
  for (size_t i = 0; i <= parts.size(); ++i) {
    const bool last = i == parts.size();
    if (!last) {
      stream.next_in = input_of(parts[i].view());
      stream.avail_in = static_cast<uint32_t>(parts[i].size());
    }
    stream.end_of_stream = i + 1 >= parts.size() ? 1 : 0;
    do {
      const auto space = out.space();
      if (space.empty()) return fail(ErrorKind::Internal, "deflate: more output than there can be");
      stream.next_out = reinterpret_cast<uint8_t*>(space.data());
      stream.avail_out = static_cast<uint32_t>(space.size());
      if (const int error = isal_deflate(&stream); error != COMP_OK) {
        return fail(ErrorKind::Internal, fmt::format("deflate: error {}", error));
      }
      out.wrote(space.size() - stream.avail_out);
    } while (stream.avail_out == 0 || stream.avail_in > 0);
    if (stream.internal_state.state == ZSTATE_END) break;
  }
  return std::move(out).take();
}

struct ZlibEnd {
  void operator()(z_stream* stream) const {
    deflateEnd(stream);
    delete stream;
  }
};

Result<Bytes> deflate_by_zlib(bool gzip, std::span<const Bytes> parts, size_t total, int level) {
  // Rare enough to keep no context: this is for those who wait for the smallest result.
  auto* const raw = new z_stream{};
  const std::unique_ptr<z_stream, ZlibEnd> stream(raw);
  const bool huffman = level == kHuffmanOnly;
  if (::deflateInit2(raw, huffman ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED, gzip ? 31 : 15, 8,
                     huffman ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(ErrorKind::Internal, "deflate: zlib has no memory");
  }
  Output out(total / 4 + 256, ::deflateBound(raw, total) + 64);
  for (size_t i = 0; i <= parts.size(); ++i) {
    const bool last = i == parts.size();
    raw->next_in = last ? nullptr : input_of(parts[i].view());
    raw->avail_in = last ? 0 : static_cast<uInt>(parts[i].size());
    do {
      const auto space = out.space();
      if (space.empty()) return fail(ErrorKind::Internal, "deflate: more output than there can be");
      raw->next_out = reinterpret_cast<Bytef*>(space.data());
      raw->avail_out = static_cast<uInt>(space.size());
      ::deflate(raw, last ? Z_FINISH : Z_NO_FLUSH);
      out.wrote(space.size() - raw->avail_out);
    } while (raw->avail_out == 0);
  }
  return std::move(out).take();
}

// How much will come out: gzip says so in its last four bytes, which may lie.
size_t expected_size(bool gzip, std::string_view bytes) {
  const size_t most = bytes.size() * kMaxRatio;
  if (!gzip || bytes.size() < 18) return std::min(bytes.size() * 6, most);
  uint32_t size = 0;
  for (size_t i = 0; i < 4; ++i) {
    size |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[bytes.size() - 4 + i])) << (8 * i);
  }
  return std::min<size_t>(size_t{size} + 1, most);
}

std::string_view describe(int error) {
  switch (error) {
    case ISAL_INVALID_BLOCK:
      return "no such block";
    case ISAL_INVALID_SYMBOL:
      return "no such symbol";
    case ISAL_INVALID_LOOKBACK:
      return "a reference before the start";
    case ISAL_INVALID_WRAPPER:
      return "no such header";
    case ISAL_UNSUPPORTED_METHOD:
      return "the method is not deflate";
    case ISAL_INCORRECT_CHECKSUM:
      return "the checksum is wrong";
    case ISAL_NEED_DICT:
      return "it needs a dictionary";
    default:
      return "it cannot be read";
  }
}

}  // namespace

Result<Bytes> deflate(bool gzip, std::span<const Bytes> parts, int level) {
  const size_t total = total_size(parts);
  if (level == kHuffmanOnly || level > kMostOfIsal) {
    return deflate_by_zlib(gzip, parts, total, level);
  }
  return deflate_by_isal(gzip, parts, total);
}

Result<Bytes> inflate(bool gzip, std::string_view bytes, size_t max_size) {
  const std::string_view format = gzip ? "gzip" : "zlib";
  thread_local const std::unique_ptr<inflate_state> state(new inflate_state);
  if (bytes.empty()) return cut_short(format);
  Output out(expected_size(gzip, bytes), max_size);
  state->next_in = input_of(bytes);
  state->avail_in = static_cast<uint32_t>(bytes.size());
  do {  // A gzip body may have several members (RFC 1952 section 2.2).
    uint8_t* const next = state->next_in;
    const uint32_t left = state->avail_in;
    isal_inflate_init(state.get());
    state->next_in = next;
    state->avail_in = left;
    state->crc_flag = gzip ? ISAL_GZIP : ISAL_ZLIB;
    while (state->block_state != ISAL_BLOCK_FINISH) {
      const auto space = out.space();
      if (space.empty()) return over_limit(format, max_size);
      state->next_out = reinterpret_cast<uint8_t*>(space.data());
      state->avail_out = static_cast<uint32_t>(space.size());
      const int error = isal_inflate(state.get());
      if (error < 0 || error == ISAL_NEED_DICT) return damaged(format, describe(error));
      out.wrote(space.size() - state->avail_out);
      if (out.over()) return over_limit(format, max_size);
      const bool stuck = state->avail_in == 0 && state->avail_out > 0;
      if (stuck && state->block_state != ISAL_BLOCK_FINISH) return cut_short(format);
    }
  } while (gzip && state->avail_in > 0);
  if (state->avail_in > 0) return damaged(format, "something follows its end");
  return std::move(out).take();
}

}  // namespace sonde::net::codec
