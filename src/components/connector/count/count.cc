// SPDX-License-Identifier: Apache-2.0
//
// The connector `count`: counts spans, span events, metrics, data points and log records of each
// batch, by resource and by attributes where wanted, and gives the counts as delta sums. A batch is
// acknowledged as its counts are.
#include <algorithm>
#include <array>
#include <map>

#include "data/edit.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/match/condition.h"
#include "pipeline/match/setting_value.h"

namespace sonde {
namespace {

using pipeline::Condition;
using pipeline::ConditionContext;
using pipeline::ConditionSubject;

constexpr std::string_view kScope =
    "github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector";

// What the values that items are counted by may take, for all the items of a request and for the
// counts: so much, or so many times the bytes of the request.
constexpr size_t kMuch = size_t{256} << 20;
constexpr size_t kTimes = 16;
constexpr size_t kCount = 128;  // Of a count itself.

struct CountedAttribute {
  std::string key;
  config::Value default_value;
};
struct Metric {
  std::string description;
  std::vector<std::string> conditions;
  std::vector<CountedAttribute> attributes;
};
using Metrics = std::map<std::string, Metric>;

// What is not given counts under its usual name; what is given replaces that, even by nothing.
struct Config {
  std::optional<Metrics> spans, spanevents, metrics, datapoints, logs;

  Result<> validate() const;
};

constexpr auto kCountedAttributeFields = config::fields<CountedAttribute>(
    config::field("key", &CountedAttribute::key,
                  "An attribute of the item, else of its scope, else of its resource."),
    config::field("default_value", &CountedAttribute::default_value,
                  "What items count under that do not have it; they do not count without."));
constexpr auto kMetricFields = config::fields<Metric>(
    config::field("description", &Metric::description, "The description of the metric."),
    config::field("conditions", &Metric::conditions, "One of these must be met."),
    config::field("attributes", &Metric::attributes, kCountedAttributeFields.table(),
                  "Each combination of values has a count of its own."));
constexpr auto kFields = config::fields<Config>(
    config::field("spans", &Config::spans, kMetricFields.table(), "Metrics that count spans."),
    config::field("spanevents", &Config::spanevents, kMetricFields.table(),
                  "Metrics that count span events."),
    config::field("metrics", &Config::metrics, kMetricFields.table(),
                  "Metrics that count metrics. They have no attributes."),
    config::field("datapoints", &Config::datapoints, kMetricFields.table(),
                  "Metrics that count data points."),
    config::field("logs", &Config::logs, kMetricFields.table(), "Metrics that count records."));

// One metric, prepared, with its counts of the resource in hand by the bytes of their attributes.
struct Counter {
  struct Key {
    std::string key;
    std::optional<std::string> fallback;  // The bytes of an AnyValue.
  };
  std::string name;
  std::string description;
  std::vector<Condition> conditions;
  std::vector<Key> keys;
  std::map<std::string, int64_t, std::less<>> counts;
};

// What is counted of one kind of items, and when the items of the resource in hand were; those
// that no metric counts are among them, as in the Collector. Nanoseconds since 1970; 0: not known.
struct Tallied {
  std::vector<Counter> counters;
  uint64_t first = 0;
  uint64_t last = 0;

  void see(uint64_t time) {
    if (time == 0) return;
    first = first == 0 ? time : std::min(first, time);
    last = std::max(last, time);
  }
  void see(const MessageEdit& item, uint32_t time_field) {
    const auto field = item.field(time_field);
    if (field && field->type == proto::Type::Fixed64) see(field->value);
  }
};

Metrics usual(ConditionContext context) {
  switch (context) {
    case ConditionContext::Span:
      return {{"trace.span.count", {"The number of spans observed.", {}, {}}}};
    case ConditionContext::SpanEvent:
      return {{"trace.span.event.count", {"The number of span events observed.", {}, {}}}};
    case ConditionContext::Metric:
      return {{"metric.count", {"The number of metrics observed.", {}, {}}}};
    case ConditionContext::DataPoint:
      return {{"metric.datapoint.count", {"The number of data points observed.", {}, {}}}};
    case ConditionContext::Log:
      return {{"log.record.count", {"The number of log records observed.", {}, {}}}};
    case ConditionContext::Resource:
    case ConditionContext::Request:
      break;
  }
  return {};
}

Result<std::vector<Counter>> prepare(const std::optional<Metrics>& given,
                                     ConditionContext context) {
  const Metrics metrics = given ? *given : usual(context);
  std::vector<Counter> out;
  for (const auto& [name, metric] : metrics) {
    if (name.empty()) return fail(ErrorKind::Invalid, "a metric has no name");
    Counter counter{name, metric.description, {}, {}, {}};
    for (const std::string& text : metric.conditions) {
      auto condition = Condition::parse(text, context);
      if (!condition) return std::unexpected(at(name, std::move(condition.error())));
      counter.conditions.push_back(std::move(*condition));
    }
    if (context == ConditionContext::Metric && !metric.attributes.empty())
      return fail(ErrorKind::Invalid, name + ": metrics have no attributes");
    for (const CountedAttribute& attribute : metric.attributes) {
      if (attribute.key.empty())
        return fail(ErrorKind::Invalid, name + ": an attribute has no key");
      Counter::Key key{attribute.key, {}};
      const auto& value = attribute.default_value;
      if (!value.is_null() && !(value.type == config::Value::Type::String && value.text.empty()))
        key.fallback = TRY(pipeline::any_value_of(value));
      counter.keys.push_back(std::move(key));
    }
    out.push_back(std::move(counter));
  }
  return out;
}

Result<> Config::validate() const {
  const auto check = [](std::string_view name, const std::optional<Metrics>& metrics,
                        ConditionContext context) -> Result<> {
    if (auto made = prepare(metrics, context); !made)
      return std::unexpected(at(name, std::move(made.error())));
    return {};
  };
  TRY(check("spans", spans, ConditionContext::Span));
  TRY(check("spanevents", spanevents, ConditionContext::SpanEvent));
  TRY(check("metrics", metrics, ConditionContext::Metric));
  TRY(check("datapoints", datapoints, ConditionContext::DataPoint));
  return check("logs", logs, ConditionContext::Log);
}

// Walks a chunk and writes the counts of each resource when the next one begins.
class Tally final : public Editor {
 public:
  explicit Tally(const Config& config)
      : spans_{*prepare(config.spans, ConditionContext::Span)},
        events_{*prepare(config.spanevents, ConditionContext::SpanEvent)},
        metrics_{*prepare(config.metrics, ConditionContext::Metric)},
        points_{*prepare(config.datapoints, ConditionContext::DataPoint)},
        logs_{*prepare(config.logs, ConditionContext::Log)} {}

  // Whether whatever holds items of this signal counts as something.
  bool surely_counts(Signal signal) const {
    const auto any = [](const Tallied& tallied) {
      return std::ranges::any_of(tallied.counters, [](const Counter& counter) {
        return counter.conditions.empty() && std::ranges::all_of(counter.keys, [](const auto& key) {
                 return key.fallback.has_value();
               });
      });
    };
    switch (signal) {
      case Signal::Traces:
        return any(spans_);
      case Signal::Metrics:
        return any(metrics_) || any(points_);
      case Signal::Logs:
        return any(logs_);
      case Signal::Profiles:
        break;
    }
    return false;
  }

  void begin(uint64_t now_unix_ns, size_t bytes) {
    now_ = now_unix_ns;
    left_ = std::max(kMuch, kTimes * bytes);
    too_large_ = false;
    out_.clear();
    points_written_ = 0;
  }
  void flush() {
    std::string records;
    proto::Writer writer(records);
    for (Tallied* tallied : {&spans_, &events_, &metrics_, &points_, &logs_}) {
      for (Counter& counter : tallied->counters) put(counter, *tallied, writer);
      tallied->first = tallied->last = 0;
    }
    if (records.empty()) return;
    std::string scope;
    proto::Writer(scope).nested(otlp::scope_group::kScope,
                                [&] { proto::Writer(scope).bytes(otlp::scope::kName, kScope); });
    scope += records;
    std::string group;
    if (!resource_.empty()) {
      proto::Writer inner(group);
      inner.bytes(otlp::group::kResource, resource_);
    }
    proto::Writer(group).bytes(otlp::group::kScopes, scope);
    proto::Writer(out_).bytes(otlp::request::kGroups, group);
  }
  // The values of resources and scopes come so often that counting was given up.
  bool too_large() const { return too_large_; }
  std::string take() { return std::exchange(out_, {}); }
  size_t points_written() const { return points_written_; }

  bool resource(ResourceEdit& resource) override {
    flush();
    resource_.clear();
    // Its attributes alone: what else it says is of the items.
    proto::Reader reader(resource.message().original());
    proto::Field field;
    while (reader.next(field))
      if (field.number == otlp::resource::kAttributes) resource_ += field.raw;
    return true;
  }
  bool span(SpanEdit& span, Owners& owners) override {
    spans_.see(span.message(), otlp::span::kStart);
    spans_.see(span.message(), otlp::span::kEnd);
    count(spans_.counters, subject(span.message(), owners));
    if (events_.counters.empty()) return true;
    span.for_each_event([&](EventEdit& event) {
      events_.see(event.message(), otlp::event::kTime);
      count(events_.counters, subject(event.message(), owners));
      return true;
    });
    return true;
  }
  bool log(LogEdit& log, Owners& owners) override {
    logs_.see(log.message(), otlp::log::kTime);
    count(logs_.counters, subject(log.message(), owners));
    return true;
  }
  bool metric(MetricEdit& metric, Owners& owners) override {
    count(metrics_.counters, subject(metric.message(), owners));
    metric.for_each_point([&](PointEdit& point) {
      ConditionSubject of_point = subject(point.message(), owners);
      of_point.metric = &metric.message();
      points_.see(point.message(), otlp::point::kTime);
      count(points_.counters, of_point);
      return true;
    });
    return true;
  }

 private:
  static ConditionSubject subject(MessageEdit& item, Owners& owners) {
    return {.item = &item, .resource = &owners.resource.message(), .scope = &owners.scope};
  }

  void count(std::vector<Counter>& counters, const ConditionSubject& of) {
    for (Counter& counter : counters) {
      if (!counter.conditions.empty() &&
          std::ranges::none_of(counter.conditions, [&](Condition& c) { return c.matches(of); }))
        continue;
      if (!read_values(counter, of)) continue;
      const auto known = counter.counts.find(values_);
      if (known != counter.counts.end())
        ++known->second;
      else if (spend(values_.size() + kCount))
        counter.counts.emplace(values_, 1);
    }
  }

  bool spend(size_t bytes) {
    too_large_ = too_large_ || bytes > left_;
    if (!too_large_) left_ -= bytes;
    return !too_large_;
  }

  // The attributes of the count as fields of a data point; false where one is missing.
  bool read_values(const Counter& counter, const ConditionSubject& of) {
    values_.clear();
    if (counter.keys.empty()) return true;
    point_.open({}, otlp::number_point::kAttributes);
    for (const Counter::Key& key : counter.keys) {
      auto value = of.item->get(key.key);
      if (!value) value = of.scope->attributes().get(key.key);
      if (!value) value = of.resource->get(key.key);
      if (value && !spend(value->bytes().size())) return false;
      if (value)
        pipeline::set_attribute(point_, key.key, *value, scratch_);
      else if (key.fallback)
        point_.set_any(key.key, *key.fallback);
      else
        return false;
    }
    values_.resize(point_.encoded_size());
    point_.encode(values_.data());
    return true;
  }

  void put(Counter& counter, const Tallied& of, proto::Writer& writer) {
    if (counter.counts.empty()) return;
    const bool known = of.first != 0;
    writer.nested(otlp::scope_group::kRecords, [&] {
      writer.bytes(otlp::metric::kName, counter.name);
      if (!counter.description.empty())
        writer.bytes(otlp::metric::kDescription, counter.description);
      writer.nested(otlp::metric::kSum, [&] {
        for (const auto& [values, count] : counter.counts) {
          writer.nested(otlp::points::kPoints, [&] {
            writer.fixed64(otlp::point::kStart, known ? of.first : now_);
            writer.fixed64(otlp::point::kTime, known ? of.last : now_);
            writer.fixed64(otlp::number_point::kInt, static_cast<uint64_t>(count));
            writer.raw(values);
          });
          ++points_written_;
        }
        writer.varint(otlp::points::kTemporality, static_cast<uint64_t>(Temporality::Delta));
        writer.varint(otlp::points::kMonotonic, 1);
      });
    });
    counter.counts.clear();
  }

  Tallied spans_, events_, metrics_, points_, logs_;
  MessageEdit point_;
  uint64_t now_ = 0;
  std::string resource_;
  std::string values_;
  std::string scratch_;
  std::string out_;
  size_t points_written_ = 0;
  size_t left_ = 0;
  bool too_large_ = false;
};

// Asks for the room of the counts of a request: one small request, whatever is counted.
class CountsRoom final : public Gate {
 public:
  explicit CountsRoom(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  Result<> change(const Need& from, const Need& to) override {
    return gate_->change(counts_of(from), counts_of(to));
  }

 private:
  static Need counts_of(const Need& need) {
    return need.requests == 0 ? Need{} : Need{need.requests, need.requests, need.requests};
  }
  const std::shared_ptr<Gate> gate_;
};

class CountConnector final : public pipeline::Component {
 public:
  CountConnector(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : id_(id), outputs_(std::move(outputs)), tally_(config) {}

  Result<> start(pipeline::Host& host) override {
    clock_ = &host.clock();
    return {};
  }

  void gates(Signal signal, Gates& out) override {
    if (!tally_.surely_counts(signal)) return;
    Gates behind;
    outputs_.gates(Signal::Metrics, behind);
    for (auto& gate : behind) out.push_back(std::make_shared<CountsRoom>(std::move(gate)));
  }

  void consume(Batch batch) override {
    tally_.begin(static_cast<uint64_t>(clock_->unix_ns()), batch.bytes());
    for (const Bytes& chunk : batch.chunks) {
      if (auto walked = rewriter_.rewrite(batch.signal, chunk, tally_); !walked) {
        tally_.flush();
        pipeline::dropped_counter(id_, batch.signal, "malformed").add(batch.items());
        return batch.ack.fail(at(id_, std::move(walked.error())));
      }
      tally_.flush();
      if (!tally_.too_large()) continue;
      pipeline::dropped_counter(id_, batch.signal, "too_large").add(batch.items());
      return batch.ack.fail({ErrorKind::Invalid,
                             id_ + ": attributes to count by that are too large for so many items",
                             {}});
    }
    std::string counts = tally_.take();
    if (counts.empty()) return batch.ack.deliver();
    Batch out(Signal::Metrics, {Bytes::take(std::move(counts))}, std::move(batch.ack));
    out.set_items(tally_.points_written());
    out.context = batch.context;
    outputs_.send(std::move(out));
  }

 private:
  const std::string id_;
  const pipeline::Outputs outputs_;
  const Clock* clock_ = nullptr;
  Rewriter rewriter_;
  Tally tally_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(connector, count) {
  using namespace sonde;
  return pipeline::make_type<CountConnector, Config>(
      {.kind = pipeline::Kind::Connector,
       .name = "count",
       .summary = "Counts spans, events, metrics, data points and log records.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kMetrics,
       .placement = pipeline::Placement::Replicated,
       .stability = "alpha"},
      kFields.table());
}
