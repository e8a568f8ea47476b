// SPDX-License-Identifier: Apache-2.0
#include "pipeline/payload.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/memory_ledger.h"
#include "pipeline/otlp_export.h"

namespace sonde::pipeline {

Result<net::Encoding> compression_of(std::string_view name, int level, net::Carrier carrier) {
  const auto encoding = net::encoding_named(name, carrier);
  // What the Collector's gRPC client knows; receivers know no more.
  const bool grpc_knows =
      name == "gzip" || name == "zstd" || name == "snappy" || name == "none" || name.empty();
  // Names on the wire may be in capitals, settings may not.
  const bool plain = name == lower(name) && name != "identity";
  if (!encoding || !plain || (carrier == net::Carrier::Grpc && !grpc_knows)) {
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

namespace {

// How long to wait for memory.
constexpr Duration kComeBack = std::chrono::seconds(1);

Result<Bytes> open_within(const Encoded& original, size_t room) {
  const auto encoding = net::encoding_named(original.encoding, net::Carrier::Http);
  if (!encoding) return fail(ErrorKind::Internal, "an unknown encoding: " + original.encoding);
  const size_t limit = original.plain_size > 0 ? original.plain_size : original.max_plain;
  auto plain = net::decompress(*encoding, original.body.view(), std::min(limit, room));
  if (plain) return plain;
  if (plain.error().kind == ErrorKind::Exhausted && room < limit) {
    return std::unexpected(Error{ErrorKind::Exhausted,
                                 "there is no memory now to send it in another form", kComeBack});
  }
  return fail(ErrorKind::Invalid, plain.error().message);
}

// To be sent. What was left beside the budget counts too, so that a process that is full of data
// can still get rid of it.
Result<Bytes> open_to_send(const Encoded& original) {
  const MemoryLedger& ledger = MemoryLedger::process();
  return open_within(original, ledger.limit() - std::min(ledger.limit(), ledger.held()));
}

}  // namespace

Result<Bytes> open_sealed(const Encoded& original) { return open_within(original, SIZE_MAX); }

Result<std::vector<Bytes>> chunks_of(const Batch& batch) {
  if (!batch.sealed()) return batch.chunks;
  return std::vector<Bytes>{TRY(open_to_send(*batch.original))};
}

Result<Bytes> export_body(const Batch& batch, net::Encoding encoding, int level) {
  if (batch.original && batch.original->encoding == net::name_of(encoding)) {
    return batch.original->body;
  }
  if (batch.sealed()) {
    Bytes plain = TRY(open_to_send(*batch.original));
    if (encoding == net::Encoding::Identity) return plain;
    return net::compress(encoding, std::span(&plain, 1), level);
  }
  if (encoding == net::Encoding::Identity) return joined(batch);
  return net::compress(encoding, batch.chunks, level);
}

}  // namespace sonde::pipeline
