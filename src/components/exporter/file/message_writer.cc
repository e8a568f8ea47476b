// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/file/message_writer.h"

#include "net/compression/compression.h"

namespace sonde::file_exporter {

Result<std::string_view> MessageWriter::write(Signal signal, std::span<const Bytes> chunks) {
  const bool line = json_ && !compressed_;
  message_.assign(line ? 0 : 4, '\0');
  Bytes json;
  if (json_) {
    std::string text = TRY(wire::otlp_to_json(signal, wire::OtlpBody::Request, chunks, &changes_));
    if (line) {
      message_ = std::move(text);
      message_ += '\n';
      return message_;
    }
    json = Bytes::copy(text);
    chunks = {&json, 1};
  }
  if (compressed_) {
    message_ += TRY(net::compress(net::Encoding::Zstd, chunks, level_)).view();
  } else {
    for (const Bytes& chunk : chunks) message_ += chunk.view();
  }
  const size_t size = message_.size() - 4;
  if (size > UINT32_MAX) return fail(ErrorKind::Exhausted, "a batch is larger than 4 GiB");
  for (size_t i = 0; i < 4; ++i) message_[i] = static_cast<char>(size >> (24 - 8 * i));
  return message_;
}

}  // namespace sonde::file_exporter
