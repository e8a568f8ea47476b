// SPDX-License-Identifier: Apache-2.0
// The settings of the receiver `otlpjsonfile`, named as the Collector's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/field.h"
#include "config/value.h"

namespace sonde::otlpjsonfile {

struct SortRule {
  std::string sort_type;  // numeric, alphabetical, timestamp
  std::string regex_key;
  bool ascending = false;
  std::string layout;
  std::string location;
};

struct OrderingCriteria {
  std::string regex;
  int64_t top_n = 1;
  std::vector<SortRule> sort_by;
  std::string group_by;
};

struct Multiline {
  std::string line_start_pattern;
  std::string line_end_pattern;
  bool omit_pattern = false;
};

struct Settings {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  Duration exclude_older_than{};
  OrderingCriteria ordering_criteria;

  bool include_file_name = true;
  bool include_file_path = false;
  bool include_file_name_resolved = false;
  bool include_file_path_resolved = false;
  bool include_file_owner_name = false;
  bool include_file_owner_group_name = false;
  bool include_file_permissions = false;

  std::string start_at = "end";
  Duration poll_interval = std::chrono::milliseconds(200);
  uint64_t fingerprint_size = 1000;
  uint64_t max_log_size = 1 << 20;
  uint32_t max_concurrent_files = 1024;
  uint32_t max_batches = 0;
  Duration force_flush_period = std::chrono::milliseconds(500);
  std::string on_truncate = "read_whole_file";
  std::string compression;
  std::string encoding = "utf-8";
  bool acquire_fs_lock = false;
  bool file_cache_advise = false;
  bool replay_file = false;
  std::optional<std::string> storage;  // The id; empty is refused.

  // Taken, and without an effect or refused.
  std::string max_log_size_behavior = "split";
  uint64_t initial_buffer_size = 16 << 10;
  bool preserve_leading_whitespaces = false;
  bool preserve_trailing_whitespaces = false;
  bool include_file_record_number = false;
  bool include_file_record_offset = false;
  int64_t polls_to_archive = 0;
  bool delete_after_read = false;
  Multiline multiline;
  config::Value header;

  // An error (Invalid) says which setting is wrong and what to do.
  Result<> validate() const;
};

const config::FieldTable& settings_fields();

}  // namespace sonde::otlpjsonfile
