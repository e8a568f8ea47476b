// SPDX-License-Identifier: Apache-2.0
//
// The processor `groupbyattrs`: moves attributes from items to their resource and brings together
// what then has equal resources, scopes and metrics. Without keys it only brings together.
#include <algorithm>

#include "base/counters.h"
#include "base/memory_ledger.h"
#include "components/processor/groupbyattrs/regroup.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde {
namespace {

// A request that takes more than both, this and so many times its bytes, would hold up the shard.
constexpr size_t kMuch = size_t{256} << 20;
constexpr size_t kGrowth = 8;

struct Config {
  std::vector<std::string> keys;
};

constexpr auto kFields = config::fields<Config>(
    config::field("keys", &Config::keys,
                  "The attributes that move; without any, equal resources are only joined."));

class GroupByAttrs final : public pipeline::Component {
 public:
  GroupByAttrs(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : id_(id), outputs_(outputs) {
    // A key that comes twice would find its attribute gone.
    for (const std::string& key : config.keys)
      if (!key.empty() && std::ranges::find(keys_, key) == keys_.end()) keys_.push_back(key);
  }

  void gates(Signal signal, Gates& out) override { outputs_.gates(signal, out); }
  void consume(Batch batch) override {
    const MemoryLedger& ledger = MemoryLedger::process();
    const size_t room = ledger.room();
    const size_t most = std::min(room, std::max(kMuch, kGrowth * batch.bytes()));
    groupbyattrs::Regroup regroup(batch.signal, keys_, most);
    for (const Bytes& chunk : batch.chunks) {
      if (auto added = regroup.add(chunk.view()); !added)
        return refuse(std::move(batch), std::move(added.error()),
                      most < room || room > ledger.budget() / 2);
    }
    count("otelcol_processor_groupbyattrs_num_grouped_", batch.signal, regroup.grouped);
    count("otelcol_processor_groupbyattrs_num_non_grouped_", batch.signal, regroup.ungrouped);
    const size_t items = regroup.grouped + regroup.ungrouped;
    if (items == 0) return batch.ack.deliver();
    Batch next = std::move(batch).with(regroup.build());
    next.set_items(items);
    outputs_.send(std::move(next));
  }

 private:
  // What does not fit while more than half of the memory is free is not worth another attempt.
  void refuse(Batch batch, Error error, bool never_fits) {
    std::string_view reason = "malformed";
    if (error.kind == ErrorKind::Exhausted) {
      reason = never_fits ? "too_large" : "memory_limit";
      if (never_fits) {
        error.kind = ErrorKind::Invalid;
      } else {
        error.retry_after = std::chrono::seconds(1);
      }
    }
    pipeline::dropped_counter(id_, batch.signal, reason).add(batch.items());
    batch.ack.fail(at(id_, std::move(error)));
  }

  void count(std::string_view prefix, Signal signal, size_t items) const {
    const std::string_view word = signal == Signal::Traces ? "spans" : to_string(signal);
    counter(std::string(prefix) + std::string(word), "Items by whether they had one of the keys.",
            {{"processor", id_}})
        .add(items);
  }

  const std::string id_;
  std::vector<std::string> keys_;
  const pipeline::Outputs outputs_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, groupbyattrs) {
  using namespace sonde;
  return pipeline::make_type<GroupByAttrs, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "groupbyattrs",
       .summary = "Moves attributes from items to their resource, and joins equal resources.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
