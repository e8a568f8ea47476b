// SPDX-License-Identifier: Apache-2.0
#include "components/extension/console/taps.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "components/extension/console/answers.h"
#include "data/count.h"
#include "data/text.h"
#include "pipeline/queue/split_items.h"

namespace sonde::console {
namespace {

constexpr Duration kSilence = std::chrono::seconds(15);

// The first records of the sample. An error says why they cannot be shown.
Result<Batch> first_items(const pipeline::TapSample& sample, size_t& shown) {
  Batch out(sample.signal, {});
  for (const Bytes& chunk : sample.chunks) {
    if (shown >= kTapItems) break;
    if (chunk.size() > kTapChunk) {
      return fail(ErrorKind::Exhausted,
                  fmt::format("a part of {} bytes is too large to be shown", chunk.size()));
    }
    const auto items = count_items(sample.signal, chunk.view());
    const size_t room = kTapItems - shown;
    if (!items || *items <= room) {
      out.chunks.push_back(chunk);  // What cannot be parsed is shown as that.
      shown += items.value_or(0);
      continue;
    }
    auto pieces = TRY(split_items(sample.signal, chunk, {.items = room}, {}));
    if (pieces.empty()) continue;
    shown += pieces.front().items;
    out.chunks.push_back(std::move(pieces.front().chunk));
  }
  return out;
}

net::Response refusal(int status, std::string_view what, std::string_view why,
                      std::string_view advice) {
  return {
      status, "application/json", error_json(what, why, advice), {{"Cache-Control", "no-store"}}};
}

}  // namespace

std::string tap_json(const pipeline::TapSample& sample, int64_t now_ms) {
  size_t bytes = 0, shown = 0;
  for (const Bytes& chunk : sample.chunks) bytes += chunk.size();
  const auto batch = first_items(sample, shown);
  std::string text = batch ? to_text(*batch) : "# " + batch.error().message + "\n";
  const bool cut = text.size() > kTapText;
  if (cut) text.resize(kTapText);
  JsonWriter w;
  w.object().member("time", now_ms).member("signal", to_string(sample.signal));
  w.member("items", sample.items).member("bytes", bytes).member("shown", shown);
  w.member("cut", cut).member("skipped_batches", sample.skipped_batches);
  w.member("skipped_items", sample.skipped_items).member("text", text).end();
  return w.take();
}

std::shared_ptr<pipeline::TapWatch> Taps::find(const std::string& edge) const {
  const auto topology = topology_->read();
  const auto found = std::ranges::find_if(
      topology->edges, [&](const auto& e) { return pipeline::edge_id(e) == edge; });
  if (found == topology->edges.end()) return nullptr;
  for (const Signal signal : kSignals) {
    if (found->signal == to_string(signal))
      return taps_->watch(found->from, signal, found->pipeline);
  }
  return nullptr;
}

void Taps::open(const std::string& edge, net::Responder responder) {
  std::erase_if(watchers_, [](const Watcher& w) { return !w.stream.open(); });
  if (watchers_.size() >= kMostTaps) {
    return responder.respond(refusal(
        429, "Too many watch already",
        fmt::format("{} taps are open, the most there may be.", kMostTaps), "Close another one."));
  }
  auto watch = find(edge);
  if (!watch) {
    return responder.respond(refusal(404, "No such edge",
                                     fmt::format("Nothing runs that is called \"{}\".", edge),
                                     "Name it as FROM>TO>PIPELINE, with the keys of /pipelines."));
  }
  net::Response head;
  head.content_type = "text/event-stream";
  head.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  Watcher watcher{
      .edge = edge, .stream = responder.start_stream(std::move(head)), .watch = std::move(watch)};
  JsonWriter w;
  w.object().member("edge", edge).member("items", kTapItems).member("bytes", kTapText);
  w.member("every_ms", std::chrono::milliseconds(kTapEvery / std::chrono::milliseconds(1)).count())
      .end();
  watcher.stream.event("open", w.take());
  watcher.said_ns = scheduler_.clock().monotonic_ns();
  watchers_.push_back(std::move(watcher));
  if (watchers_.size() > 1) return;
  seen_ = topology_->read();
  timer_.start(scheduler_, kTapEvery, [this] { tick(); });
}

void Taps::tick() {
  const auto topology = topology_->read();
  const bool changed = std::exchange(seen_, topology) != topology;
  std::erase_if(watchers_, [&](Watcher& watcher) { return !serve(watcher, changed); });
  if (watchers_.empty()) timer_.stop();
}

bool Taps::serve(Watcher& watcher, bool graph_changed) {
  if (!watcher.stream.open()) return false;
  if (graph_changed) {
    watcher.watch = find(watcher.edge);
    if (!watcher.watch) {
      watcher.stream.event("gone", "{}");
      watcher.stream.close();
      return false;
    }
  }
  const Clock& clock = scheduler_.clock();
  const int64_t now = clock.monotonic_ns();
  if (const auto sample = watcher.watch->take()) {
    watcher.said_ns = now;
    return watcher.stream.event("batch", tap_json(*sample, clock.unix_ns() / 1'000'000));
  }
  if (now - watcher.said_ns < kSilence.count()) return true;
  watcher.said_ns = now;
  return watcher.stream.event("alive", "{}");
}

}  // namespace sonde::console
