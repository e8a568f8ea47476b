// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlp/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/buffer.h"
#include "base/memory_ledger.h"
#include "data/otlp_fields.h"
#include "data/wire.h"
#include "pipeline/introspection/own_telemetry.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::otlp_receiver {
namespace {

// What a sender is told while the process has no memory for its request.
constexpr Duration kComeBack = std::chrono::seconds(1);
// How much larger telemetry becomes when it is decompressed, as a rule: gzip measures 8 to 12. It
// is put right when the body is there.
constexpr size_t kExpansion = 10;

// How much is being read, for own telemetry.
struct ReadingMeter final : Gate {
  explicit ReadingMeter(Gauge& shown) : bytes(shown) {}
  Result<> change(const Need& from, const Need& to) override {
    bytes.add(static_cast<double>(to.bytes) - static_cast<double>(from.bytes));
    return {};
  }
  Gauge& bytes;
};

Error out_of_memory() {
  return {ErrorKind::Exhausted, "the memory limit is reached, try again later", kComeBack};
}

}  // namespace

Result<Body> open_body(net::Carrier carrier, std::string_view encoding, std::string_view bytes,
                       size_t max_size, bool opaque, std::move_only_function<Bytes()> kept) {
  const auto known = net::encoding_named(encoding, carrier);
  if (!known) {
    return fail(ErrorKind::NotFound, fmt::format("the encoding \"{}\" is not supported, only {}",
                                                 encoding, net::accepted_encodings(carrier)));
  }
  if (*known == net::Encoding::Identity) return Body{kept(), nullptr, opaque};
  Body body;
  body.opaque = opaque;
  if (!opaque) {
    const size_t room = MemoryLedger::process().room();
    auto plain = net::decompress(*known, bytes, std::min(max_size, room));
    if (!plain) {
      if (plain.error().kind != ErrorKind::Exhausted || room >= max_size)
        return std::unexpected(std::move(plain.error()));
      return std::unexpected(out_of_memory());
    }
    body.plain = std::move(*plain);
  }
  body.original = std::make_shared<const Encoded>(std::string(net::name_of(*known)), kept(),
                                                  body.plain.size(), max_size);
  return body;
}

Result<Body> read_json(Signal signal, const Body& json, size_t max_size) {
  const std::string_view text = json.plain.view();
  const size_t need = wire::json_reading_need(text, max_size);
  const MemoryLedger& ledger = MemoryLedger::process();
  if (need > ledger.budget() - std::min(ledger.budget(), text.size())) {
    return fail(ErrorKind::Exhausted,
                fmt::format("to read {} bytes of JSON takes more than the memory limit ever has "
                            "room for",
                            text.size()));
  }
  if (!ledger.has_room(need)) return std::unexpected(out_of_memory());
  const MemoryPromise promise(need);
  return Body{TRY(wire::otlp_from_json(signal, wire::OtlpBody::Request, text, max_size)), nullptr,
              false};
}

Intake::Intake(Scheduler& scheduler, std::string_view id, std::string_view transport,
               pipeline::Outputs outputs)
    : scheduler_(scheduler),
      id_(id),
      transport_(transport),
      outputs_(outputs),
      turned_away_(
          counter("sonde_receiver_turned_away_requests_total",
                  "Requests that were refused before their body was read.",
                  {{"receiver", std::string(id)}, {"transport", std::string(transport)}})) {
  for (const Signal signal : kSignals) {
    counts_[signal] = {
        &pipeline::receiver_counter("otelcol_receiver_accepted_", signal, id, transport),
        &pipeline::receiver_counter("otelcol_receiver_refused_", signal, id, transport)};
    reading_[signal] =
        std::make_shared<ReadingMeter>(pipeline::holder_gauge("reading", id, to_string(signal)));
  }
  collect_gates();
}

void Intake::collect_gates() {
  epoch_ = GateEpoch::now();
  for (const Signal signal : kSignals) {
    auto gates = std::make_shared<Gates>();
    gates->push_back(reading_[signal]);
    outputs_.gates(signal, *gates);
    gates_[signal] = std::move(gates);
  }
}

Result<Admission> Intake::admit(Signal signal, size_t length, bool opens, size_t max_size) {
  if (epoch_ != GateEpoch::now()) collect_gates();
  const size_t later = opens ? std::min(max_size, length * kExpansion) : 0;
  const MemoryLedger& ledger = MemoryLedger::process();
  const size_t now = Buffer::block_size(length);
  Result<Admission> admitted = std::unexpected(out_of_memory());
  if (now > ledger.budget()) {
    admitted =
        fail(ErrorKind::Exhausted, fmt::format("{} bytes are more than the memory limit ever "
                                               "has room for",
                                               length));
  } else if (ledger.has_room(std::min(now + later, ledger.budget()))) {
    admitted = Admission::ask(gates_[signal], {1, 0, length}, MemoryPromise(later));
  }
  if (!admitted) turned_away_.add();
  return admitted;
}

void Intake::take(Signal signal, Body body, size_t items,
                  std::shared_ptr<const RequestContext> context, Admission admission,
                  std::move_only_function<void(Result<Accepted>)> done) {
  if (body.opaque ? body.plain.empty() && !body.original : items == 0) return done(Accepted{});
  const Counts counts = counts_[signal];
  const size_t bytes =
      body.opaque && body.original ? body.original->body.size() : body.plain.size();
  if (body.opaque) {
    done = [counters = opaque_of(signal), bytes,
            done = std::move(done)](Result<Accepted> result) mutable {
      counters[result ? 1 : 0].add(bytes);
      done(std::move(result));
    };
  }
  if (auto fits = admission.change({1, items, bytes}); !fits) {
    counts.refused->add(items);
    return done(std::unexpected(std::move(fits.error())));
  }
  ++*open_;
  auto ended = [open = open_, counts, n = uint64_t{items}, opaque = body.opaque,
                done = std::move(done)](Outcome outcome) mutable {
    --*open;
    if (outcome.kind != Outcome::Failed) {
      counts.accepted->add(n);
      return done(Accepted{});
    }
    // What the peer rejects of a request that nobody looked into is told as the peer tells it.
    // Several branches may have rejected the same records.
    const uint64_t rejected = opaque ? outcome.rejected : std::min(outcome.rejected, n);
    if (rejected > 0) {
      counts.accepted->add(n - std::min(n, rejected));
      counts.refused->add(rejected);
      return done(Accepted{rejected, std::move(outcome.error.message)});
    }
    counts.refused->add(n);
    done(std::unexpected(std::move(outcome.error)));
  };
  // A sealed batch gives the memory of what was decompressed back at once, to the next request.
  std::vector<Bytes> chunks;
  if (!body.original || looks_inside(signal)) chunks.push_back(std::move(body.plain));
  Batch batch(signal, std::move(chunks), Ack::make(&scheduler_, std::move(ended)));
  batch.set_items(items);
  batch.context = std::move(context);
  batch.original = std::move(body.original);
  batch.opaque = body.opaque;
  // Whoever takes it now finds the room: nothing comes between on this shard.
  admission.end();
  outputs_.of(signal)->consume(std::move(batch));
}

std::array<pipeline::OpaqueCounter, 2> Intake::opaque_of(Signal signal) {
  auto& known = opaque_[signal];
  for (const bool accepted : {false, true}) {
    if (known[accepted ? 1 : 0].requests) continue;
    known[accepted ? 1 : 0] = pipeline::opaque_receiver_counter(id_, transport_, signal, accepted);
  }
  return known;
}

namespace {

// A header that HTTP/2 sends as one byte is here as long as it ever was, for each request that
// waits in a queue.
struct CountedContext {
  RequestContext context;
  MemoryCharge charge;

  void count() {
    size_t bytes = sizeof(CountedContext);
    for (const auto* const pairs : {&context.metadata, &context.auth}) {
      for (const auto& [name, value] : *pairs) {
        bytes += sizeof(pairs->front()) + name.size() + value.size();
      }
    }
    charge = MemoryCharge(bytes);
  }
};

}  // namespace

std::shared_ptr<const RequestContext> context_of(const net::Headers* headers, std::string_view peer,
                                                 pipeline::AuthData auth) {
  if (!headers && auth.empty()) return nullptr;
  auto counted = std::make_shared<CountedContext>();
  RequestContext& context = counted->context;
  context.peer = peer;
  context.auth = std::move(auth);
  if (headers) {
    context.metadata.reserve(headers->size());
    for (const net::Header& header : *headers) {
      context.metadata.emplace_back(lower(header.name), header.value);
    }
  }
  counted->count();
  return {counted, &context};
}

std::string encode_response(const Accepted& accepted) {
  std::string response;
  if (accepted.rejected == 0 && accepted.message.empty()) return response;
  std::string partial;
  proto::Writer out(partial);
  out.varint(otlp::partial_success::kRejected, accepted.rejected);
  out.bytes(otlp::partial_success::kMessage, accepted.message);
  proto::Writer(response).bytes(otlp::response::kPartialSuccess, partial);
  return response;
}

}  // namespace sonde::otlp_receiver
