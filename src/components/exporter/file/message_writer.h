// SPDX-License-Identifier: Apache-2.0
// How a batch stands in a file: as a line of OTLP's JSON, or as a message behind its length in four
// bytes, the highest first, compressed on its own where wanted.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "components/exporter/file/settings.h"
#include "data/batch.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::file_exporter {

class MessageWriter {
 public:
  explicit MessageWriter(const Settings& settings)
      : json_(settings.format == "json"),
        compressed_(!settings.compression.empty()),
        level_(settings.compression_params.level > 0
                   ? static_cast<int>(settings.compression_params.level)
                   : 0) {}

  // Lives until the next call, as does what changes() says of it. Invalid where the bytes do not
  // parse, Exhausted over 4 GiB.
  Result<std::string_view> write(Signal signal, std::span<const Bytes> chunks);
  const wire::JsonChanges& changes() const { return changes_; }

 private:
  const bool json_;
  const bool compressed_;
  const int level_;
  std::string message_;
  wire::JsonChanges changes_;
};

}  // namespace sonde::file_exporter
