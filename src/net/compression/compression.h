// SPDX-License-Identifier: Apache-2.0
// Bodies as OTLP peers compress them. A body goes through whole: what comes out is one Bytes in
// recycled memory, and a body that would become larger than allowed is refused before the memory
// for it is taken. Contexts are kept per thread, so that a call allocates nothing but its result.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sonde::net {

// One for each format, not for each name: HTTP's "deflate" is zlib's format (RFC 9110 section
// 8.4.1.2) and "snappy" means the block format over HTTP and the framed one over gRPC.
enum class Encoding { Identity, Gzip, Zlib, Zstd, Snappy, SnappyFramed, Lz4 };

enum class Carrier { Grpc, Http };

// What an encoding is called in grpc-encoding or Content-Encoding; nullopt when it is not known.
// Empty, "identity" and "none" are Identity. Names compare without case over HTTP.
std::optional<Encoding> encoding_named(std::string_view name, Carrier carrier);
// Our own name of a format, the same whatever carries it: of data/batch.h's Encoded::encoding.
std::string_view name_of(Encoding encoding);
// What we decompress, as grpc-accept-encoding or Accept-Encoding lists it.
std::string_view accepted_encodings(Carrier carrier);

// Of the configuration's `compression_params::level`: 0 is each format's own default.
inline constexpr int kDefaultLevel = 0;
// Whether a format has such a level: -2 to 9 for gzip and zlib (-2: Huffman codes alone, -1: the
// default), 1 to 22 for zstd, none for the others.
Result<> check_level(Encoding encoding, int level);

// The parts as one body. They are at most 2 GiB together.
Result<Bytes> compress(Encoding encoding, std::span<const Bytes> parts, int level = kDefaultLevel);

// Exhausted with the limit in its message when more than max_size bytes would come out, Invalid
// when the bytes are damaged or cut short.
Result<Bytes> decompress(Encoding encoding, std::string_view bytes, size_t max_size);

}  // namespace sonde::net
