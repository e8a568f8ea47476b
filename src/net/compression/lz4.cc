// SPDX-License-Identifier: Apache-2.0
// LZ4's frame format (lz4_Frame_format.md of its sources).
#include <lz4frame.h>

#include <memory>

#include "net/compression/codecs.h"

namespace sonde::net::codec {
namespace {

struct Free {
  void operator()(LZ4F_cctx* context) const { LZ4F_freeCompressionContext(context); }
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

}  // namespace

Result<Bytes> lz4_compress(std::span<const Bytes> parts) {
  thread_local const std::unique_ptr<LZ4F_cctx, Free> context([] {
    LZ4F_cctx* made = nullptr;
    LZ4F_createCompressionContext(&made, LZ4F_VERSION);
    return made;
  }());
  const size_t total = total_size(parts);
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max256KB;
  preferences.frameInfo.blockMode = LZ4F_blockLinked;
  preferences.frameInfo.contentSize = total;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  // Each update may flush what was held back, so each has its own bound.
  size_t room = LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(0, &preferences);
  for (const Bytes& part : parts) room += LZ4F_compressBound(part.size(), &preferences);
  Buffer out(room);
  const auto add = [&](size_t n) -> Result<> {
    if (LZ4F_isError(n)) {
      return fail(ErrorKind::Internal, fmt::format("lz4: {}", LZ4F_getErrorName(n)));
    }
    out.resize(out.size() + n);
    return {};
  };
  const auto at = [&] { return out.data() + out.size(); };
  const auto left = [&] { return out.capacity() - out.size(); };
  TRY(add(LZ4F_compressBegin(context.get(), at(), left(), &preferences)));
  for (const Bytes& part : parts) {
    TRY(add(LZ4F_compressUpdate(context.get(), at(), left(), part.data(), part.size(), nullptr)));
  }
  TRY(add(LZ4F_compressEnd(context.get(), at(), left(), nullptr)));
  return std::move(out).take();
}

Result<Bytes> lz4_decompress(std::string_view bytes, size_t max_size) {
  thread_local const std::unique_ptr<LZ4F_dctx, Free> context([] {
    LZ4F_dctx* made = nullptr;
    LZ4F_createDecompressionContext(&made, LZ4F_VERSION);
    return made;
  }());
  if (bytes.empty()) return cut_short("lz4");
  LZ4F_resetDecompressionContext(context.get());
  LZ4F_frameInfo_t info{};
  size_t used = bytes.size();
  size_t more = LZ4F_getFrameInfo(context.get(), &info, bytes.data(), &used);
  if (LZ4F_isError(more)) return damaged("lz4", LZ4F_getErrorName(more));
  bytes.remove_prefix(used);
  if (info.contentSize > max_size) return over_limit("lz4", max_size);
  // A byte of LZ4 yields at most 255.
  const size_t said = std::min<size_t>(info.contentSize, bytes.size() * 255);
  Output out(said > 0 ? said + 1 : bytes.size() * 4, max_size);
  for (;;) {
    const auto space = out.space();
    if (space.empty()) return over_limit("lz4", max_size);
    size_t wrote = space.size();
    used = bytes.size();
    more = LZ4F_decompress(context.get(), space.data(), &wrote, bytes.data(), &used, nullptr);
    if (LZ4F_isError(more)) return damaged("lz4", LZ4F_getErrorName(more));
    bytes.remove_prefix(used);
    out.wrote(wrote);
    if (out.over()) return over_limit("lz4", max_size);
    if (more == 0 && bytes.empty()) return std::move(out).take();
    if (bytes.empty() && wrote < space.size()) return cut_short("lz4");
  }
}

}  // namespace sonde::net::codec
