// SPDX-License-Identifier: Apache-2.0
//
// The receiver `otlpjsonfile`: reads files of which each line is an OTLP request as JSON, such as
// the exporter file writes, and follows them as they grow, are put aside or begun anew. reader.h
// reads lines and sends them, tracker.h knows which file is which, position_store.h keeps how far
// each was read.
#include "components/receiver/otlpjsonfile/reader.h"

namespace sonde {
namespace {

class OtlpJsonFile final : public pipeline::Component {
 public:
  OtlpJsonFile(otlpjsonfile::Settings settings, std::string_view id, pipeline::Outputs outputs)
      : reader_(
            std::make_shared<otlpjsonfile::Reader>(std::move(settings), id, std::move(outputs))) {}
  Result<> start(pipeline::Host& host) override {
    const auto* before = dynamic_cast<OtlpJsonFile*>(host.predecessor());
    return reader_->start(host, before ? before->reader_.get() : nullptr);
  }
  void take_over(Component& old) override {
    reader_->take_over(*dynamic_cast<OtlpJsonFile&>(old).reader_);
  }
  void stop() override { reader_->stop(); }
  bool drained() const override { return reader_->drained(); }

 private:
  const std::shared_ptr<otlpjsonfile::Reader> reader_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(receiver, otlpjsonfile) {
  using namespace sonde;
  return pipeline::make_type<OtlpJsonFile, otlpjsonfile::Settings>(
      {.kind = pipeline::Kind::Receiver,
       .name = "otlpjsonfile",
       .aliases = {"otlp_json_file"},
       .summary = "Reads files of OTLP as lines of JSON.",
       .out = pipeline::kStableSignals,
       .stability = "alpha"},
      otlpjsonfile::settings_fields());
}
