// SPDX-License-Identifier: Apache-2.0
// The settings of the exporter `file`, named as the Collector's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "components/exporter/file/rotating_file.h"
#include "config/field.h"

namespace sonde::file_exporter {

struct GroupBy {
  bool enabled = false;
  std::string resource_attribute = "fileexporter.path_segment";
  int64_t max_open_files = 100;
};

struct CompressionParameters {
  int64_t level = 0;  // 0: the default.
};

struct Settings {
  std::string path;
  std::string format = "json";
  std::string compression;
  CompressionParameters compression_params;
  std::optional<Rotation> rotation;
  bool append = false;
  bool create_directory = false;
  std::string directory_permissions;  // Empty: 0755.
  Duration flush_interval = std::chrono::seconds(1);
  GroupBy group_by;
  std::optional<std::string> encoding;

  Framing framing() const {
    return format == "json" && compression.empty() ? Framing::Lines : Framing::Lengths;
  }
  // Of directories that are made.
  Result<uint32_t> permissions() const;
  Result<> validate() const;
};

const config::FieldTable& settings_fields();

}  // namespace sonde::file_exporter
