// SPDX-License-Identifier: Apache-2.0
// Gives each component that must keep something over a restart a directory of its own below one
// that the user names. What is kept there is the component's business.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>

#include "base/ascii.h"
#include "base/log.h"
#include "pipeline/component.h"
#include "pipeline/storage.h"

namespace sonde {
namespace {

namespace fs = std::filesystem;

struct Compaction {
  bool on_start = false;
  bool on_rebound = false;
  std::string directory = "/var/lib/otelcol/file_storage";
  uint64_t max_transaction_size = 65536;
  uint64_t rebound_needed_threshold_mib = 100;
  uint64_t rebound_trigger_threshold_mib = 10;
  Duration check_interval = std::chrono::seconds(5);
  bool cleanup_on_start = false;
};

struct Config {
  std::string directory = "/var/lib/otelcol/file_storage";
  Duration timeout = std::chrono::seconds(1);
  bool fsync = false;
  Duration fsync_interval{};
  bool create_directory = false;
  std::string directory_permissions = "0750";
  uint64_t max_size = 0;
  Compaction compaction;
  bool recreate = false;

  std::optional<mode_t> permissions() const {
    unsigned mode = 0;
    const char* const end = directory_permissions.data() + directory_permissions.size();
    const auto [at, error] = std::from_chars(directory_permissions.data(), end, mode, 8);
    if (error != std::errc() || at != end || mode > 0777 || (mode & 0700) != 0700) return {};
    return mode;
  }

  Result<> validate() const {
    if (directory.empty()) return fail(ErrorKind::Invalid, "\"directory\" must not be empty");
    TRY(check_directory("directory", directory));
    if (compaction.on_start || compaction.on_rebound) {
      TRY(check_directory("compaction::directory", compaction.directory));
    }
    if (compaction.on_rebound && compaction.check_interval <= Duration{}) {
      return fail(ErrorKind::Invalid,
                  "compaction::check_interval: it must be positive where on_rebound is set");
    }
    if (!create_directory || permissions()) return {};
    return fail(ErrorKind::Invalid,
                "directory_permissions: \"" + directory_permissions +
                    "\" is no octal mode with which its owner can use it, like \"0750\"");
  }

 private:
  // One that is missing is an error before anything runs, unless it is to be made at the start.
  Result<> check_directory(std::string_view name, const std::string& path) const {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_directory(status)) return {};
    if (fs::exists(status)) {
      return fail(ErrorKind::Invalid, fmt::format("{}: {} is not a directory", name, path));
    }
    if (error && status.type() == fs::file_type::none) {
      return fail(ErrorKind::Denied, fmt::format("{}: {}: {}", name, path, error.message()));
    }
    if (create_directory) return {};
    return fail(
        ErrorKind::NotFound,
        fmt::format("{}: {} does not exist; make it, or set create_directory to true", name, path));
  }
};

constexpr std::string_view kNoCompaction =
    "nothing: what was sent is deleted at once, so nothing is ever compacted";

constexpr auto kCompactionFields = config::fields<Compaction>(
    config::field("on_start", &Compaction::on_start, "No effect.", {.deprecated = kNoCompaction}),
    config::field("on_rebound", &Compaction::on_rebound, "No effect.",
                  {.deprecated = kNoCompaction}),
    config::field("directory", &Compaction::directory, "No effect.", {.deprecated = kNoCompaction}),
    config::field("max_transaction_size", &Compaction::max_transaction_size, "No effect.",
                  {.deprecated = kNoCompaction}),
    config::field("rebound_needed_threshold_mib", &Compaction::rebound_needed_threshold_mib,
                  "No effect.", {.deprecated = kNoCompaction}),
    config::field("rebound_trigger_threshold_mib", &Compaction::rebound_trigger_threshold_mib,
                  "No effect.", {.deprecated = kNoCompaction}),
    config::field("check_interval", &Compaction::check_interval, "No effect.",
                  {.deprecated = kNoCompaction}),
    config::field("cleanup_on_start", &Compaction::cleanup_on_start, "No effect.",
                  {.deprecated = kNoCompaction}));

constexpr auto kFields = config::fields<Config>(
    config::field("directory", &Config::directory, "Where it keeps everything."),
    config::field("timeout", &Config::timeout,
                  "How long to wait at start for another process to give a directory up."),
    config::field("fsync", &Config::fsync,
                  "Whether a sender is answered only when the disk has what it sent, so that it "
                  "survives the machine too."),
    config::field("fsync_interval", &Config::fsync_interval,
                  "Without fsync: how often what was written is sent to the disk; 0 leaves it to "
                  "the system.",
                  {.min = 0}),
    config::field("create_directory", &Config::create_directory,
                  "Whether the directory is made when it is missing."),
    config::field("directory_permissions", &Config::directory_permissions,
                  "The mode of directories that are made, in octal."),
    config::field(
        "max_size", &Config::max_size,
        "What each queue may take on disk; what passes it is refused. 0: the disk's size.",
        {.unit = "By"}),
    config::field("compaction", &Config::compaction, kCompactionFields, "No effect."),
    config::field("recreate", &Config::recreate,
                  "No effect: damage is stepped over and counted, never a reason not to start.",
                  {.deprecated = "nothing: damaged files never keep it from starting"}));

// A file name of any id: what is not plain becomes ~ and two hexadecimal digits.
std::string file_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = is_alphanumeric(c) || c == '_' || c == '-' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("~{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

class FileStorage final : public pipeline::Component, public pipeline::Storage {
 public:
  FileStorage(Config config, std::string_view, pipeline::Outputs) : config_(std::move(config)) {}

  Result<> start(pipeline::Host&) override {
    std::error_code error;
    if (config_.create_directory && !fs::exists(config_.directory, error)) {
      TRY(make(config_.directory));
    }
    if (::access(config_.directory.c_str(), R_OK | W_OK | X_OK) != 0) {
      return fail(ErrorKind::Denied,
                  fmt::format("directory: {} cannot be read and written: {}", config_.directory,
                              std::generic_category().message(errno)));
    }
    log_info("file_storage: {}, fsync {}", config_.directory,
             config_.fsync ? "before each answer"
             : config_.fsync_interval > Duration{}
                 ? "each " + config::format_duration(config_.fsync_interval)
                 : "left to the system");
    return {};
  }

  Result<fs::path> directory_for(std::string_view kind, std::string_view id,
                                 std::string_view name) override {
    const fs::path path =
        fs::path(config_.directory) / fmt::format("{}_{}_{}", kind, file_name(id), file_name(name));
    TRY(make(path));
    return path;
  }

  bool fsync() const override { return config_.fsync; }
  Duration fsync_interval() const override { return config_.fsync_interval; }
  Duration lock_timeout() const override { return config_.timeout; }
  uint64_t max_bytes() const override {
    return config_.max_size == 0 ? UINT64_MAX : config_.max_size;
  }

 private:
  // With all directories above it. One that exists keeps its mode.
  Result<> make(const fs::path& path) const {
    // One that cannot be read was not looked at: the directory was there.
    const mode_t mode = config_.permissions().value_or(0750);
    fs::path so_far;
    for (const fs::path& part : path) {
      so_far /= part;
      if (::mkdir(so_far.c_str(), mode) == 0 || errno == EEXIST) continue;
      const int why = errno;
      std::error_code ignored;
      // A read-only file system says so of directories that exist.
      if (fs::is_directory(so_far, ignored)) continue;
      return fail(ErrorKind::Denied, fmt::format("cannot make {}: {}", so_far.string(),
                                                 std::generic_category().message(why)));
    }
    return {};
  }

  const Config config_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(extension, file_storage) {
  return sonde::pipeline::make_type<sonde::FileStorage, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Extension,
       .name = "file_storage",
       .summary = "Keeps what must outlive the process in a directory.",
       .in = sonde::pipeline::kNoSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
