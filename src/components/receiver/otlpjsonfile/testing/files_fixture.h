// SPDX-License-Identifier: Apache-2.0
// For tests: a folder of files, a receiver that reads them, and a storage for it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/testing/temporary_directory.h"
#include "net/compression/compression.h"
#include "pipeline/test_component.h"
#include "pipeline/testing/folder_storage.h"

const sonde::pipeline::ComponentType& sonde_component_receiver_otlpjsonfile();

namespace sonde {

// Holds what it is given until it is told how it ends.
struct Holding final : Sink {
  void consume(Batch batch) override { held.push_back(std::move(batch)); }
  std::deque<Batch> held;
};

class Files : public testing::Test {
 protected:
  ~Files() override { stop(); }

  std::string settings(std::string_view more) const {
    return "{include: ['" + (folder_ / "**").string() + "'], include_file_name: false" +
           (more.empty() ? "" : ", ") + std::string(more) + "}";
  }
  void start(std::string_view more = "start_at: beginning") {
    receiver_ = std::make_unique<Running>();
    auto made =
        pipeline::TestComponent::make(sonde_component_receiver_otlpjsonfile(), settings(more),
                                      {&receiver_->sink, &receiver_->sink, &receiver_->sink});
    ASSERT_TRUE(made) << made.error().message;
    receiver_->component = std::move(*made);
    receiver_->host.extensions["file_storage"] = &storage_;
    const auto started = receiver_->component->start(receiver_->host);
    ASSERT_TRUE(started) << started.error().message;
  }
  void stop() {
    if (receiver_ && receiver_->component) receiver_->component->stop();
    receiver_.reset();
  }
  static std::string line(std::string_view body) {
    // The beginnings of all lines are the same for more than a fingerprint, as those of one
    // program are.
    return R"({"resourceLogs":[{"resource":{"attributes":[{"key":"k","value":{"stringValue":")" +
           std::string(1200, 'r') +
           R"("}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":")" + std::string(body) +
           R"("}}]}]}]})" + "\n";
  }
  void append(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name) << text;
  }
  void copy(const std::string& from, const std::string& to) const {
    std::filesystem::copy_file(folder_ / from, folder_ / to);
  }
  void rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(folder_ / from, folder_ / to);
  }
  static std::string gzip(std::string_view text) {
    const Bytes whole = Bytes::copy(text);
    return std::string(net::compress(net::Encoding::Gzip, {&whole, 1})->view());
  }
  // The bodies that came within this time, in their order by name.
  std::string bodies(Duration time = std::chrono::seconds(1)) {
    receiver_->host.scheduler().advance(time);
    std::vector<std::string> found;
    for (const Batch& batch : receiver_->sink.batches) {
      const std::string text = to_text(batch);
      for (size_t at = text.find("body: \""); at != text.npos; at = text.find("body: \"", at + 1))
        found.push_back(text.substr(at + 7, text.find('"', at + 7) - at - 7));
    }
    receiver_->sink.batches.clear();
    std::ranges::sort(found);
    std::string out;
    for (const std::string& body : found) out += body + " ";
    return out;
  }

  struct Running {
    pipeline::TestHost host;
    pipeline::CollectingSink sink;
    std::unique_ptr<pipeline::Component> component;
  };
  TemporaryDirectory directory_;
  TemporaryDirectory stored_;
  pipeline::FolderStorage storage_{stored_.path()};
  const std::filesystem::path folder_ = directory_.path();
  std::unique_ptr<Running> receiver_;
};

}  // namespace sonde
