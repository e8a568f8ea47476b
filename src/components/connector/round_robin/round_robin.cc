// SPDX-License-Identifier: Apache-2.0
//
// The connector `round_robin`: gives each batch to the next of the pipelines that begin with it, to
// spread work that one pipeline cannot do. It does not look at what became of the last one.
#include <array>

#include "pipeline/component.h"

namespace sonde {
namespace {

struct Config {};
constexpr auto kFields = config::fields<Config>();

class RoundRobinConnector final : public pipeline::Component {
 public:
  RoundRobinConnector(const Config&, std::string_view, const pipeline::Outputs& outputs) {
    for (const pipeline::PipelineOutput& output : outputs.pipelines)
      turns_[static_cast<size_t>(output.signal)].sinks.push_back(output.sink);
  }

  void consume(Batch batch) override {
    Turn& turn = turns_[static_cast<size_t>(batch.signal)];
    if (turn.sinks.empty()) return batch.ack.drop("nobody_wants_it");
    Sink* const sink = turn.sinks[turn.next];
    turn.next = (turn.next + 1) % turn.sinks.size();
    sink->consume(std::move(batch));
  }

 private:
  struct Turn {
    std::vector<Sink*> sinks;
    size_t next = 0;
  };
  std::array<Turn, 3> turns_;
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
       .in = pipeline::kAllSignals,
       .out = pipeline::kAllSignals,
       .same_signal = true,
       .stability = "beta"},
      kFields.table());
}
