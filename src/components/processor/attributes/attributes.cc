// SPDX-License-Identifier: Apache-2.0
//
// The processor `attributes`: applies actions to the attributes of spans, log records and data
// points that `include` and `exclude` select. The actions and the selection are those of
// pipeline/match; the attributes of resources are the processor resource's.
#include "pipeline/editing_processor.h"
#include "pipeline/match/attribute_actions.h"
#include "pipeline/match/item_match.h"

namespace sonde {
namespace {

using pipeline::AttributeActions;
using pipeline::ItemSelector;

struct Config {
  pipeline::MatchSettings match;
  std::vector<pipeline::AttributeAction> actions;

  Result<> validate() const {
    if (actions.empty()) return fail(ErrorKind::Invalid, "actions: give at least one");
    (void)TRY(AttributeActions::make(actions));
    (void)TRY(ItemSelector::make(match));
    return {};
  }
  Result<> validate_for(Signal signal) const { return ItemSelector::fits(match, signal); }
};

constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::match, pipeline::kMatchFields.table()),
    config::field("actions", &Config::actions, pipeline::kAttributeActionFields.table(),
                  "What is done to the attributes, in this order."));

class AttributesProcessor final : public pipeline::EditingProcessor {
 public:
  AttributesProcessor(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : EditingProcessor(id, outputs),
        actions_(*AttributeActions::make(config.actions)),
        selector_(*ItemSelector::make(config.match)) {}

 private:
  bool span(SpanEdit& span, Owners& owners) override {
    if (selector_.selects(span, owners)) actions_.apply(span.attributes(), context());
    return true;
  }
  bool log(LogEdit& log, Owners& owners) override {
    if (selector_.selects(log, owners)) actions_.apply(log.attributes(), context());
    return true;
  }
  bool metric(MetricEdit& metric, Owners& owners) override {
    if (!selector_.selects(metric, owners)) return true;
    metric.for_each_point([&](PointEdit& point) {
      actions_.apply(point.attributes(), context());
      return true;
    });
    return true;
  }

  AttributeActions actions_;
  ItemSelector selector_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, attributes) {
  using namespace sonde;
  return pipeline::make_type<AttributesProcessor, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "attributes",
       .summary = "Changes the attributes of spans, log records and data points.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
