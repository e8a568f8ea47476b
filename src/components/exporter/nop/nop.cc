// SPDX-License-Identifier: Apache-2.0
//
// The exporter `nop`: takes everything, keeps nothing and counts nothing as sent. For measuring
// what lies before it, and for pipelines whose connectors are all that is wanted.
#include "pipeline/component.h"

namespace sonde {
namespace {

struct Config {};
constexpr auto kFields = config::fields<Config>();

class NopExporter final : public pipeline::Component {
 public:
  NopExporter(const Config&, std::string_view, pipeline::Outputs) {}
  void consume(Batch batch) override { batch.ack.deliver(); }
  bool looks_inside() const override { return false; }
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, nop) {
  using namespace sonde;
  return pipeline::make_type<NopExporter, Config>({.kind = pipeline::Kind::Exporter,
                                                   .name = "nop",
                                                   .summary = "Takes everything and keeps nothing.",
                                                   .in = pipeline::kAllSignals,
                                                   .placement = pipeline::Placement::Replicated,
                                                   .stability = "beta"},
                                                  kFields.table());
}
