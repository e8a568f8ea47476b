// SPDX-License-Identifier: Apache-2.0
// The connector as the engine drives it, under virtual time: spans in, a flush, metrics out.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/virtual_scheduler.h"
#include "data/metric_view.h"
#include "data/span_writer.h"
#include "pipeline/component.h"

const sonde::pipeline::ComponentType& sonde_component_connector_span_metrics();

namespace sonde {
namespace {

// The least of a host: virtual time and no leases.
class FakeHost final : public pipeline::Host {
 public:
  Scheduler& scheduler() override { return virtual_scheduler; }
  net::Loop& loop() override { std::abort(); }
  std::string_view id() const override { return "test"; }
  VirtualScheduler virtual_scheduler;

 private:
  std::shared_ptr<void> lease_erased(std::string_view, const std::type_info&,
                                     const std::function<std::shared_ptr<void>()>& make) override {
    return make();
  }
};

struct Collected final : Sink {
  std::map<std::string, double> values;
  void consume(Batch batch) override {
    (void)for_each_metric(batch, [&](const ResourceView& r, const ScopeView&, const MetricView& m) {
      std::string key = std::string(m.name) + "|" + r.get("service.name").to_string();
      for (const auto& p : m.numbers()) values[key + label(p.attributes())] = p.value();
      for (const auto& p : m.histograms()) {
        values[key + label(p.attributes())] = static_cast<double>(p.count);
      }
    });
    batch.ack.deliver();
  }
  static std::string label(AttributesView a) {
    return "|" + a.get("span.kind").to_string() + a.get("client").to_string() + ">" +
           a.get("server").to_string();
  }
};

Batch call() {
  TraceBatchBuilder b;
  b.resource({{"service.name", "shop"}}).scope("t");
  b.span({.trace_id = "0123456789abcdef",
          .span_id = "cccccccc",
          .parent_span_id = "pppppppp",
          .name = "GET /b",
          .kind = SpanKind::Client,
          .start_ns = 1,
          .end_ns = 1000});
  b.resource({{"service.name", "stock"}}).scope("t");
  b.span({.trace_id = "0123456789abcdef",
          .span_id = "ssssssss",
          .parent_span_id = "cccccccc",
          .name = "GET /b",
          .kind = SpanKind::Server,
          .start_ns = 1,
          .end_ns = 900,
          .status = StatusCode::Error});
  return b.build();
}

TEST(SpanMetrics, CountsCallsAndLatencyByServiceAndKind) {
  Collected out;
  FakeHost host;
  auto made = sonde_component_connector_span_metrics().create(
      config::Value(), "span_metrics", {.traces = nullptr, .metrics = &out, .logs = nullptr});
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE((*made)->start(host));
  (*made)->consume(call());
  (*made)->consume(call());
  host.virtual_scheduler.advance(std::chrono::seconds(5));
  EXPECT_EQ(out.values["traces.spanmetrics.calls|shop|SPAN_KIND_CLIENT>"], 2);
  EXPECT_EQ(out.values["traces.spanmetrics.latency|stock|SPAN_KIND_SERVER>"], 2);
  (*made)->stop();
  EXPECT_EQ(host.virtual_scheduler.pending_timers(), 0u);
}

}  // namespace
}  // namespace sonde
