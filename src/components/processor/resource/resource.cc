// SPDX-License-Identifier: Apache-2.0
//
// The processor `resource`: applies actions to the attributes of every resource. It never looks at
// the items, so its cost hangs on the number of resources.
#include "pipeline/editing_processor.h"
#include "pipeline/match/attribute_actions.h"

namespace sonde {
namespace {

struct Config {
  std::vector<pipeline::AttributeAction> attributes;

  Result<> validate() const {
    if (attributes.empty()) return fail(ErrorKind::Invalid, "attributes: give at least one");
    (void)TRY(pipeline::AttributeActions::make(attributes));
    return {};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("attributes", &Config::attributes, pipeline::kAttributeActionFields.table(),
                  "What is done to the attributes, in this order."));

class ResourceProcessor final : public pipeline::EditingProcessor {
 public:
  ResourceProcessor(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : EditingProcessor(id, outputs),
        actions_(*pipeline::AttributeActions::make(config.attributes)) {}

 private:
  Depth depth() const override { return Depth::Resources; }
  bool resource(ResourceEdit& resource) override {
    actions_.apply(resource.attributes(), context());
    return true;
  }

  pipeline::AttributeActions actions_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, resource) {
  using namespace sonde;
  return pipeline::make_type<ResourceProcessor, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "resource",
       .summary = "Changes the attributes of resources.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
