// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "components/receiver/ebpf/emitter.h"
#include "data/metric_view.h"
#include "data/trace_view.h"
#include "probe/protocol/protocol.h"

namespace sonde {
namespace {

probe::FinishedRequest finished(const std::shared_ptr<probe::Process>& process) {
  probe::FinishedRequest r;
  r.server = true;
  r.trace_id[0] = 1;
  r.span_id[0] = 2;
  r.process = process;
  r.start_unix_ns = 1000;
  r.end_unix_ns = 2000;
  r.queue_ns = 50;
  r.protocol = probe::protocol_of(probe::protocol_number("http1"));
  r.operation = "GET";
  r.target = "/items/7";
  r.route = "/items/{id}";
  r.host = "shop.example:8080";
  r.status = 200;
  r.local_address = "127.0.0.1";
  r.peer_address = "127.0.0.2";
  r.local_port = 8080;
  r.peer_port = 40000;
  return r;
}

std::shared_ptr<probe::Process> process(std::string name) {
  auto p = std::make_shared<probe::Process>();
  p->service = std::move(name);
  p->instance = "host:1";
  p->language = "go";
  return p;
}

TEST(EbpfEmitter, GroupsSpansByProcess) {
  Emitter emitter({});
  const auto a = process("a");
  const auto b = process("b");
  emitter.request(finished(a));
  emitter.request(finished(b));
  emitter.request(finished(a));
  const Batch batch = emitter.take_spans();
  std::map<std::string, int> spans;
  int groups = 0;
  std::string_view last;
  for (const Bytes& chunk : batch.chunks) {
    for_each_span(chunk, [&](const ResourceView& resource, const ScopeView&, const SpanView& span) {
      const std::string_view service = resource.attributes().get("service.name").as_string();
      if (service != last) ++groups;
      last = service;
      ++spans[std::string(service)];
      EXPECT_EQ(span.name, "GET /items/{id}");
      EXPECT_EQ(span.get("server.address").as_string(), "shop.example");
      EXPECT_EQ(span.get("sonde.queue_ns").as_int(), 50);
    });
  }
  EXPECT_EQ(groups, 2);
  EXPECT_EQ(spans["a"], 2);
  EXPECT_EQ(spans["b"], 1);
  EXPECT_FALSE(emitter.has_spans());
}

TEST(EbpfEmitter, CountsRequestsWithoutTheHostThatThePeerSent) {
  Emitter emitter({});
  const auto a = process("a");
  for (int i = 0; i < 50; ++i) {
    auto r = finished(a);
    r.host = "evil" + std::to_string(i);
    const std::string method = "EVIL" + std::string(1, static_cast<char>('A' + i % 26));
    r.protocol->begin({.first = {}, .operation = method, .target = "/", .host = r.host}, r);
    emitter.request(r);
  }
  EXPECT_EQ(emitter.series(), 1U);
  EXPECT_GT(emitter.take_metrics(1).bytes(), 0U);
}

TEST(EbpfEmitter, TellsTheLastThatWasFoundOutOfWhomTheKernelLeavesOut) {
  Emitter emitter({});
  emitter.excluded(1);
  emitter.executed(1);  // The exec came after the message that the old program was known by.
  emitter.executed(2);
  emitter.excluded(2);
  EXPECT_EQ(emitter.take_exclusions(), (std::map<uint32_t, bool>{{1, false}, {2, true}}));
  EXPECT_TRUE(emitter.take_exclusions().empty());
}

}  // namespace
}  // namespace sonde
