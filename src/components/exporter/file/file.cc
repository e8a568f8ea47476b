// SPDX-License-Identifier: Apache-2.0
//
// The exporter `file`: writes what comes to a file, or to a file for each value of an attribute, as
// message_writer.h says. A batch is delivered when the system took it whole, and fails for a time
// when the disk is full; then no part of it stays in any file.
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/log.h"
#include "components/exporter/file/grouped_files.h"
#include "components/exporter/file/message_writer.h"
#include "components/exporter/file/rotating_file.h"
#include "components/exporter/file/settings.h"
#include "data/attribute_view.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde {
namespace {

using file_exporter::GroupedFiles;
using file_exporter::RotatingFile;
using file_exporter::Settings;

class FileExporter final : public pipeline::Component {
 public:
  FileExporter(Settings settings, std::string_view id, pipeline::Outputs)
      : settings_(std::move(settings)), id_(id), writer_(settings_) {}

  Result<> start(pipeline::Host& host) override {
    host_ = &host;
    if (settings_.create_directory && !settings_.group_by.enabled) {
      const auto folder = std::filesystem::path(settings_.path).parent_path();
      TRY(file_exporter::make_folders(folder.string(), *settings_.permissions()));
    }
    // Two that write one file at a time would write over each other.
    before_ = dynamic_cast<FileExporter*>(host.predecessor());
    if (before_ && (before_->settings_.path != settings_.path ||
                    before_->settings_.group_by.enabled != settings_.group_by.enabled))
      before_ = nullptr;
    if (settings_.group_by.enabled) {
      groups_ = std::make_unique<GroupedFiles>(settings_, host.clock());
      return {};
    }
    file_ = std::make_unique<RotatingFile>(settings_.path, settings_.rotation, host.clock(),
                                           settings_.framing());
    return before_ ? Result<>{} : file_->open(settings_.append);
  }

  void take_over(Component&) override {
    if (!before_) return;
    if (groups_) {
      groups_->take_over(*before_->groups_);
    } else {
      file_->take_over(*before_->file_);
    }
    std::exchange(before_, nullptr)->after_ = this;
  }

  void consume(Batch batch) override {
    if (FileExporter* const other = before_ ? before_ : after_) {
      return other->consume(std::move(batch));
    }
    const size_t items = batch.items();
    Dropped nowhere;
    auto written =
        groups_ ? write_groups(batch, nowhere) : write(*file_, batch.signal, batch.chunks);
    const bool good = written.has_value();
    pipeline::exporter_counter(good ? "otelcol_exporter_sent_" : "otelcol_exporter_send_failed_",
                               batch.signal, id_)
        .add(good ? items - std::min(items, nowhere.total()) : items);
    if (good != working_) {
      working_ = good;
      host_->report_status(good ? pipeline::Status::ok()
                                : pipeline::Status::recoverable(written.error()));
    }
    if (good && nowhere.total() > 0) {
      for (const auto& [reason, count] : nowhere.items)
        pipeline::dropped_counter(id_, batch.signal, reason).add(count);
      if (nowhere.total() >= items) return batch.ack.drop(nowhere.items.begin()->first);
    }
    if (good) return batch.ack.deliver();
    log_warn("{}: {} items were not written: {}", id_, items, written.error().message);
    batch.ack.fail(at(id_, std::move(written.error())));
  }

 private:
  // What has no file to go to, by the reason.
  struct Dropped {
    std::map<std::string_view, size_t> items;
    size_t total() const {
      size_t sum = 0;
      for (const auto& [reason, count] : items) sum += count;
      return sum;
    }
  };
  static constexpr std::string_view kNoSegment = "no_path_segment";
  static constexpr std::string_view kBadPath = "bad_path";

  Result<> write(RotatingFile& file, Signal signal, std::span<const Bytes> chunks) {
    TRY(file.write(TRY(writer_.write(signal, chunks))));
    const auto& [folded, damaged] = writer_.changes();
    pipeline::count_changed_values(id_, signal, folded, damaged);
    return {};
  }

  Result<> write_groups(const Batch& batch, Dropped& nowhere) {
    std::map<std::string, std::string> groups;
    for (const Bytes& chunk : batch.chunks)
      TRY(deal_out(batch.signal, chunk.view(), groups, nowhere));
    // All or nothing: who is told that a batch failed sends all of it again.
    std::vector<std::pair<std::string, uint64_t>> done;
    size_t bad_paths = 0;
    std::string first_bad;
    for (const auto& [path, body] : groups) {
      const Bytes whole = Bytes::copy(body);
      auto file = groups_->file(path);
      auto written = file ? write(**file, batch.signal, {&whole, 1})
                          : Result<>(std::unexpected(std::move(file.error())));
      if (written) {
        done.emplace_back(path, (*file)->last_message());
        continue;
      }
      // A name that no file can have will not become better by trying again.
      if (written.error().kind == ErrorKind::Invalid) {
        if (bad_paths++ == 0) first_bad = printable(written.error().message);
        nowhere.items[kBadPath] += count_records(batch.signal, body);
        continue;
      }
      for (const auto& [other, size] : done) {
        if (auto open = groups_->file(other); !open || !(*open)->cut(size))
          log_error("{}: {}: what failed elsewhere could not be cut off", id_, other);
      }
      return written;
    }
    // Once, for a peer may send very many.
    if (bad_paths > 0)
      log_warn("{}: no file can be had for {} resources; of the first: {}", id_, bad_paths,
               first_bad);
    return {};
  }
  // A peer that chose the path must not write lines of the log, nor to the terminal.
  static std::string printable(std::string text) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
    }
    return text;
  }

  // Adds each resource of the chunk to the request of its file.
  Result<> deal_out(Signal signal, std::string_view chunk,
                    std::map<std::string, std::string>& groups, Dropped& nowhere) const {
    proto::Reader reader(chunk);
    proto::Field field;
    std::string dictionary;
    while (reader.next(field)) {
      if (field.number == otlp::request::kDictionary) dictionary += field.raw;
      if (field.number != otlp::request::kGroups || field.type != proto::Type::Bytes) continue;
      const auto segment = segment_of(field.bytes);
      const auto path =
          segment ? groups_->path_of(*segment) : Result<std::string>(fail(ErrorKind::NotFound, ""));
      if (path) {
        groups[*path] += field.raw;
      } else {
        nowhere.items[segment ? kBadPath : kNoSegment] += count_records(signal, field.raw);
      }
    }
    if (!reader.ok()) return fail(ErrorKind::Invalid, "the request does not parse");
    // All of a request of profiles points into it, and such a request is the only chunk.
    if (signal == Signal::Profiles)
      for (auto& [path, body] : groups) body += dictionary;
    return {};
  }

  std::optional<std::string_view> segment_of(std::string_view group) const {
    proto::Reader reader(group);
    proto::Field field;
    while (reader.next(field)) {
      if (field.number != otlp::group::kResource || field.type != proto::Type::Bytes) continue;
      const AttributesView attributes(field.bytes, otlp::resource::kAttributes);
      const auto value = attributes.find(settings_.group_by.resource_attribute);
      if (value) return value->is_string() ? std::optional(value->as_string()) : std::nullopt;
    }
    return std::nullopt;
  }

  const Settings settings_;
  const std::string id_;
  file_exporter::MessageWriter writer_;
  pipeline::Host* host_ = nullptr;
  std::unique_ptr<RotatingFile> file_;    // Without group_by.
  std::unique_ptr<GroupedFiles> groups_;  // With it.
  // When the configuration is read again: whoever has the files open.
  FileExporter* before_ = nullptr;
  FileExporter* after_ = nullptr;
  bool working_ = true;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, file) {
  using namespace sonde;
  return pipeline::make_type<FileExporter, file_exporter::Settings>(
      {.kind = pipeline::Kind::Exporter,
       .name = "file",
       .summary = "Writes what comes to files, as JSON or protobuf.",
       .in = pipeline::kAllSignals,
       .stability = "alpha"},
      file_exporter::settings_fields());
}
