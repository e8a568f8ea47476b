// SPDX-License-Identifier: Apache-2.0
//
// The connector `round_robin`: gives each batch to the next of the pipelines that begin with it, to
// spread work that one pipeline cannot do. It does not look at what became of the last one.
#include "pipeline/component.h"

namespace sonde {
namespace {

struct Config {};
constexpr auto kFields = config::fields<Config>();

class RoundRobinConnector final : public pipeline::Component {
 public:
  RoundRobinConnector(const Config&, std::string_view, const pipeline::Outputs& outputs) {
    for (const pipeline::PipelineOutput& output : outputs.pipelines) sinks_.push_back(output.sink);
  }

  void consume(Batch batch) override {
    if (sinks_.empty()) return batch.ack.drop("nobody_wants_it");
    Sink* const sink = sinks_[next_];
    next_ = (next_ + 1) % sinks_.size();
    sink->consume(std::move(batch));
  }

 private:
  std::vector<Sink*> sinks_;
  size_t next_ = 0;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(connector, round_robin) {
  using namespace sonde;
  return pipeline::make_type<RoundRobinConnector, Config>(
      {.kind = pipeline::Kind::Connector,
       .name = "round_robin",
       .aliases = {"roundrobin"},
       .summary = "Gives each batch to the next of its pipelines.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .same_signal = true,
       .stability = "beta"},
      kFields.table());
}
