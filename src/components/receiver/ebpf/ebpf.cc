// SPDX-License-Identifier: Apache-2.0
// The receiver of the probe: drains kernel events on a timer, lets the tracker make requests of
// them, and sends spans each drain and metrics each interval. It holds no queue: what the pipeline
// refuses is the pipeline's to count.
#include <unistd.h>

#include <bit>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/log.h"
#include "components/receiver/ebpf/container_names.h"
#include "components/receiver/ebpf/emitter.h"
#include "net/loop.h"
#include "net/socket/own_port.h"
#include "pipeline/component.h"
#include "probe/probe.h"
#include "probe/process_names.h"

namespace sonde {
namespace {

struct Config {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  Duration drain_interval = std::chrono::milliseconds(10);
  Duration metrics_interval = std::chrono::seconds(5);
  Duration join_wait = std::chrono::milliseconds(100);
  size_t max_series = 10000;
  size_t max_connections = 65536;
  size_t max_routes = 300;
  std::vector<std::string> container_runtimes = {"/var/run/docker.sock", "/run/podman/podman.sock"};
  size_t ring_size = 8 * 1024 * 1024;
  std::string front_end = "auto";

  Result<> validate() const {
    if (!std::has_single_bit(ring_size))
      return fail(ErrorKind::Invalid, "ring_size is not a power of two; write 8388608, or another");
    probe::Filter filter;
    const std::string bad = probe::Filter::parse(include, exclude, filter);
    if (bad.empty()) return {};
    return fail(ErrorKind::Invalid,
                "selector \"" + bad +
                    "\" is not understood; write a glob, or executable=, port=, "
                    "name=, container= or unit= and a glob");
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("include", &Config::include,
                  "Watch only what matches one of these: a glob of the service name or executable, "
                  "or executable=, port=, name=, container=, unit= and a glob."),
    config::field("exclude", &Config::exclude, "Never watch what matches one of these."),
    config::field("drain_interval", &Config::drain_interval, "How often kernel events are read.",
                  {.min = 0.001, .max = 1}),
    config::field("metrics_interval", &Config::metrics_interval, "How often metrics are sent.",
                  {.min = 0.1}),
    config::field("join_wait", &Config::join_wait,
                  "How long a finished request waits for the other end of its connection.",
                  {.min = 0, .max = 10}),
    config::field("max_series", &Config::max_series,
                  "Series kept at most of each side; the rest is one overflow series.", {.min = 1}),
    config::field("max_connections", &Config::max_connections,
                  "Connections followed at most; the least recently used one is given up.",
                  {.min = 16}),
    config::field("max_routes", &Config::max_routes,
                  "Route templates of a service at most; the rest is /{*}.", {.min = 1}),
    config::field("container_runtimes", &Config::container_runtimes,
                  "Unix sockets of Docker or Podman engines that are asked for the names of "
                  "containers; [] asks nobody."),
    config::field("ring_size", &Config::ring_size,
                  "Bytes between the kernel and Sonde, a power of two: what comes while they are "
                  "full is lost and counted.",
                  {.min = 16384, .max = 1 << 30, .unit = "By"}),
    config::field("front_end", &Config::front_end,
                  "Where messages are seen in the kernel; auto is the best that it has, and what "
                  "`sonde doctor` names.",
                  {.choices = "auto|socket-length|fexit|system-calls"}));

class Receiver final : public pipeline::Component {
 public:
  Receiver(Config config, std::string_view id, pipeline::Outputs outputs)
      : config_(std::move(config)), id_(id), outputs_(outputs) {}
  ~Receiver() override { stop(); }

  Result<> start(pipeline::Host& host) override {
    host_ = &host;
    // What loading needs was given up when the predecessor loaded the probe, which goes on.
    auto* const old = dynamic_cast<Receiver*>(host.predecessor());
    if (old && (old->config_.ring_size != config_.ring_size ||
                old->config_.front_end != config_.front_end)) {
      return fail(ErrorKind::Invalid,
                  "ring_size and front_end are settled when the probe is loaded; restart sonde to "
                  "change them");
    }
    if (!old) {
      probe_ = TRY(probe::Probe::create({.ring_bytes = static_cast<uint32_t>(config_.ring_size),
                                         .front_end = probe::front_end_of(config_.front_end)}));
    }
    EmitterConfig emitter;
    emitter.traces = outputs_.traces != nullptr;
    emitter.metrics = outputs_.metrics != nullptr;
    emitter.max_series = config_.max_series;
    emitter.host_name = processes_.host();
    emitter.host_id = probe::names::read_file("/etc/machine-id", 64);
    while (emitter.host_id.ends_with('\n')) emitter.host_id.pop_back();
    emitter_ = std::make_unique<Emitter>(std::move(emitter));
    probe::TrackerConfig tracker;
    tracker.max_connections = config_.max_connections;
    tracker.hold_ns = config_.join_wait.count();
    tracker.own_tgid = static_cast<uint32_t>(getpid());
    tracker.own_end = probe::OwnEnd::of_this_process(
        [](uint16_t port, uint16_t asker) { return net::is_own_port(port, asker); });
    tracker.routes.max_routes = config_.max_routes;
    probe::Filter::parse(config_.include, config_.exclude, tracker.filter);
    tracker_ = std::make_unique<probe::Tracker>(std::move(tracker), processes_, *emitter_);
    if (old) return {};
    TRY(probe_->attach());
    return begin();
  }

  // Connections are followed anew; a request that is under way at this moment is not counted.
  void take_over(Component& predecessor) override {
    auto& old = dynamic_cast<Receiver&>(predecessor);
    probe_ = old.end();
    // The probe counts since it was loaded; what it had counted was told.
    seen_lost_ = old.seen_lost_;
    seen_blind_ = old.seen_blind_;
    // Which processes are left out is this one's to say.
    for (const uint32_t tgid : old.excluded_) probe_->set_excluded(tgid, false);
    if (const auto begun = begin(); !begun) log_error("{}: {}", id_, begun.error().message);
  }

  void stop() override { end(); }

 private:
  Result<> begin() {
    if (probe_->wake_fd() >= 0)
      wake_ = TRY(host_->loop().watch_readable(probe_->wake_fd(), [this] { probe_->wake(); }));
    log_info("{}: capturing with {}", id_, probe::to_string(probe_->front_end()));
    next_metrics_ns_ = host_->clock().monotonic_ns() + config_.metrics_interval.count();
    arm();
    return {};
  }

  // Gives the probe back, after everything that it had was sent.
  std::unique_ptr<probe::Probe> end() {
    if (!probe_ || !tracker_) return nullptr;
    host_->scheduler().cancel(timer_);
    if (wake_) host_->loop().unwatch(*wake_);
    wake_.reset();
    drain();
    tracker_->flush();
    send_spans();
    send_metrics();
    tracker_.reset();
    return std::move(probe_);
  }

  void arm() {
    timer_ = host_->scheduler().after(pause_, [this] {
      drain();
      send_spans();
      if (host_->clock().monotonic_ns() >= next_metrics_ns_) {
        next_metrics_ns_ += config_.metrics_interval.count();
        send_metrics();
      }
      arm();
    });
  }

  static constexpr Duration kQuietPause = std::chrono::milliseconds(80);

  void drain() {
    const Clock& clock = host_->clock();
    // The wall clock may be set at any time, so the offset is as old as one drain.
    tracker_->set_clock_offset(clock.unix_ns() - clock.monotonic_ns());
    const size_t events = probe_->drain([this](const sonde_event& event, std::string_view payload) {
      tracker_->event(event, payload);
    });
    // A quiet host is looked at less often; the ring holds far more than what comes in that time.
    pause_ = events != 0 ? config_.drain_interval
                         : std::min(pause_ * 2, std::max(kQuietPause, config_.drain_interval));
    tracker_->tick(clock.monotonic_ns());
    for (const auto& [tgid, excluded] : emitter_->take_exclusions()) {
      probe_->set_excluded(tgid, excluded);
      // Bounded: what is forgotten stays left out when the settings change.
      if (!excluded) {
        excluded_.erase(tgid);
      } else if (excluded_.size() < kMaxExcluded) {
        excluded_.insert(tgid);
      }
    }
    for (const std::string& id : processes_.take_unnamed_containers()) {
      // The table remembers names for its own time; one that it forgot may still be known here.
      if (const ContainerName* name = containers_.find(id, clock.monotonic_ns()); name != nullptr) {
        processes_.name_container(id, name->name, name->service);
      }
    }
    containers_.tick(clock.monotonic_ns());
    advance(named_, containers_.stats().named, seen_named_);
    advance(unnamed_, containers_.stats().failed, seen_unnamed_);
    advance(unasked_, containers_.stats().refused + processes_.containers_refused(), seen_unasked_);
    const probe::ProbeStats seen = probe_->stats();
    advance(lost_, seen.lost, seen_lost_);
    advance(blind_, seen.blind_turns, seen_blind_);
    const probe::TrackerStats& stats = tracker_->stats();
    advance(evicted_, stats.connections_evicted + stats.requests_evicted, seen_evicted_);
    advance(joined_, stats.joined, seen_joined_);
    advance(gaps_, stats.gaps, seen_gaps_);
    advance(own_, stats.own_connections, seen_own_);
    advance(routes_, stats.routes_overflowed, seen_routes_);
    connections_.set(static_cast<double>(tracker_->connections()));
  }

  static void advance(Counter& counter, uint64_t now, uint64_t& before) {
    if (now > before) counter.add(now - before);
    before = now;
  }

  void send_spans() {
    if (!emitter_->has_spans()) return;
    const uint64_t before = tracker_->stats().requests - seen_requests_;
    seen_requests_ += before;
    accepted_.add(before);
    outputs_.traces->consume(emitter_->take_spans());
  }

  void send_metrics() {
    if (outputs_.metrics == nullptr) return;
    Batch batch = emitter_->take_metrics(host_->clock().unix_ns());
    if (batch.bytes() != 0) outputs_.metrics->consume(std::move(batch));
    series_.set(static_cast<double>(emitter_->series()));
    advance(overflow_, emitter_->overflowed(), seen_overflow_);
  }

  static constexpr size_t kMaxExcluded = 65536;

  Config config_;
  std::string id_;
  pipeline::Outputs outputs_;
  std::set<uint32_t> excluded_;
  pipeline::Host* host_ = nullptr;
  probe::ProcessTable processes_;
  ContainerNames containers_{config_.container_runtimes,
                             [this](const std::string& id, const ContainerName& name) {
                               processes_.name_container(id, name.name, name.service);
                             }};
  std::unique_ptr<probe::Probe> probe_;
  std::unique_ptr<Emitter> emitter_;
  std::unique_ptr<probe::Tracker> tracker_;
  TimerId timer_ = 0;
  std::optional<net::Loop::WatchId> wake_;
  Duration pause_ = config_.drain_interval;
  int64_t next_metrics_ns_ = 0;
  uint64_t seen_lost_ = 0;
  uint64_t seen_blind_ = 0;
  uint64_t seen_evicted_ = 0;
  uint64_t seen_joined_ = 0;
  uint64_t seen_gaps_ = 0;
  uint64_t seen_own_ = 0;
  uint64_t seen_routes_ = 0;
  uint64_t seen_named_ = 0;
  uint64_t seen_unnamed_ = 0;
  uint64_t seen_unasked_ = 0;
  uint64_t seen_requests_ = 0;
  uint64_t seen_overflow_ = 0;
  Counter& lost_ = counter("sonde_probe_lost_events_total", "Kernel events that found no room.");
  Counter& blind_ = counter("sonde_probe_blind_turns_total",
                            "Turns moved by io_uring whose first bytes could not be read.");
  Counter& evicted_ =
      counter("sonde_probe_evicted_total", "Connections and requests given up because of a limit.");
  Counter& joined_ =
      counter("sonde_probe_joined_total", "Connections of which both ends were seen.");
  Counter& gaps_ = counter("sonde_probe_gaps_total", "Holes in what connections reported.");
  Counter& own_ = counter("sonde_probe_excluded_connections_total",
                          "Connections that are left out, by reason.", {{"reason", "own"}});
  Counter& routes_ = counter("sonde_probe_route_overflow_total",
                             "Requests whose path a limit of the route templates hid.");
  Counter& named_ =
      counter("sonde_probe_container_lookups_total",
              "Containers whose name a runtime was asked for.", {{"result", "named"}});
  Counter& unnamed_ =
      counter("sonde_probe_container_lookups_total",
              "Containers whose name a runtime was asked for.", {{"result", "unknown"}});
  Counter& unasked_ =
      counter("sonde_probe_container_lookups_total",
              "Containers whose name a runtime was asked for.", {{"result", "refused"}});
  Counter& overflow_ =
      counter("sonde_probe_series_overflow_total", "Requests counted in the overflow series.");
  Gauge& connections_ = gauge("sonde_probe_connections", "Connections followed now.");
  Gauge& series_ = gauge("sonde_probe_series", "Metric series held now.");
  Counter& accepted_ = counter("otelcol_receiver_accepted_spans", "Spans accepted.",
                               {{"receiver", id_}, {"transport", "ebpf"}});
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(receiver, ebpf) {
  return sonde::pipeline::make_type<sonde::Receiver, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Receiver,
       .name = "ebpf",
       .summary = "Finds every HTTP service of this host with eBPF, without touching any.",
       .out = sonde::pipeline::kTraces | sonde::pipeline::kMetrics},
      sonde::kFields.table());
}
