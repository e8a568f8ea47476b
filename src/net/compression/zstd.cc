// SPDX-License-Identifier: Apache-2.0
// zstd (RFC 8878). Decompressing goes straight into the result, so no window is kept whatever size
// a frame asks for.
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "net/compression/codecs.h"

namespace sonde::net::codec {
namespace {

constexpr int kUsualLevel = 3;  // As the Collector's.
constexpr size_t kMaxBlock = 128 * 1024;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// What the frames say they become; nullopt when one does not say, or is damaged.
std::optional<size_t> said_size(std::string_view bytes) {
  size_t total = 0;
  while (!bytes.empty()) {
    const size_t frame = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (ZSTD_isError(frame) || size > SIZE_MAX / 2 - total) return std::nullopt;
    total += size;
    bytes.remove_prefix(frame);
  }
  return total;
}

}  // namespace

Result<Bytes> zstd_compress(std::span<const Bytes> parts, int level) {
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  const size_t total = total_size(parts);
  ZSTD_CCtx* const c = context.get();
  ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel,
                         level == 0 ? kUsualLevel : std::clamp(level, 1, 22));
  ZSTD_CCtx_setPledgedSrcSize(c, total);
  const size_t bound = ZSTD_compressBound(total) + 64;
  Buffer buffer(bound);
  ZSTD_outBuffer out{buffer.data(), bound, 0};
  for (size_t i = 0; i <= parts.size(); ++i) {
    const bool last = i + 1 >= parts.size();
    const std::string_view part = i < parts.size() ? parts[i].view() : std::string_view();
    ZSTD_inBuffer in{part.data(), part.size(), 0};
    size_t left = 0;
    do {
      left = ZSTD_compressStream2(c, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left)) {
        return fail(ErrorKind::Internal, fmt::format("zstd: {}", ZSTD_getErrorName(left)));
      }
    } while (in.pos < in.size || (last && left != 0));
    if (last) break;
  }
  buffer.resize(out.pos);
  return std::move(buffer).take();
}

Result<Bytes> zstd_decompress(std::string_view bytes, size_t max_size) {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (bytes.empty()) return cut_short("zstd");
  const std::optional<size_t> said = said_size(bytes);
  if (said && *said > max_size) return over_limit("zstd", max_size);
  // Unsaid, it is 128 KiB at most for each block, which has at least 3 bytes.
  const size_t room = std::min(said.value_or((bytes.size() / 3 + 1) * kMaxBlock), max_size);
  // Sizes that nobody said are tried from below: a body seldom becomes what it could.
  for (size_t size = said ? room : std::min(bytes.size() * 8, room);;
       size = std::min(size * 4, room)) {
    Buffer buffer(std::max<size_t>(size, 1));
    const size_t capacity = std::min(buffer.capacity(), std::max<size_t>(room, 1));
    const size_t n =
        ZSTD_decompressDCtx(context.get(), buffer.data(), capacity, bytes.data(), bytes.size());
    if (!ZSTD_isError(n)) {
      if (n > max_size) return over_limit("zstd", max_size);
      buffer.resize(n);
      return std::move(buffer).take();
    }
    const ZSTD_ErrorCode code = ZSTD_getErrorCode(n);
    if (code == ZSTD_error_srcSize_wrong) return cut_short("zstd");
    if (code != ZSTD_error_dstSize_tooSmall) return damaged("zstd", ZSTD_getErrorName(n));
    if (capacity >= room) {
      return said ? Result<Bytes>(damaged("zstd", "it is larger than it says"))
                  : Result<Bytes>(over_limit("zstd", max_size));
    }
  }
}

}  // namespace sonde::net::codec
