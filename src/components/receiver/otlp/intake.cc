// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlp/intake.h"

#include <fmt/format.h>

#include <cctype>
#include <utility>

#include "data/wire.h"
#include "pipeline/own_telemetry.h"

namespace sonde::otlp_receiver {

Result<Body> open_body(net::Carrier carrier, std::string_view encoding, std::string_view bytes,
                       size_t max_size, std::move_only_function<Bytes()> kept) {
  const auto known = net::encoding_named(encoding, carrier);
  if (!known) {
    return fail(ErrorKind::NotFound, fmt::format("the encoding \"{}\" is not supported, only {}",
                                                 encoding, net::accepted_encodings(carrier)));
  }
  if (*known == net::Encoding::Identity) return Body{kept(), nullptr};
  Body body;
  body.plain = TRY(net::decompress(*known, bytes, max_size));
  body.original = std::make_shared<const Encoded>(std::string(net::name_of(*known)), kept());
  return body;
}

Intake::Intake(Scheduler& scheduler, std::string_view id, std::string_view transport,
               pipeline::Outputs outputs)
    : scheduler_(scheduler), outputs_(outputs) {
  for (const Signal signal : {Signal::Traces, Signal::Metrics, Signal::Logs}) {
    counts_[static_cast<size_t>(signal)] = {
        &pipeline::receiver_counter("otelcol_receiver_accepted_", signal, id, transport),
        &pipeline::receiver_counter("otelcol_receiver_refused_", signal, id, transport)};
  }
}

void Intake::take(Signal signal, Body body, size_t items,
                  std::shared_ptr<const RequestContext> context,
                  std::move_only_function<void(Result<Accepted>)> done) {
  if (items == 0) return done(Accepted{});
  const Counts counts = counts_[static_cast<size_t>(signal)];
  ++*open_;
  auto ended = [open = open_, counts, n = items, done = std::move(done)](Outcome outcome) mutable {
    --*open;
    if (outcome.kind != Outcome::Failed) {
      counts.accepted->add(n);
      return done(Accepted{});
    }
    const uint64_t rejected = outcome.rejected;
    if (rejected > 0 && rejected <= n) {
      counts.accepted->add(n - rejected);
      counts.refused->add(rejected);
      return done(Accepted{rejected, std::move(outcome.error.message)});
    }
    counts.refused->add(n);
    done(std::unexpected(std::move(outcome.error)));
  };
  std::vector<Bytes> chunks;
  chunks.push_back(std::move(body.plain));
  Batch batch(signal, std::move(chunks), Ack::make(&scheduler_, std::move(ended)));
  batch.set_items(items);
  batch.context = std::move(context);
  batch.original = std::move(body.original);
  outputs_.of(signal)->consume(std::move(batch));
}

std::shared_ptr<const RequestContext> context_of(const net::Headers* headers, std::string_view peer,
                                                 pipeline::AuthData auth) {
  if (!headers && auth.empty()) return nullptr;
  auto context = std::make_shared<RequestContext>();
  context->peer = peer;
  context->auth = std::move(auth);
  if (!headers) return context;
  for (const net::Header& header : *headers) {
    auto& [name, value] = context->metadata.emplace_back(header.name, header.value);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return context;
}

std::string encode_response(const Accepted& accepted) {
  std::string response;
  if (accepted.rejected == 0 && accepted.message.empty()) return response;
  std::string partial;
  proto::Writer out(partial);
  out.varint(1, accepted.rejected);
  out.bytes(2, accepted.message);
  proto::Writer(response).bytes(1, partial);
  return response;
}

}  // namespace sonde::otlp_receiver
