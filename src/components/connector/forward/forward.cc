// SPDX-License-Identifier: Apache-2.0
//
// The connector `forward`: gives what one pipeline ends with to other pipelines of the same signal,
// to merge pipelines or to split one. The batch goes through as it is, acknowledgement and all.
#include "pipeline/component.h"

namespace sonde {
namespace {

struct Config {};
constexpr auto kFields = config::fields<Config>();

class ForwardConnector final : public pipeline::Component {
 public:
  ForwardConnector(const Config&, std::string_view, pipeline::Outputs outputs)
      : outputs_(std::move(outputs)) {}
  void gates(Signal signal, Gates& out) override { outputs_.gates(signal, out); }
  void consume(Batch batch) override { outputs_.send(std::move(batch)); }
  bool looks_inside() const override { return outputs_.look_inside(); }

 private:
  const pipeline::Outputs outputs_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(connector, forward) {
  using namespace sonde;
  return pipeline::make_type<ForwardConnector, Config>(
      {.kind = pipeline::Kind::Connector,
       .name = "forward",
       .summary = "Gives what one pipeline ends with to others.",
       .in = pipeline::kAllSignals,
       .out = pipeline::kAllSignals,
       .same_signal = true,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
