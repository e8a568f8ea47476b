// SPDX-License-Identifier: Apache-2.0
//
// The connector `routing`: deals data out to pipelines by conditions. Rows of the table are asked
// in their order; what a row matches leaves (or is copied), and what no row takes goes to the
// default pipelines. A part is cut out by an editor that keeps what matches, and the rest by one
// that drops it, so what matches wholly or not at all keeps its bytes.
#include "base/counters.h"
#include "data/edit.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/match/condition.h"

namespace sonde {
namespace {

using pipeline::Condition;
using pipeline::ConditionContext;
using pipeline::ConditionSubject;

struct Row {
  std::string context = "resource";
  std::string condition;
  std::string statement;
  std::string action = "move";
  std::vector<std::string> pipelines;
};

// `route()` and `route() where CONDITION` are conditions as well.
Result<std::string> condition_text(const Row& row) {
  if (row.condition.empty() == row.statement.empty())
    return fail(ErrorKind::Invalid, "give either condition or statement");
  if (!row.condition.empty()) return row.condition;
  if (row.context == "request")
    return fail(ErrorKind::Invalid, "context request takes a condition, not a statement");
  std::string_view text = row.statement;
  constexpr std::string_view kRoute = "route()";
  if (text == kRoute) return std::string("true");
  constexpr std::string_view kWhere = " where ";
  if (text.starts_with(kRoute) && text.substr(kRoute.size()).starts_with(kWhere))
    return std::string(text.substr(kRoute.size() + kWhere.size()));
  return fail(ErrorKind::Invalid,
              "statement: only route() and route() where CONDITION are "
              "understood, not \"" +
                  row.statement + "\"");
}

Result<Condition> condition_of(const Row& row) {
  const auto context = pipeline::condition_context(row.context);
  if (!context || *context == ConditionContext::SpanEvent)
    return fail(ErrorKind::Invalid,
                "context: it must be resource, span, metric, datapoint, log or request");
  return Condition::parse(TRY(condition_text(row)), *context);
}

struct Config {
  std::vector<Row> table;
  std::vector<std::string> default_pipelines;
  std::string error_mode = "ignore";

  Result<> validate() const {
    if (table.empty()) return fail(ErrorKind::Invalid, "table: give at least one row");
    for (size_t i = 0; i < table.size(); ++i) {
      const std::string where = "table::" + std::to_string(i);
      if (table[i].pipelines.empty())
        return fail(ErrorKind::Invalid, where + ": it has no pipelines");
      if (auto condition = condition_of(table[i]); !condition)
        return std::unexpected(at(where, std::move(condition.error())));
    }
    return {};
  }
};

constexpr auto kRowFields = config::fields<Row>(
    config::field("context", &Row::context,
                  "What is judged: resource, span, metric, datapoint, log or request."),
    config::field("condition", &Row::condition, "When the row takes it."),
    config::field("statement", &Row::statement, "The same as `route() where CONDITION`."),
    config::field("action", &Row::action, "Whether what is taken is gone for later rows.",
                  {.choices = "move|copy"}),
    config::field("pipelines", &Row::pipelines, "Where it goes."));
constexpr auto kFields = config::fields<Config>(
    config::field("table", &Config::table, kRowFields.table(), "The rows, asked in this order."),
    config::field("default_pipelines", &Config::default_pipelines,
                  "Where goes what no row takes; it is dropped where there are none."),
    config::field("error_mode", &Config::error_mode,
                  "What an error in a condition does. Nothing here can err.",
                  {.choices = "ignore|silent|propagate", .any_case = true}));

// Keeps what meets the condition, or what does not.
class Keep final : public Editor {
 public:
  Keep(Condition& condition, ConditionContext context, const RequestContext* request)
      : condition_(condition), context_(context), request_(request) {}
  bool matching = true;

  Depth depth() const override {
    return context_ == ConditionContext::Resource ? Depth::Resources : Depth::Items;
  }
  bool resource(ResourceEdit& resource) override {
    if (context_ != ConditionContext::Resource) return true;
    return ask({.item = &resource.message(), .resource = &resource.message()});
  }
  bool span(SpanEdit& span, Owners& owners) override { return item(span.message(), owners); }
  bool log(LogEdit& log, Owners& owners) override { return item(log.message(), owners); }
  bool metric(MetricEdit& metric, Owners& owners) override {
    if (context_ != ConditionContext::DataPoint) return item(metric.message(), owners);
    metric.for_each_point([&](PointEdit& point) {
      return ask({.item = &point.message(),
                  .resource = &owners.resource.message(),
                  .scope = &owners.scope,
                  .metric = &metric.message()});
    });
    return true;
  }

 private:
  bool item(MessageEdit& message, Owners& owners) {
    return ask({.item = &message, .resource = &owners.resource.message(), .scope = &owners.scope});
  }
  bool ask(ConditionSubject subject) {
    subject.request = request_;
    return condition_.matches(subject) == matching;
  }

  Condition& condition_;
  const ConditionContext context_;
  const RequestContext* const request_;
};

class RoutingConnector final : public pipeline::Component {
 public:
  RoutingConnector(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : config_(config), id_(id), outputs_(std::move(outputs)) {
    for (const Row& row : config.table) {
      routes_.push_back({*condition_of(row),
                         *pipeline::condition_context(row.context),
                         row.action == "copy",
                         {}});
    }
  }

  Result<> check_outputs() const override {
    for (size_t i = 0; i < routes_.size(); ++i) (void)TRY(targets_of(i));
    (void)TRY(defaults());
    return {};
  }
  Result<> start(pipeline::Host&) override {
    for (size_t i = 0; i < routes_.size(); ++i) routes_[i].targets = TRY(targets_of(i));
    defaults_ = TRY(defaults());
    return {};
  }

  void consume(Batch batch) override {
    for (Route& route : routes_) {
      if (!fits(route.context, batch.signal)) continue;
      auto parts = split(route, batch);
      if (!parts) {
        pipeline::dropped_counter(id_, batch.signal, "malformed").add(batch.items());
        return batch.ack.fail(at(id_, std::move(parts.error())));
      }
      auto& [taken, rest] = *parts;
      if (taken.empty()) continue;
      const bool all = rest.empty() && !route.copy;
      if (all && taken.size() == batch.chunks.size() && same(taken, batch.chunks))
        return send(route.targets, std::move(batch));
      Batch part = batch.share();
      if (!same(taken, batch.chunks)) part = std::move(part).with(std::move(taken));
      send(route.targets, std::move(part));
      if (all) return batch.ack.deliver();
      if (!route.copy) batch = std::move(batch).with(std::move(rest));
    }
    send(defaults_, std::move(batch));
  }

 private:
  using Targets = std::vector<Sink*>;
  struct Route {
    Condition condition;
    ConditionContext context;
    bool copy;
    Targets targets;
  };
  struct Parts {
    std::vector<Bytes> taken, rest;
  };

  Result<Targets> targets_of(size_t row) const {
    auto found = outputs_.sinks(config_.table[row].pipelines);
    if (found) return found;
    const std::string path = "table::" + std::to_string(row) + "::pipelines";
    return std::unexpected(at(path, std::move(found.error())));
  }
  Result<Targets> defaults() const {
    auto found = outputs_.sinks(config_.default_pipelines);
    if (found) return found;
    return std::unexpected(at("default_pipelines", std::move(found.error())));
  }

  static bool fits(ConditionContext context, Signal signal) {
    switch (context) {
      case ConditionContext::Span:
        return signal == Signal::Traces;
      case ConditionContext::Log:
        return signal == Signal::Logs;
      case ConditionContext::Metric:
      case ConditionContext::DataPoint:
        return signal == Signal::Metrics;
      case ConditionContext::Resource:
      case ConditionContext::Request:
        return true;
      case ConditionContext::SpanEvent:
        break;
    }
    return false;
  }

  static bool same(const std::vector<Bytes>& a, const std::vector<Bytes>& b) {
    return std::ranges::equal(a, b, [](const Bytes& x, const Bytes& y) {
      return x.view().data() == y.view().data() && x.size() == y.size();
    });
  }

  Result<Parts> split(Route& route, const Batch& batch) {
    Parts out;
    if (route.context == ConditionContext::Request) {
      (route.condition.matches({.request = batch.context.get()}) ? out.taken : out.rest) =
          batch.chunks;
      return out;
    }
    Keep keep(route.condition, route.context, batch.context.get());
    for (const Bytes& chunk : batch.chunks) {
      keep.matching = true;
      Rewritten taken = TRY(rewriter_.rewrite(batch.signal, chunk, keep));
      if (!taken.changed) {
        out.taken.push_back(chunk);
        continue;
      }
      if (taken.chunk.empty()) {
        out.rest.push_back(chunk);
        continue;
      }
      keep.matching = false;
      Rewritten rest = TRY(rewriter_.rewrite(batch.signal, chunk, keep));
      out.taken.push_back(std::move(taken.chunk));
      if (!rest.chunk.empty()) out.rest.push_back(std::move(rest.chunk));
    }
    return out;
  }

  void send(const Targets& targets, Batch batch) {
    if (!targets.empty()) return pipeline::send_to_all(targets, std::move(batch));
    pipeline::dropped_counter(id_, batch.signal, "no_route").add(batch.items());
    batch.ack.drop("no_route");
  }

  const Config config_;
  const std::string id_;
  const pipeline::Outputs outputs_;
  std::vector<Route> routes_;
  Targets defaults_;
  Rewriter rewriter_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(connector, routing) {
  using namespace sonde;
  return pipeline::make_type<RoutingConnector, Config>(
      {.kind = pipeline::Kind::Connector,
       .name = "routing",
       .summary = "Deals data out to pipelines by conditions.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .same_signal = true,
       .placement = pipeline::Placement::Replicated,
       .stability = "alpha"},
      kFields.table());
}
