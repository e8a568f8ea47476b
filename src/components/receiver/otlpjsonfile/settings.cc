// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/settings.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "components/receiver/otlpjsonfile/file_finder.h"
#include "config/ids.h"

namespace sonde::otlpjsonfile {
namespace {

// JSON is UTF-8 (RFC 8259, section 8.1), so only the names that mean it are taken.
Result<> check_encoding(const std::string& encoding) {
  const std::string name = lower(encoding);
  for (const char* const known :
       {"", "utf-8", "utf8", "utf-8-raw", "utf8-raw", "ascii", "us-ascii"})
    if (name == known) return {};
  return fail(ErrorKind::Invalid,
              fmt::format("encoding: \"{}\": JSON is UTF-8; leave it out, and convert files of "
                          "another encoding with iconv",
                          encoding));
}

constexpr auto kSortFields = config::fields<SortRule>(
    config::field("sort_type", &SortRule::sort_type, "What the part of the path is.",
                  {.choices = "numeric|alphabetical|timestamp", .required = true}),
    config::field("regex_key", &SortRule::regex_key, "The group of `regex` that is compared."),
    config::field("ascending", &SortRule::ascending, "Whether the smallest come first."),
    config::field("layout", &SortRule::layout, "Of a timestamp, as strptime has it."),
    config::field("location", &SortRule::location,
                  "Of a timestamp: its time zone; as all paths share it, it changes no order."));

constexpr auto kOrderingFields = config::fields<OrderingCriteria>(
    config::field("regex", &OrderingCriteria::regex,
                  "Finds the parts of a path that `sort_by` names; other paths are left out."),
    config::field("top_n", &OrderingCriteria::top_n, "How many of them are read.",
                  {.min = 0, .max = 1e6}),
    config::field("sort_by", &OrderingCriteria::sort_by, kSortFields.table(),
                  "How paths are ordered, the last rule first."),
    config::field("group_by", &OrderingCriteria::group_by,
                  "A pattern whose first group divides the paths; `top_n` counts in each."));

constexpr auto kMultilineFields = config::fields<Multiline>(
    config::field("line_start_pattern", &Multiline::line_start_pattern, "Refused."),
    config::field("line_end_pattern", &Multiline::line_end_pattern, "Refused."),
    config::field("omit_pattern", &Multiline::omit_pattern, "No effect."));

constexpr std::string_view kLinesOfJson = "nothing: each line is one request";

constexpr auto kFields = config::fields<Settings>(
    config::field("include", &Settings::include, "Patterns of paths; ** is any directories."),
    config::field("exclude", &Settings::exclude, "Patterns of paths that are left out."),
    config::field("exclude_older_than", &Settings::exclude_older_than,
                  "Files that nobody wrote to for longer are left out; 0: whatever their age.",
                  {.min = 0}),
    config::field("ordering_criteria", &Settings::ordering_criteria, kOrderingFields.table(),
                  "Reads only the first files of an order."),
    config::field("include_file_name", &Settings::include_file_name,
                  "Sets log.file.name on spans, log records and the metadata of metrics."),
    config::field("include_file_path", &Settings::include_file_path, "The same of log.file.path."),
    config::field("include_file_name_resolved", &Settings::include_file_name_resolved,
                  "The same of log.file.name_resolved: behind symbolic links."),
    config::field("include_file_path_resolved", &Settings::include_file_path_resolved,
                  "The same of log.file.path_resolved."),
    config::field("include_file_owner_name", &Settings::include_file_owner_name,
                  "The same of log.file.owner.name."),
    config::field("include_file_owner_group_name", &Settings::include_file_owner_group_name,
                  "The same of log.file.owner.group.name."),
    config::field("include_file_permissions", &Settings::include_file_permissions,
                  "The same of log.file.permissions, like 644."),
    config::field("start_at", &Settings::start_at,
                  "Where files that are there at the start are begun, where no position is stored.",
                  {.choices = "beginning|end"}),
    config::field("poll_interval", &Settings::poll_interval, "How often files are looked at.",
                  {.min = 0.001}),
    config::field("fingerprint_size", &Settings::fingerprint_size,
                  "How much of its beginning tells a file from others.",
                  {.min = 16, .max = 1 << 20, .unit = "By"}),
    config::field("max_log_size", &Settings::max_log_size,
                  "A longer line is passed over and counted.",
                  {.min = 1, .max = 1 << 30, .unit = "By"}),
    config::field("max_concurrent_files", &Settings::max_concurrent_files,
                  "How many files are open at most.", {.min = 1, .max = 1e6}),
    config::field("max_batches", &Settings::max_batches,
                  "How many times half of max_concurrent_files are read in one poll_interval; 0: "
                  "all.",
                  {.min = 0}),
    config::field("force_flush_period", &Settings::force_flush_period,
                  "When a last line without its end is taken, where it is whole JSON; 0: never."),
    config::field("on_truncate", &Settings::on_truncate,
                  "What is done with a file that became shorter and begins as before.",
                  {.choices = "ignore|read_whole_file|read_new"}),
    config::field("compression", &Settings::compression,
                  "gzip: files are compressed; auto: those that look like it are.",
                  {.choices = "|gzip|auto"}),
    config::field("encoding", &Settings::encoding, "UTF-8 and its names; JSON knows no other."),
    config::field("acquire_fs_lock", &Settings::acquire_fs_lock,
                  "Whether a file is read only while nobody has it locked (flock)."),
    config::field("file_cache_advise", &Settings::file_cache_advise,
                  "Whether the system is told to forget what was read."),
    config::field("replay_file", &Settings::replay_file,
                  "Whether a file that was read to its end is read again, for ever."),
    config::field("storage", &Settings::storage,
                  "The storage extension that keeps how far files were read over a restart.",
                  {.extension = true}),
    config::field("max_log_size_behavior", &Settings::max_log_size_behavior,
                  "No effect: half a line is no request, so longer ones are passed over.",
                  {.choices = "split|truncate"}),
    config::field("initial_buffer_size", &Settings::initial_buffer_size, "No effect.",
                  {.unit = "By", .deprecated = "nothing: buffers grow as lines do"}),
    config::field("preserve_leading_whitespaces", &Settings::preserve_leading_whitespaces,
                  "No effect.", {.deprecated = kLinesOfJson}),
    config::field("preserve_trailing_whitespaces", &Settings::preserve_trailing_whitespaces,
                  "No effect.", {.deprecated = kLinesOfJson}),
    config::field("include_file_record_number", &Settings::include_file_record_number,
                  "No effect, as in the Collector.", {.deprecated = kLinesOfJson}),
    config::field("include_file_record_offset", &Settings::include_file_record_offset,
                  "No effect, as in the Collector.", {.deprecated = kLinesOfJson}),
    config::field("polls_to_archive", &Settings::polls_to_archive, "No effect.",
                  {.deprecated = "nothing: the last 1000 files that went away are remembered"}),
    config::field("delete_after_read", &Settings::delete_after_read,
                  "Refused: nothing is ever deleted."),
    config::field("multiline", &Settings::multiline, kMultilineFields.table(),
                  "Refused: each line is one request."),
    config::field("header", &Settings::header, "Refused: there is no header to parse."));

}  // namespace

const config::FieldTable& settings_fields() { return kFields.table(); }

Result<> Settings::validate() const {
  if (include.empty()) return fail(ErrorKind::Invalid, "include: name at least one file");
  TRY(check_encoding(encoding));
  if (delete_after_read) {
    return fail(ErrorKind::Invalid,
                "delete_after_read: there is no feature gate filelog.allowFileDeletion that would "
                "allow it; leave it out, and delete files that are done with another tool");
  }
  if (header.type != config::Value::Type::Null) {
    return fail(ErrorKind::Invalid,
                "header: files of OTLP have none; leave it out, lines that are no OTLP are passed "
                "over and counted");
  }
  if (!multiline.line_start_pattern.empty() || !multiline.line_end_pattern.empty()) {
    return fail(ErrorKind::Invalid,
                "multiline: each line is one request; leave it out, and join lines with jq -c .");
  }
  if (storage) {
    auto id = config::parse_component_id(*storage);
    if (!id) return std::unexpected(at("storage", std::move(id.error())));
  }
  (void)TRY(FileFinder::make(*this));
  return {};
}

}  // namespace sonde::otlpjsonfile
