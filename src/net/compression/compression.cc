// SPDX-License-Identifier: Apache-2.0
#include "net/compression/compression.h"

#include "net/compression/codecs.h"
#include "net/http/http_types.h"

namespace sonde::net {
namespace {

constexpr size_t kMaxInput = size_t{2} << 30;

struct Name {
  std::string_view text;
  Encoding encoding;
};
constexpr Name kNames[] = {{"gzip", Encoding::Gzip},
                           {"zstd", Encoding::Zstd},
                           {"zlib", Encoding::Zlib},
                           {"deflate", Encoding::Zlib},
                           {"lz4", Encoding::Lz4},
                           {"snappy", Encoding::Snappy},
                           {"x-snappy-framed", Encoding::SnappyFramed}};

}  // namespace

std::optional<Encoding> encoding_named(std::string_view name, Carrier carrier) {
  if (name.empty() || name == "none" || equals_ignoring_case(name, "identity")) {
    return Encoding::Identity;
  }
  for (const Name& known : kNames) {
    const bool same =
        carrier == Carrier::Http ? equals_ignoring_case(name, known.text) : name == known.text;
    if (!same) continue;
    const bool framed = known.encoding == Encoding::Snappy && carrier == Carrier::Grpc;
    return framed ? Encoding::SnappyFramed : known.encoding;
  }
  return std::nullopt;
}

std::string_view name_of(Encoding encoding) {
  for (const Name& known : kNames) {
    if (known.encoding == encoding) return known.text;
  }
  return "identity";
}

std::string_view accepted_encodings(Carrier carrier) {
  return carrier == Carrier::Grpc ? "identity,gzip,zstd,snappy,deflate,zlib,lz4"
                                  : "gzip, zstd, deflate, zlib, snappy, x-snappy-framed, lz4";
}

Result<> check_level(Encoding encoding, int level) {
  if (level == kDefaultLevel) return {};
  const auto within = [&](int low, int high) -> Result<> {
    if (level >= low && level <= high) return {};
    return fail(ErrorKind::Invalid, fmt::format("{} has levels from {} to {}, not {}",
                                                name_of(encoding), low, high, level));
  };
  switch (encoding) {
    case Encoding::Gzip:
    case Encoding::Zlib:
      return within(-2, 9);
    case Encoding::Zstd:      // What is outside 1 to 22 is the nearest.
    case Encoding::Identity:  // Nothing is done with it.
      return {};
    default:
      return fail(ErrorKind::Invalid, fmt::format("{} has no levels", name_of(encoding)));
  }
}

Result<Bytes> compress(Encoding encoding, std::span<const Bytes> parts, int level) {
  if (codec::total_size(parts) > kMaxInput) {
    return fail(ErrorKind::Invalid, "a body over 2 GiB is not compressed");
  }
  TRY(check_level(encoding, level));
  switch (encoding) {
    case Encoding::Identity:
      break;
    case Encoding::Gzip:
    case Encoding::Zlib:
      return codec::deflate(encoding == Encoding::Gzip, parts, level);
    case Encoding::Zstd:
      return codec::zstd_compress(parts, level);
    case Encoding::Snappy:
      return codec::snappy_compress(parts);
    case Encoding::SnappyFramed:
      return codec::snappy_frame(parts);
    case Encoding::Lz4:
      return codec::lz4_compress(parts);
  }
  return codec::joined(parts);
}

Result<Bytes> decompress(Encoding encoding, std::string_view bytes, size_t max_size) {
  if (bytes.size() > kMaxInput) return codec::over_limit(name_of(encoding), kMaxInput);
  max_size = std::min(max_size, kMaxInput);
  switch (encoding) {
    case Encoding::Identity:
      break;
    case Encoding::Gzip:
    case Encoding::Zlib:
      return codec::inflate(encoding == Encoding::Gzip, bytes, max_size);
    case Encoding::Zstd:
      return codec::zstd_decompress(bytes, max_size);
    case Encoding::Snappy:
    case Encoding::SnappyFramed:
      // Senders mix the two up, and no block begins as a frame does.
      return codec::is_snappy_framed(bytes) ? codec::snappy_unframe(bytes, max_size)
             : encoding == Encoding::Snappy
                 ? codec::snappy_decompress(bytes, max_size)
                 : Result<Bytes>(codec::damaged("snappy", "it has no stream identifier"));
    case Encoding::Lz4:
      return codec::lz4_decompress(bytes, max_size);
  }
  if (bytes.size() > max_size) return codec::over_limit("identity", max_size);
  return Bytes::copy(bytes);
}

namespace codec {

Bytes joined(std::span<const Bytes> parts) {
  if (parts.size() == 1) return parts.front();
  Buffer all(total_size(parts));
  for (const Bytes& part : parts) all.append(part.view());
  return std::move(all).take();
}

}  // namespace codec
}  // namespace sonde::net
