// SPDX-License-Identifier: Apache-2.0
#include "pipeline/payload.h"

#include <fmt/format.h>

#include "pipeline/otlp_export.h"

namespace sonde::pipeline {

Result<net::Encoding> compression_of(std::string_view name, int level, net::Carrier carrier) {
  const auto encoding = net::encoding_named(name, carrier);
  // What the Collector's gRPC client knows; receivers know no more.
  const bool grpc_knows =
      name == "gzip" || name == "zstd" || name == "snappy" || name == "none" || name.empty();
  if (!encoding || (carrier == net::Carrier::Grpc && !grpc_knows)) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("compression: unsupported compression type \"{}\"; it is one of {}", name,
                    carrier == net::Carrier::Grpc
                        ? "gzip, zstd, snappy, none"
                        : "gzip, zstd, snappy, deflate, zlib, lz4, x-snappy-framed, none"));
  }
  if (auto checked = net::check_level(*encoding, level); !checked) {
    return std::unexpected(at("compression_params::level", std::move(checked.error())));
  }
  return *encoding;
}

Result<Bytes> open_sealed(const Encoded& original) {
  const auto encoding = net::encoding_named(original.encoding, net::Carrier::Http);
  if (!encoding) return fail(ErrorKind::Internal, "an unknown encoding: " + original.encoding);
  const size_t limit = original.plain_size > 0 ? original.plain_size : original.max_plain;
  auto plain = net::decompress(*encoding, original.body.view(), limit);
  if (!plain) return fail(ErrorKind::Invalid, plain.error().message);
  return plain;
}

Result<std::vector<Bytes>> chunks_of(const Batch& batch) {
  if (!batch.sealed()) return batch.chunks;
  return std::vector<Bytes>{TRY(open_sealed(*batch.original))};
}

Result<Bytes> export_body(const Batch& batch, net::Encoding encoding, int level) {
  if (batch.original && batch.original->encoding == net::name_of(encoding)) {
    return batch.original->body;
  }
  if (batch.sealed()) {
    Bytes plain = TRY(open_sealed(*batch.original));
    if (encoding == net::Encoding::Identity) return plain;
    return net::compress(encoding, std::span(&plain, 1), level);
  }
  if (encoding == net::Encoding::Identity) return joined(batch);
  return net::compress(encoding, batch.chunks, level);
}

}  // namespace sonde::pipeline
