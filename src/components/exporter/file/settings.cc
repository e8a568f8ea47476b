// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/file/settings.h"

#include <algorithm>
#include <charconv>

#include "net/compression/compression.h"

namespace sonde::file_exporter {
namespace {

constexpr auto kRotationFields = config::fields<Rotation>(
    config::field("max_megabytes", &Rotation::max_megabytes,
                  "How large the file grows before it is put aside; 0 or less: 100.",
                  {.max = 1e9, .unit = "MiBy"}),
    config::field("max_days", &Rotation::max_days,
                  "How old what was put aside gets; 0 or less: whatever its age.",
                  {.max = 2147483647}),
    config::field("max_backups", &Rotation::max_backups,
                  "How many are kept of what was put aside; 0 or less: all."),
    config::field("localtime", &Rotation::localtime,
                  "Whether the time in their names is local and not UTC."));
constexpr auto kGroupFields = config::fields<GroupBy>(
    config::field("enabled", &GroupBy::enabled,
                  "Whether what comes is dealt out to files by an attribute of its resource."),
    config::field("resource_attribute", &GroupBy::resource_attribute,
                  "The attribute whose text stands for the * of path."),
    config::field("max_open_files", &GroupBy::max_open_files,
                  "How many files are open at most; the one that was written to the longest ago is "
                  "closed.",
                  {.max = 1e6}));
constexpr auto kParameterFields = config::fields<CompressionParameters>(
    config::field("level", &CompressionParameters::level,
                  "Of zstd, 1 to 22, and 22 for more; 0 and below are the default."));
constexpr auto kFields = config::fields<Settings>(
    config::field("path", &Settings::path, "The file; with group_by it has one *.",
                  {.required = true}),
    config::field("format", &Settings::format, "Lines of JSON, or messages with their length.",
                  {.choices = "json|proto"}),
    config::field("compression", &Settings::compression,
                  "Compresses each message, which then begins with its length.",
                  {.choices = "|zstd"}),
    config::field("compression_params", &Settings::compression_params, kParameterFields.table(),
                  "How much work compression does."),
    config::field("rotation", &Settings::rotation, kRotationFields.table(),
                  "When the file is put aside.", {.no_enabled = true}),
    config::field("append", &Settings::append, "Whether to add to what is there at the start."),
    config::field("create_directory", &Settings::create_directory,
                  "Whether to make the folder of the file. With group_by folders are always made."),
    config::field("directory_permissions", &Settings::directory_permissions,
                  "The mode of a folder that is made, in octal; empty: 0755."),
    config::field("flush_interval", &Settings::flush_interval,
                  "Accepted for the Collector's sake; what is written is never held back.",
                  {.min = 0}),
    config::field("group_by", &Settings::group_by, kGroupFields.table(),
                  "A file for each value of an attribute of resources."),
    config::field("encoding", &Settings::encoding, "An encoding extension: refused."));

}  // namespace

const config::FieldTable& settings_fields() { return kFields.table(); }

Result<uint32_t> Settings::permissions() const {
  if (directory_permissions.empty()) return 0755;
  uint32_t mode = 0;
  const char* const end = directory_permissions.data() + directory_permissions.size();
  const auto [at, error] = std::from_chars(directory_permissions.data(), end, mode, 8);
  if (error != std::errc() || at != end || mode > 0777)
    return fail(ErrorKind::Invalid, "directory_permissions: \"" + directory_permissions +
                                        "\" is no octal number up to 0777");
  return mode;
}

Result<> Settings::validate() const {
  if (path.empty()) return fail(ErrorKind::Invalid, "path: say where to write");
  if (append && rotation) return fail(ErrorKind::Invalid, "append and rotation do not go together");
  if (encoding)
    return fail(ErrorKind::Invalid, "encoding: there are no encoding extensions; use format");
  if (!directory_permissions.empty() && !create_directory)
    return fail(ErrorKind::Invalid, "directory_permissions needs create_directory to be true");
  (void)TRY(permissions());
  if (!group_by.enabled) return {};
  if (std::ranges::count(path, '*') != 1)
    return fail(ErrorKind::Invalid, "path: group_by needs exactly one * in it, for the attribute");
  if (path.starts_with('*'))
    return fail(ErrorKind::Invalid, "path: with group_by it must not begin with the *");
  if (group_by.resource_attribute.empty())
    return fail(ErrorKind::Invalid, "group_by::resource_attribute: name an attribute");
  if (group_by.max_open_files < 1)
    return fail(ErrorKind::Invalid, "group_by::max_open_files: at least one file must be open");
  return {};
}

}  // namespace sonde::file_exporter
