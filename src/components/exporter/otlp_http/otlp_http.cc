// SPDX-License-Identifier: Apache-2.0
// Sends OTLP over HTTP, as protobuf or as JSON. The chunks of a batch are joined, compressed and
// sent as they are: two Export requests one after the other are a valid one, so nothing is parsed
// here. Queue, retries and counters are the sending queue's.
#include <fmt/format.h>

#include <charconv>
#include <string>

#include "net/http_client.h"
#include "pipeline/client_settings.h"
#include "pipeline/component.h"
#include "pipeline/otlp_export.h"
#include "pipeline/payload.h"
#include "pipeline/sending_queue.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde {
namespace {

struct CompressionParams {
  int32_t level = net::kDefaultLevel;
};
constexpr auto kCompressionFields = config::fields<CompressionParams>(
    config::field("level", &CompressionParams::level,
                  "1 (fast) to 9 (small), -2 for Huffman codes alone; zstd 1 to 22; 0: as usual."));

struct Config {
  pipeline::ClientSettings client;
  CompressionParams compression_params;
  std::string encoding = "proto";
  pipeline::SendingSettings sending;
  Result<net::Encoding> compression() const {
    return pipeline::compression_of(client.compression, compression_params.level,
                                    net::Carrier::Http);
  }
  Result<> validate() const {
    TRY(compression());
    TRY(pipeline::check_client(client));
    return pipeline::check_sending(sending);
  }
};

constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::client, pipeline::kClientFields),
    config::field("compression_params", &Config::compression_params, kCompressionFields,
                  "How hard to compress."),
    config::field("encoding", &Config::encoding,
                  "The form of bodies: OTLP\'s protobuf or its JSON.", {.choices = "proto|json"}),
    config::embed(&Config::sending, pipeline::kSendingFields));

std::string_view path_of(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return "/v1/traces";
    case Signal::Metrics:
      return "/v1/metrics";
    case Signal::Logs:
      break;
  }
  return "/v1/logs";
}

// As the OTLP specification says: these few are worth a retry, all others are not.
Error error_of(const net::HttpResponse& response, std::string_view url) {
  const int s = response.status;
  Error error;
  error.kind =
      s == 429 || s == 502 || s == 503 || s == 504 ? ErrorKind::Unavailable : ErrorKind::Invalid;
  error.message = fmt::format("{} answered {}", url, s);
  const std::string_view wait = response.header("retry-after");
  int64_t seconds = 0;
  auto [end, failed] = std::from_chars(wait.data(), wait.data() + wait.size(), seconds);
  if (failed == std::errc() && end == wait.data() + wait.size() && seconds > 0 && seconds < 86400) {
    error.retry_after = std::chrono::seconds(seconds);
  }
  return error;
}

class OtlpHttpExporter final : public pipeline::Component {
 public:
  OtlpHttpExporter(Config config, std::string_view, pipeline::Outputs)
      : config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    net::HttpClientOptions options;
    options.base_url = config_.client.endpoint;
    while (options.base_url.ends_with('/')) options.base_url.pop_back();
    const bool encrypted = pipeline::uses_tls(config_.client);
    if (options.base_url.find("://") == std::string::npos) {
      options.base_url.insert(0, encrypted ? "https://" : "http://");
    }
    if (encrypted) {
      options.tls = TRY(net::make_tls_client(config_.client.tls, net::HttpVersion::Http1));
    }
    options.timeout = config_.sending.timeout;
    compression_ = TRY(config_.compression());
    client_ = std::make_unique<net::HttpClient>(host.loop(), std::move(options));
    queue_ = std::make_unique<pipeline::SendingQueue>(
        host.scheduler(), host.id(), config_.sending,
        [this](const Batch& batch, pipeline::SendDone done) { send(batch, std::move(done)); });
    return queue_->restore(host);
  }

  void stop() override {
    if (queue_) queue_->stop();
  }
  bool drained() const override { return !queue_ || queue_->drained(); }
  void consume(Batch batch) override { queue_->consume(std::move(batch)); }

 private:
  Result<Bytes> body_of(const Batch& batch) const {
    const int level = config_.compression_params.level;
    if (config_.encoding != "json") return pipeline::export_body(batch, compression_, level);
    const Bytes json =
        Bytes::take(TRY(wire::otlp_to_json(batch.signal, wire::OtlpBody::Request, batch.chunks)));
    return net::compress(compression_, std::span(&json, 1), level);
  }

  // An answer that cannot be read is a full success: its status says that the call went well.
  static pipeline::Sent read_answer(Signal signal, const net::HttpResponse& answer) {
    if (!answer.header("content-type").starts_with("application/json")) {
      return pipeline::read_export_response(answer.body);
    }
    const auto read = wire::otlp_from_json(signal, wire::OtlpBody::Response, answer.body,
                                           answer.body.size() * 4 + 16);
    return read ? pipeline::read_export_response(read->view()) : pipeline::Sent{};
  }

  void send(const Batch& batch, pipeline::SendDone done) {
    net::Headers headers = {{"Content-Type", config_.encoding == "json"
                                                 ? "application/json"
                                                 : "application/x-protobuf"}};
    for (const auto& [name, value] : config_.client.headers) headers.push_back({name, value});
    if (compression_ != net::Encoding::Identity) {
      headers.push_back({"Content-Encoding", config_.client.compression});
    }
    auto body = body_of(batch);
    if (!body) return done(std::unexpected(std::move(body.error())));
    client_->request("POST", path_of(batch.signal), std::move(headers), std::move(*body),
                     [this, signal = batch.signal,
                      done = std::move(done)](Result<net::HttpResponse> answer) mutable {
                       if (!answer) {
                         done(std::unexpected(std::move(answer.error())));
                       } else if (answer->status < 200 || answer->status > 299) {
                         done(std::unexpected(error_of(*answer, config_.client.endpoint)));
                       } else {
                         done(read_answer(signal, *answer));
                       }
                     });
  }

  Config config_;
  net::Encoding compression_ = net::Encoding::Identity;
  // The client is destroyed first: it ends its calls, whose callbacks still need the queue.
  std::unique_ptr<pipeline::SendingQueue> queue_;
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, otlp_http) {
  return sonde::pipeline::make_type<sonde::OtlpHttpExporter, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Exporter,
       .name = "otlp_http",
       .aliases = {"otlphttp"},
       .summary = "Sends OTLP over HTTP, as protobuf or JSON.",
       .in = sonde::pipeline::kAllSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
