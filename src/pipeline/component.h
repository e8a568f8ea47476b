// SPDX-License-Identifier: Apache-2.0
//
// The contract between the engine and a component. An instance is called by one shard only, never
// concurrently, so components hold no lock, and no call may block. create() is pure: it checks the
// settings and takes nothing; start() takes listeners, files and shared things, by lease.
//
// A component's .cc ends with, outside every namespace:
//
//   SONDE_COMPONENT(exporter, prometheus) {
//     return sonde::pipeline::make_type<PrometheusExporter, Config>(
//         {.kind = sonde::pipeline::Kind::Exporter, .name = "prometheus", .summary = "...",
//          .in = sonde::pipeline::kMetrics}, kFields.table());
//   }
//
// The implementation has a constructor (Config, std::string_view id, Outputs). Config may have
// `Result<> validate() const` for checks across fields, and `Result<> validate_for(Signal) const`
// for what only the signal of a pipeline makes wrong.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/scheduler.h"
#include "base/time.h"
#include "config/field.h"
#include "config/value.h"
#include "data/batch.h"
#include "data/sink.h"
#include "pipeline/introspection/status.h"

namespace sonde::net {
class Loop;
}

namespace sonde::pipeline {

enum class Kind { Receiver, Processor, Exporter, Connector, Extension };
// Pinned: one instance. Replicated: one a shard. Partitioned: one a shard, and a batch is handled
// where its key (the trace id, else the resource) says.
enum class Placement { Pinned, Replicated, Partitioned };

// A set of signals.
struct Signals {
  bool traces = false;
  bool metrics = false;
  bool logs = false;
  bool profiles = false;

  constexpr bool has(Signal signal) const {
    return of_signal(signal, traces, metrics, logs, profiles);
  }
  constexpr bool any() const { return traces || metrics || logs || profiles; }
  friend constexpr Signals operator|(Signals a, Signals b) {
    return {a.traces || b.traces, a.metrics || b.metrics, a.logs || b.logs,
            a.profiles || b.profiles};
  }
};
inline constexpr Signals kNoSignals{};
inline constexpr Signals kTraces{.traces = true};
inline constexpr Signals kMetrics{.metrics = true};
inline constexpr Signals kLogs{.logs = true};
inline constexpr Signals kStableSignals{true, true, true};  // All but profiles.
inline constexpr Signals kAllSignals{true, true, true, true};

class Component;

// What a component sees of the process while it runs. It outlives the component.
class Host {
 public:
  virtual ~Host() = default;
  virtual Scheduler& scheduler() = 0;
  virtual net::Loop& loop() = 0;
  virtual std::string_view id() const = 0;
  virtual int shard() const { return 0; }
  const Clock& clock() { return scheduler().clock(); }
  // The running extension of this id ("basicauth/internal"), or nullptr. What it offers is found by
  // dynamic_cast: see storage.h. Extensions start first and stop last.
  virtual Component* extension(std::string_view) { return nullptr; }
  // During start(), when the configuration is read again: the running instance of the same type and
  // id on this shard whose settings are others, and which this one replaces. It goes on running
  // until take_over(), and for good when anything of the new configuration does not start.
  virtual Component* predecessor() { return nullptr; }
  // How the component fares from now on: ok and the three errors; the rest is the engine's to say.
  // On the component's own thread. A fatal error ends the process with its message. Cheap where the
  // status is the same, but no call for every batch.
  virtual void report_status(Status) {}

  // The thing of this identity ("rollup/book", "listen/127.0.0.1:4318"), shared by everybody in the
  // process who leases it; made by the first, destroyed with the last. `make` returns a
  // std::shared_ptr<T>. One identity always has one type, and T must stand being shared by shards.
  template <class T, class Make>
  std::shared_ptr<T> lease(std::string_view identity, Make&& make) {
    return std::static_pointer_cast<T>(
        lease_erased(identity, typeid(T),
                     [&]() -> std::shared_ptr<void> { return std::forward<Make>(make)(); }));
  }

 private:
  virtual std::shared_ptr<void> lease_erased(
      std::string_view identity, const std::type_info& type,
      const std::function<std::shared_ptr<void>()>& make) = 0;
};

class Component : public Sink {
 public:
  // What it asks of what follows it, once the whole graph is made and before anything starts. The
  // error says what to change.
  virtual Result<> check_outputs() const { return {}; }
  // Takes what the component needs. An error stops the process from starting; a back end that is
  // not reachable is no error.
  virtual Result<> start(Host&) { return {}; }
  // Called after every start() of a new configuration succeeded, before data turns to it: takes out
  // of the predecessor what must not be lost with it. The predecessor may still be given what is on
  // its way to it; then it is stopped.
  virtual void take_over(Component&) {}
  // Ends the work in hand. Called in the order of the data; batches may still be settled later by
  // the scheduler, for which drained() is asked.
  virtual void stop() {}
  // Whether nothing is held any more. The engine waits for it after stop(), with a time bound.
  virtual bool drained() const { return true; }
  // Processors, exporters and connectors. A receiver or extension is never given a batch.
  void consume(Batch batch) override;
};

// One of the pipelines that begin with a connector, for those that choose between them.
struct PipelineOutput {
  std::string id;  // "traces/eu"
  Signal signal = Signal::Traces;
  Sink* sink = nullptr;
};

// Where a component sends what it makes; nullptr: nobody wants that signal.
struct Outputs {
  Sink* traces = nullptr;
  Sink* metrics = nullptr;
  Sink* logs = nullptr;
  Sink* profiles = nullptr;
  std::vector<PipelineOutput> pipelines = {};  // Of a connector: the same sinks, one by one.

  Sink*& of(Signal signal) { return of_signal(signal, traces, metrics, logs, profiles); }
  Sink* of(Signal signal) const { return of_signal(signal, traces, metrics, logs, profiles); }
  // As Sink::gates().
  void gates(Signal signal, Gates& out) const {
    if (Sink* sink = of(signal)) sink->gates(signal, out);
  }
  bool look_inside() const;  // any of them
  // Passes the batch on, or drops it with a reason when nobody wants it.
  void send(Batch batch) const;
  // The first stages of these pipelines. An error (NotFound) names the pipelines that there are.
  Result<std::vector<Sink*>> sinks(std::span<const std::string> pipeline_ids) const;
};

// The same batch to several sinks, of which there is at least one, each with a part of the
// acknowledgement.
void send_to_all(const std::vector<Sink*>& sinks, Batch batch);

struct ComponentType {
  Kind kind = Kind::Processor;
  std::string_view name = {};
  std::vector<std::string_view> aliases = {};  // Older names that configurations still use.
  std::string_view summary = {};
  Signals in = {};
  Signals out = {};
  // Of a connector: what comes as traces goes as traces, and so on. It has an instance a signal.
  bool same_signal = false;
  Placement placement = Placement::Pinned;
  std::string_view stability = "alpha";
  const config::FieldTable* fields = nullptr;
  std::function<Result<std::unique_ptr<Component>>(const config::Value&, std::string_view id,
                                                   Outputs)>
      create = {};
  // What create() would say of the settings, without making anything.
  std::function<Result<>(const config::Value&, std::string_view id)> check = {};
  // What is wrong with settings that check() takes once they stand in a pipeline of that signal, as
  // what it is given or, for a receiver, what it gives; empty where no signal makes a difference.
  std::function<Result<>(const config::Value&, std::string_view id, Signal)> check_signal = {};

  bool answers_to(std::string_view type) const;
};

std::string_view kind_name(Kind kind);  // "receiver", ...

// Decodes the settings over the defaults of Config and validates them.
template <class Config>
Result<> decode_settings(const config::Value& value, const config::FieldTable& table,
                         std::string_view kind, std::string_view id, Config& out) {
  const std::string path = std::string(kind) + "s::" + std::string(id);
  TRY(config::decode(value, table, &out, path));
  if constexpr (requires { out.validate(); }) {
    if (auto valid = out.validate(); !valid) {
      return config::fail_at(value.position, path + ": " + valid.error().message,
                             config::Show::Nothing);
    }
  }
  return {};
}

// `fields` must be in static storage.
template <class Impl, class Config>
ComponentType make_type(ComponentType type, const config::FieldTable& fields) {
  type.fields = &fields;
  type.create = [table = &fields, kind = kind_name(type.kind)](
                    const config::Value& value, std::string_view id,
                    Outputs outputs) -> Result<std::unique_ptr<Component>> {
    Config settings{};
    TRY(decode_settings(value, *table, kind, id, settings));
    return std::make_unique<Impl>(std::move(settings), id, outputs);
  };
  type.check = [table = &fields, kind = kind_name(type.kind)](const config::Value& value,
                                                              std::string_view id) -> Result<> {
    Config settings{};
    return decode_settings(value, *table, kind, id, settings);
  };
  if constexpr (requires(const Config& settings) { settings.validate_for(Signal::Traces); }) {
    type.check_signal = [table = &fields, kind = kind_name(type.kind)](const config::Value& value,
                                                                       std::string_view id,
                                                                       Signal signal) -> Result<> {
      Config settings{};
      TRY(decode_settings(value, *table, kind, id, settings));
      if (auto valid = settings.validate_for(signal); !valid) {
        return config::fail_at(value.position,
                               std::string(kind) + "s::" + std::string(id) + ": in a pipeline of " +
                                   std::string(to_string(signal)) + ": " + valid.error().message,
                               config::Show::Nothing);
      }
      return {};
    };
  }
  return type;
}

}  // namespace sonde::pipeline

#define SONDE_COMPONENT(kind_, name_)                                                        \
  static ::sonde::pipeline::ComponentType sonde_describe_##kind_##_##name_();                \
  const ::sonde::pipeline::ComponentType& sonde_component_##kind_##_##name_();               \
  const ::sonde::pipeline::ComponentType& sonde_component_##kind_##_##name_() {              \
    static const ::sonde::pipeline::ComponentType type = sonde_describe_##kind_##_##name_(); \
    return type;                                                                             \
  }                                                                                          \
  static ::sonde::pipeline::ComponentType sonde_describe_##kind_##_##name_()
