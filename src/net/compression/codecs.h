// SPDX-License-Identifier: Apache-2.0
// The formats, one file each, and what they share: output that grows up to a bound.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sonde::net::codec {

inline std::unexpected<Error> over_limit(std::string_view format, size_t limit) {
  return fail(
      ErrorKind::Exhausted,
      fmt::format("{}: the decompressed body is over the limit of {} bytes", format, limit));
}
inline std::unexpected<Error> damaged(std::string_view format, std::string_view why) {
  return fail(ErrorKind::Invalid, fmt::format("{}: the body is damaged: {}", format, why));
}
inline std::unexpected<Error> cut_short(std::string_view format) {
  return fail(ErrorKind::Invalid, fmt::format("{}: the body ends too early", format));
}

// Output of unknown size. It holds at most one byte more than the limit, by which a codec is known
// to have gone over.
class Output {
 public:
  Output(size_t expected, size_t limit)
      : limit_(limit), buffer_(std::min(std::max<size_t>(expected, 512), limit + 1)) {}

  // Where to write next: at least one byte, unless the limit is passed.
  std::span<char> space() {
    const size_t most = limit_ + 1;
    if (buffer_.size() == buffer_.capacity() && buffer_.size() < most) {
      buffer_.reserve(std::min(buffer_.capacity() * 2, most));
    }
    const size_t end = std::min(buffer_.capacity(), most);
    return {buffer_.data() + buffer_.size(), end - buffer_.size()};
  }
  void wrote(size_t n) { buffer_.resize(buffer_.size() + n); }
  bool over() const { return buffer_.size() > limit_; }
  size_t size() const { return buffer_.size(); }
  Bytes take() && { return std::move(buffer_).take(); }

 private:
  size_t limit_;
  Buffer buffer_;
};

inline size_t total_size(std::span<const Bytes> parts) {
  size_t total = 0;
  for (const Bytes& part : parts) total += part.size();
  return total;
}
// The parts one after another; a copy only where there are several.
Bytes joined(std::span<const Bytes> parts);

// `gzip` chooses between RFC 1952 and RFC 1950.
Result<Bytes> deflate(bool gzip, std::span<const Bytes> parts, int level);
Result<Bytes> inflate(bool gzip, std::string_view bytes, size_t max_size);
Result<Bytes> zstd_compress(std::span<const Bytes> parts, int level);
Result<Bytes> zstd_decompress(std::string_view bytes, size_t max_size);
Result<Bytes> snappy_compress(std::span<const Bytes> parts);
Result<Bytes> snappy_decompress(std::string_view bytes, size_t max_size);
Result<Bytes> snappy_frame(std::span<const Bytes> parts);
Result<Bytes> snappy_unframe(std::string_view bytes, size_t max_size);
bool is_snappy_framed(std::string_view bytes);
Result<Bytes> lz4_compress(std::span<const Bytes> parts);
Result<Bytes> lz4_decompress(std::string_view bytes, size_t max_size);

}  // namespace sonde::net::codec
