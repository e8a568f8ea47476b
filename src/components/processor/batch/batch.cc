// SPDX-License-Identifier: Apache-2.0
//
// The processor `batch`: gathers items until there are enough or long enough has passed, by the
// values of request metadata where told so. Like the Collector's it acknowledges what it takes at
// once, so what it holds is at risk, which a gauge shows, and what the pipeline behind it refuses
// is lost and counted. It joins lists of chunks and copies bytes only where a batch must be cut.
// What there is no memory to cut is refused before, and what takes long goes on in later turns of
// the loop.
#include <algorithm>
#include <deque>
#include <map>

#include "base/ascii.h"
#include "base/counters.h"
#include "base/log.h"
#include "data/count.h"
#include "data/valid.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/split_items.h"

namespace sonde {
namespace {

struct Config {
  Duration timeout = std::chrono::milliseconds(200);
  uint32_t send_batch_size = 8192;
  uint32_t send_batch_max_size = 0;
  std::vector<std::string> metadata_keys;
  uint32_t metadata_cardinality_limit = 1000;

  Result<> validate() const {
    if (send_batch_max_size > 0 && send_batch_max_size < send_batch_size) {
      return fail(ErrorKind::Invalid,
                  "send_batch_max_size: it must be 0 or at least send_batch_size");
    }
    std::vector<std::string> keys = lower_keys();
    std::ranges::sort(keys);
    if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end())
      return fail(ErrorKind::Invalid, "metadata_keys: \"" + *twice + "\" comes twice");
    return {};
  }

  std::vector<std::string> lower_keys() const {
    std::vector<std::string> keys = metadata_keys;
    for (std::string& key : keys) key = lower(key);
    return keys;
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("timeout", &Config::timeout,
                  "How long items wait at most; 0 sends at once, cut to send_batch_max_size.",
                  {.min = 0}),
    config::field("send_batch_size", &Config::send_batch_size,
                  "How many items are enough to send; 0 sends at once."),
    config::field("send_batch_max_size", &Config::send_batch_max_size,
                  "How many items a batch has at most; 0: any number."),
    config::field("metadata_keys", &Config::metadata_keys,
                  "Names of request metadata: each combination of values is batched apart."),
    config::field("metadata_cardinality_limit", &Config::metadata_cardinality_limit,
                  "How many combinations there may be; more are refused. 0: any number."));

// How much one turn of the loop sends, in bytes, so that others have theirs: some tens of
// milliseconds. A batch counts as so many bytes more, for what it costs those behind.
constexpr size_t kTurn = size_t{64} << 20;
constexpr size_t kPerBatch = size_t{16} << 10;

using Metadata = std::vector<std::pair<std::string, std::string>>;

class BatchProcessor final : public pipeline::Component {
 public:
  BatchProcessor(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : config_(config),
        keys_(config.lower_keys()),
        id_(id),
        outputs_(outputs),
        by_size_(count("otelcol_processor_batch_batch_size_trigger_send",
                       "Batches that were sent because they were large enough.")),
        by_time_(count("otelcol_processor_batch_timeout_trigger_send",
                       "Batches that were sent because they were old enough.")),
        sent_batches_(
            count("otelcol_processor_batch_batch_send_size_count", "Batches that were sent.")),
        sent_items_(count("otelcol_processor_batch_batch_send_size_sum",
                          "Items in the batches that were sent.")),
        cardinality_(gauge("otelcol_processor_batch_metadata_cardinality",
                           "Combinations of metadata that are batched apart.",
                           {{"processor", id_}})),
        at_risk_(gauge("sonde_at_risk_items",
                       "Items that were acknowledged and are held in memory only.",
                       {{"processor", id_}})),
        held_bytes_(pipeline::holder_gauge("batch", id_, "")) {}

  Result<> start(pipeline::Host& host) override {
    scheduler_ = &host.scheduler();
    return {};
  }

  void stop() override {
    for (auto& [key, group] : groups_)
      while (group.items > 0) send(group, group.items, by_time_);
    for (auto& [key, group] : groups_) scheduler_->cancel(group.timer);
    stopped_ = true;
  }

  // What is refused behind it is lost, so senders are asked to wait before.
  void gates(Signal signal, Gates& out) override { outputs_.gates(signal, out); }

  void consume(Batch batch) override {
    const size_t items = batch.items();
    // The requests of several senders go on as one, which is refused as a whole behind.
    if (auto checked = validate(batch); !checked) {
      pipeline::dropped_counter(id_, batch.signal, "malformed").add(items);
      return batch.ack.fail(at(id_, std::move(checked.error())));
    }
    Group* group = group_of(batch);
    if (!group) {
      pipeline::dropped_counter(id_, batch.signal, "metadata_cardinality").add(items);
      return batch.ack.fail({ErrorKind::Invalid,
                             id_ + ": there are more than " +
                                 std::to_string(config_.metadata_cardinality_limit) +
                                 " combinations of request metadata; raise "
                                 "metadata_cardinality_limit or name fewer metadata_keys",
                             {}});
    }
    if (items == 0) return batch.ack.deliver();
    if (auto checked = check_room(*group, batch, items); !checked) {
      const bool large = checked.error().kind == ErrorKind::Invalid;
      pipeline::dropped_counter(id_, batch.signal, large ? "too_large" : "memory_limit").add(items);
      return batch.ack.fail(at(id_, std::move(checked.error())));
    }
    batch.ack.deliver();
    signal_ = batch.signal;
    group->items += items;
    at_risk_.add(static_cast<double>(items));
    held_bytes_.add(static_cast<double>(batch.bytes()));
    if (batch.chunks.size() == 1) {
      group->pieces.push_back({std::move(batch.chunks[0]), items});
    } else {
      for (Bytes& chunk : batch.chunks) {
        const size_t held = count_records(batch.signal, chunk.view());
        group->pieces.push_back({std::move(chunk), held});
      }
    }
    send_due(*group);
  }

 private:
  struct Group {
    std::shared_ptr<const RequestContext> context;
    std::deque<Piece> pieces;
    size_t items = 0;
    TimerId timer = 0;
  };

  Counter& count(std::string_view name, std::string_view help) {
    return counter(name, help, {{"processor", id_}});
  }

  // Null where one more combination would be too many.
  Group* group_of(const Batch& batch) {
    if (keys_.empty()) return &groups_[{}];
    Metadata values;
    if (batch.context) {
      for (const std::string& key : keys_)
        for (const auto& pair : batch.context->metadata)
          if (pair.first == key) values.push_back(pair);
    }
    if (const auto at = groups_.find(values); at != groups_.end()) return &at->second;
    if (config_.metadata_cardinality_limit != 0 &&
        groups_.size() >= config_.metadata_cardinality_limit)
      return nullptr;
    Group& group = groups_[values];
    auto context = std::make_shared<RequestContext>();
    context->metadata = std::move(values);
    group.context = std::move(context);
    cardinality_.set(static_cast<double>(groups_.size()));
    return &group;
  }

  // Whether there is memory for the parts that a batch is cut into.
  Result<> check_room(const Group& group, const Batch& batch, size_t items) const {
    const size_t most = config_.send_batch_max_size;
    const size_t space = most == 0 ? 0 : most - group.items % most;
    if (most == 0 || items <= space) return {};
    return check_cut(batch, items, {.items = space}, {.items = most});
  }

  bool due(const Group& group) const {
    const bool waits = config_.timeout > Duration::zero() && config_.send_batch_size > 0;
    return group.items > 0 && (!waits || stopped_ || group.items >= config_.send_batch_size);
  }

  void send_due(Group& group) {
    for (size_t sent = 0; due(group) && sent < kTurn;) {
      sent += kPerBatch + send(group, group.items, by_size_);
      scheduler_->cancel(std::exchange(group.timer, 0));
    }
    if (group.items > 0 && group.timer == 0) arm(group);
  }

  // What is due and still here waits for the next turn only.
  void arm(Group& group) {
    const Duration wait = due(group) ? Duration::zero() : config_.timeout;
    group.timer = scheduler_->after(wait, [this, &group] {
      group.timer = 0;
      if (due(group)) return send_due(group);
      if (group.items > 0) send(group, group.items, by_time_);
      if (group.items > 0) arm(group);
    });
  }

  // Sends up to `items` of the group, or as many as a batch may have. Returns their bytes.
  size_t send(Group& group, size_t items, Counter& trigger) {
    const size_t most = config_.send_batch_max_size;
    if (most == 0 || items <= most) {
      std::deque<Piece> pieces = std::exchange(group.pieces, {});
      return pass_on(group, std::move(pieces), trigger);
    }
    std::deque<Piece> pieces;
    size_t taken = 0;
    size_t at = 0;
    for (; at < group.pieces.size() && taken < most; ++at) {
      Piece& piece = group.pieces[at];
      if (taken + piece.items > most) {
        cut(group, at, most - taken);
        if (group.pieces[at].items > most - taken) break;
      }
      taken += group.pieces[at].items;
      pieces.push_back(std::move(group.pieces[at]));
    }
    group.pieces.erase(group.pieces.begin(), group.pieces.begin() + static_cast<ptrdiff_t>(at));
    return pass_on(group, std::move(pieces), trigger);
  }

  // Puts the pieces that piece `at` is cut into in its place.
  void cut(Group& group, size_t at, size_t first) {
    auto parts = split_items(signal_, group.pieces[at].chunk, {.items = first},
                             {.items = config_.send_batch_max_size});
    if (!parts || parts->empty()) {
      // What cannot be read cannot be cut: it goes on as it is, for the next one to judge.
      group.items -= group.pieces[at].items;
      at_risk_.add(-static_cast<double>(group.pieces[at].items));
      group.pieces[at].items = 0;
      return;
    }
    held_bytes_.add(-static_cast<double>(group.pieces[at].chunk.size()));
    for (const Piece& part : *parts) held_bytes_.add(static_cast<double>(part.chunk.size()));
    group.pieces[at] = std::move(parts->front());
    group.pieces.insert(group.pieces.begin() + static_cast<ptrdiff_t>(at) + 1,
                        std::make_move_iterator(parts->begin() + 1),
                        std::make_move_iterator(parts->end()));
  }

  size_t pass_on(Group& group, std::deque<Piece> pieces, Counter& trigger) {
    size_t items = 0;
    size_t bytes = 0;
    std::vector<Bytes> chunks;
    chunks.reserve(pieces.size());
    for (Piece& piece : pieces) {
      items += piece.items;
      bytes += piece.chunk.size();
      chunks.push_back(std::move(piece.chunk));
    }
    group.items -= items;
    at_risk_.add(-static_cast<double>(items));
    held_bytes_.add(-static_cast<double>(bytes));
    trigger.add();
    sent_batches_.add();
    sent_items_.add(items);
    Batch batch(signal_, std::move(chunks), watch(items));
    batch.set_items(items);
    batch.context = group.context;
    outputs_.send(std::move(batch));
    return bytes;
  }

  // Nobody waits any more for what is sent from here: a failure behind is told and counted here.
  Ack watch(size_t items) {
    return Ack::make(nullptr, [id = id_, signal = signal_, items](const Outcome& outcome) {
      if (outcome.kind != Outcome::Failed) return;
      const uint64_t lost =
          outcome.rejected > 0 ? std::min<uint64_t>(outcome.rejected, items) : items;
      pipeline::dropped_counter(id, signal, "refused_behind").add(lost);
      log_warn("{}: {} items were refused behind it and are lost: {}", id, lost,
               outcome.error.message);
    });
  }

  const Config config_;
  const std::vector<std::string> keys_;
  const std::string id_;
  const pipeline::Outputs outputs_;
  Counter& by_size_;
  Counter& by_time_;
  Counter& sent_batches_;
  Counter& sent_items_;
  Gauge& cardinality_;
  Gauge& at_risk_;
  Gauge& held_bytes_;
  Scheduler* scheduler_ = nullptr;
  Signal signal_ = Signal::Traces;
  std::map<Metadata, Group> groups_;
  bool stopped_ = false;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, batch) {
  using namespace sonde;
  return pipeline::make_type<BatchProcessor, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "batch",
       .summary = "Gathers items into larger batches.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .stability = "beta"},
      kFields.table());
}
