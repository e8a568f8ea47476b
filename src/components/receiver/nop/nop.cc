// SPDX-License-Identifier: Apache-2.0
//
// The receiver `nop`: gives nothing. For configurations that must have a receiver.
#include "pipeline/component.h"

namespace sonde {
namespace {

struct Config {};
constexpr auto kFields = config::fields<Config>();

class NopReceiver final : public pipeline::Component {
 public:
  NopReceiver(const Config&, std::string_view, pipeline::Outputs) {}
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(receiver, nop) {
  using namespace sonde;
  return pipeline::make_type<NopReceiver, Config>({.kind = pipeline::Kind::Receiver,
                                                   .name = "nop",
                                                   .summary = "Gives nothing.",
                                                   .out = pipeline::kAllSignals,
                                                   .stability = "beta"},
                                                  kFields.table());
}
