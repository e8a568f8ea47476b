// SPDX-License-Identifier: Apache-2.0
//
// The exporter `file`: writes what comes to a file, as lines of OTLP's JSON or as messages that
// begin with their length (four bytes, the highest first), compressed one by one where wanted. A
// batch is delivered when the system took it whole, and fails for a time when the disk is full.
#include <charconv>
#include <filesystem>

#include "base/log.h"
#include "components/exporter/file/rotating_file.h"
#include "net/compression/compression.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde {
namespace {

using file_exporter::RotatingFile;
using file_exporter::Rotation;

struct Config {
  std::string path;
  std::string format = "json";
  std::string compression;
  std::optional<Rotation> rotation;
  bool append = false;
  bool create_directory = false;
  std::string directory_permissions;  // Empty: 0755.
  Duration flush_interval = std::chrono::seconds(1);
  config::Value group_by;
  std::string encoding;

  Result<uint32_t> permissions() const {
    if (directory_permissions.empty()) return 0755;
    uint32_t mode = 0;
    const char* const end = directory_permissions.data() + directory_permissions.size();
    const auto [at, error] = std::from_chars(directory_permissions.data(), end, mode, 8);
    if (error != std::errc() || at != end || mode > 0777)
      return fail(ErrorKind::Invalid, "directory_permissions: \"" + directory_permissions +
                                          "\" is no octal number up to 0777");
    return mode;
  }

  Result<> validate() const {
    if (path.empty()) return fail(ErrorKind::Invalid, "path: say where to write");
    if (append && rotation)
      return fail(ErrorKind::Invalid, "append and rotation do not go together");
    if (!encoding.empty())
      return fail(ErrorKind::Invalid, "encoding: there are no encoding extensions; use format");
    const config::Value* enabled = group_by.find("enabled");
    if (enabled && enabled->boolean)
      return fail(ErrorKind::Invalid, "group_by: not understood yet; leave it out");
    if (!directory_permissions.empty() && !create_directory)
      return fail(ErrorKind::Invalid, "directory_permissions needs create_directory to be true");
    (void)TRY(permissions());
    return {};
  }
};

constexpr auto kRotationFields = config::fields<Rotation>(
    config::field("max_megabytes", &Rotation::max_megabytes,
                  "How large the file grows before it is put aside.",
                  {.min = 1, .max = 1e9, .unit = "MiBy"}),
    config::field("max_days", &Rotation::max_days,
                  "How old what was put aside gets; 0: whatever its age.",
                  {.min = 0, .max = 100000}),
    config::field("max_backups", &Rotation::max_backups,
                  "How many are kept of what was put aside; 0: all.", {.min = 0}),
    config::field("localtime", &Rotation::localtime,
                  "Whether the time in their names is local and not UTC."));
constexpr auto kFields = config::fields<Config>(
    config::field("path", &Config::path, "The file.", {.required = true}),
    config::field("format", &Config::format, "Lines of JSON, or messages with their length.",
                  {.choices = "json|proto"}),
    config::field("compression", &Config::compression,
                  "Compresses each message, which then begins with its length.",
                  {.choices = "|zstd"}),
    config::field("rotation", &Config::rotation, kRotationFields.table(),
                  "When the file is put aside."),
    config::field("append", &Config::append, "Whether to add to what is there at the start."),
    config::field("create_directory", &Config::create_directory,
                  "Whether to make the folder of the file."),
    config::field("directory_permissions", &Config::directory_permissions,
                  "The mode of a folder that is made, in octal; empty: 0755."),
    config::field("flush_interval", &Config::flush_interval,
                  "Accepted for the Collector's sake; what is written is never held back.",
                  {.min = 0}),
    config::field("group_by", &Config::group_by, "A file for each value of an attribute: refused."),
    config::field("encoding", &Config::encoding, "An encoding extension: refused."));

class FileExporter final : public pipeline::Component {
 public:
  FileExporter(Config config, std::string_view id, pipeline::Outputs)
      : config_(std::move(config)),
        id_(id),
        lines_(config_.format == "json" && config_.compression.empty()) {}

  Result<> start(pipeline::Host& host) override {
    const auto folder = std::filesystem::path(config_.path).parent_path();
    std::error_code error;
    if (config_.create_directory && !folder.empty() &&
        std::filesystem::create_directories(folder, error)) {
      std::filesystem::permissions(
          folder, static_cast<std::filesystem::perms>(*config_.permissions()), error);
    }
    if (error)
      return fail(ErrorKind::Denied, folder.string() + ": cannot be made: " + error.message());
    host_ = &host;
    file_ = std::make_unique<RotatingFile>(config_.path, config_.rotation, host.clock());
    // Two that write one file at a time would write over each other.
    before_ = dynamic_cast<FileExporter*>(host.predecessor());
    if (before_ && before_->config_.path != config_.path) before_ = nullptr;
    return before_ ? Result<>{} : file_->open(config_.append);
  }

  void take_over(Component&) override {
    if (!before_) return;
    file_->take_over(*before_->file_);
    std::exchange(before_, nullptr)->after_ = this;
  }

  void consume(Batch batch) override {
    if (FileExporter* const other = before_ ? before_ : after_) {
      return other->consume(std::move(batch));
    }
    const size_t items = batch.items();
    auto written = write(batch);
    const bool good = written.has_value();
    pipeline::exporter_counter(good ? "otelcol_exporter_sent_" : "otelcol_exporter_send_failed_",
                               batch.signal, id_)
        .add(items);
    if (good != working_) {
      working_ = good;
      host_->report_status(good ? pipeline::Status::ok()
                                : pipeline::Status::recoverable(written.error()));
    }
    if (good) return batch.ack.deliver();
    log_warn("{}: {} items were not written: {}", id_, items, written.error().message);
    batch.ack.fail(at(id_, std::move(written.error())));
  }

 private:
  Result<> write(const Batch& batch) {
    message_.clear();
    if (!lines_) message_.resize(4);
    if (config_.format == "json") {
      const std::string json =
          TRY(wire::otlp_to_json(batch.signal, wire::OtlpBody::Request, batch.chunks));
      TRY(add(json));
    } else if (config_.compression.empty()) {
      for (const Bytes& chunk : batch.chunks) message_ += chunk.view();
    } else {
      message_ += TRY(net::compress(net::Encoding::Zstd, batch.chunks)).view();
    }
    if (lines_) {
      message_ += '\n';
    } else {
      const size_t size = message_.size() - 4;
      if (size > UINT32_MAX) return fail(ErrorKind::Exhausted, "a batch is larger than 4 GiB");
      for (size_t i = 0; i < 4; ++i) message_[i] = static_cast<char>(size >> (24 - 8 * i));
    }
    return file_->write(message_);
  }

  Result<> add(const std::string& json) {
    if (config_.compression.empty()) {
      message_ += json;
      return {};
    }
    const Bytes whole = Bytes::copy(json);
    message_ += TRY(net::compress(net::Encoding::Zstd, {&whole, 1})).view();
    return {};
  }

  const Config config_;
  const std::string id_;
  const bool lines_;
  pipeline::Host* host_ = nullptr;
  std::unique_ptr<RotatingFile> file_;
  // When the configuration is read again: whoever has the file open.
  FileExporter* before_ = nullptr;
  FileExporter* after_ = nullptr;
  bool working_ = true;
  std::string message_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, file) {
  using namespace sonde;
  return pipeline::make_type<FileExporter, Config>(
      {.kind = pipeline::Kind::Exporter,
       .name = "file",
       .summary = "Writes what comes to a file, as JSON or protobuf.",
       .in = pipeline::kAllSignals,
       .stability = "alpha"},
      kFields.table());
}
