// SPDX-License-Identifier: Apache-2.0
// Sends OTLP over HTTP, as protobuf or as JSON. The chunks of a batch are joined, compressed and
// sent as they are: two Export requests one after the other are a valid one, so nothing is parsed
// here. Queue, retries and counters are the sending queue's.
#include <fmt/format.h>

#include <charconv>
#include <map>
#include <string>

#include "net/grpc/grpc_server.h"
#include "net/http/http_client.h"
#include "net/socket/address.h"
#include "pipeline/auth/authorizer.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/otlp_export.h"
#include "pipeline/payload.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/settings/client_settings.h"
#include "pipeline/settings/http_client_settings.h"
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
  pipeline::HttpClientSettings http;
  std::string traces_endpoint, metrics_endpoint, logs_endpoint, profiles_endpoint;
  CompressionParams compression_params;
  std::string encoding = "proto";
  pipeline::SendingSettings sending{.timeout = std::chrono::seconds(30)};
  Result<net::Encoding> compression() const {
    return pipeline::compression_of(client.compression, compression_params.level,
                                    net::Carrier::Http);
  }
  Result<> validate() const {
    TRY(compression());
    // One for all signals, or for each one its own. As for the Collector, that of profiles alone is
    // none.
    const std::string all = traces_endpoint + metrics_endpoint + logs_endpoint;
    if (!client.endpoint.empty() || all.empty()) TRY(pipeline::check_client(client));
    for (const std::string& url :
         {client.endpoint, traces_endpoint, metrics_endpoint, logs_endpoint, profiles_endpoint}) {
      if (url.starts_with("http")) TRY(net::parse_url(url.substr(0, url.find('?'))));
    }
    TRY(pipeline::check_client_tls(client));
    TRY(pipeline::check_http_client(http));
    return pipeline::check_sending(sending, pipeline::NegativeTimeout::Taken);
  }
  std::string_view own_endpoint(Signal signal) const {
    return of_signal(signal, traces_endpoint, metrics_endpoint, logs_endpoint, profiles_endpoint);
  }
  Result<> validate_for(Signal signal) const {
    if (!client.endpoint.empty() || !own_endpoint(signal).empty()) return {};
    return fail(ErrorKind::Invalid,
                fmt::format("either endpoint or {}_endpoint is needed", to_string(signal)));
  }
};

constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::client, pipeline::kClientFields),
    config::embed(&Config::http, pipeline::kHttpClientFields),
    config::field("traces_endpoint", &Config::traces_endpoint,
                  "The whole URL for traces, instead of endpoint's /v1/traces.", {.url = true}),
    config::field("metrics_endpoint", &Config::metrics_endpoint, "The same for metrics.",
                  {.url = true}),
    config::field("logs_endpoint", &Config::logs_endpoint, "The same for logs.", {.url = true}),
    config::field("profiles_endpoint", &Config::profiles_endpoint,
                  "The same for profiles, instead of endpoint's /v1development/profiles.",
                  {.url = true}),
    config::field("compression_params", &Config::compression_params, kCompressionFields,
                  "How hard to compress."),
    config::field("encoding", &Config::encoding,
                  "The form of bodies: OTLP\'s protobuf or its JSON.", {.choices = "proto|json"}),
    config::embed(&Config::sending, pipeline::kSendingFields));

// As the Collector's exporter turns them for senders that wait for the result.
net::GrpcCode code_of_http(int status) {
  switch (status) {
    case 400:
      return net::GrpcCode::InvalidArgument;
    case 401:
      return net::GrpcCode::Unauthenticated;
    case 403:
      return net::GrpcCode::PermissionDenied;
    case 404:
      return net::GrpcCode::Unimplemented;
    case 429:
      return net::GrpcCode::ResourceExhausted;
    case 502:
    case 503:
    case 504:
      return net::GrpcCode::Unavailable;
    default:
      return net::GrpcCode::Unknown;
  }
}

// As the OTLP specification says: these few are worth a retry, all others are not.
Error error_of(const net::HttpResponse& response, std::string_view url, int64_t unix_ns) {
  const int s = response.status;
  Error error;
  error.kind =
      s == 429 || s == 502 || s == 503 || s == 504 ? ErrorKind::Unavailable : ErrorKind::Invalid;
  error.message = fmt::format("{} answered {}", url, s);
  error.peer_code = static_cast<uint8_t>(code_of_http(s));
  error.retry_after = net::retry_after(response.header("retry-after"), unix_ns);
  return error;
}

class OtlpHttpExporter final : public pipeline::Component {
 public:
  OtlpHttpExporter(Config config, std::string_view id, pipeline::Outputs)
      : id_(id), config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    for (const Signal signal : kSignals) {
      TRY(open_way(host, signal, config_.own_endpoint(signal)));
    }
    compression_ = TRY(config_.compression());
    authorizer_ = TRY(pipeline::Authorizer::make(host, config_.client.auth, net::Carrier::Http,
                                                 pipeline::uses_tls(config_.client)));
    clock_ = &host.clock();
    queue_ = std::make_unique<pipeline::SendingQueue>(
        host.scheduler(), host.id(), config_.sending,
        [this](const Batch& batch, pipeline::SendDone done) { send(batch, std::move(done)); });
    auto* const old = dynamic_cast<OtlpHttpExporter*>(host.predecessor());
    return queue_->restore(host, old ? old->queue_.get() : nullptr);
  }
  void take_over(Component&) override { queue_->take_over(); }

  void stop() override {
    if (queue_) queue_->stop();
  }
  bool drained() const override { return !queue_ || queue_->drained(); }
  void consume(Batch batch) override { queue_->consume(std::move(batch)); }
  void gates(Signal signal, Gates& out) override { queue_->gates(signal, out); }
  bool looks_inside() const override {
    return config_.encoding == "json" || pipeline::SendingQueue::looks_inside(config_.sending);
  }

 private:
  // Where a signal goes. Signals of one host share its connections.
  struct Way {
    net::HttpClient* client = nullptr;
    std::string path;
    std::string name;  // For errors: the URL without what may be secret.
  };

  Result<> open_way(pipeline::Host& host, Signal signal, std::string_view own) {
    std::string url(own);
    if (url.empty()) {
      if (config_.client.endpoint.empty()) return {};
      url = config_.client.endpoint;
      while (url.ends_with('/')) url.pop_back();
      url += pipeline::otlp_http_path(signal);
    }
    if (url.find("://") == std::string::npos) {
      url.insert(0, config_.client.tls.wanted() ? "https://" : "http://");
    }
    const size_t slash = std::min(url.find_first_of("/?", url.find("://") + 3), url.size());
    const std::string base = url.substr(0, slash);
    auto& client = clients_[base];
    if (!client) client = TRY(make_client(host, base));
    std::string path = url.substr(slash);
    if (!path.starts_with('/')) path.insert(0, "/");
    ways_[signal] = {client.get(), std::move(path), net::shown_url(url)};
    return {};
  }

  Result<std::unique_ptr<net::HttpClient>> make_client(pipeline::Host& host,
                                                       const std::string& base) {
    net::HttpClientOptions options;
    options.base_url = base;
    options.timeout = config_.sending.request_timeout();
    options.whole_answers = false;  // The status decides; sent again, it would come twice.
    // Each signal has a queue of its own; without one, senders bound what is in flight.
    const pipeline::QueueSettings& queue = config_.sending.queue;
    config_.http.apply(options, queue.enabled ? 3 * size_t{queue.num_consumers} : 256);
    options.proxy = TRY(pipeline::choose_proxy(config_.http.proxy_url, base));
    if (base.starts_with("https://")) {
      options.tls = TRY(net::make_tls_client(config_.client.tls, net::HttpVersion::Http1));
    }
    return std::make_unique<net::HttpClient>(host.loop(), std::move(options));
  }

  Result<Bytes> body_of(const Batch& batch) const {
    const int level = config_.compression_params.level;
    if (config_.encoding != "json") return pipeline::export_body(batch, compression_, level);
    const auto chunks = TRY(pipeline::chunks_of(batch));
    wire::JsonChanges changes;
    const Bytes json = Bytes::take(
        TRY(wire::otlp_to_json(batch.signal, wire::OtlpBody::Request, chunks, &changes)));
    pipeline::count_changed_values(id_, batch.signal, changes.folded, changes.damaged);
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
    for (const auto& [name, value] : config_.client.headers) {
      pipeline::set_header(headers, name, value);
    }
    if (compression_ != net::Encoding::Identity) {
      headers.push_back({"Content-Encoding", config_.client.compression});
    }
    const Way& way = ways_[batch.signal];
    if (way.client == nullptr) {
      return done(fail(ErrorKind::Invalid, fmt::format("there is neither endpoint nor {}_endpoint",
                                                       to_string(batch.signal))));
    }
    auto body = body_of(batch);
    if (!body) return done(std::unexpected(std::move(body.error())));
    if (!config_.client.auth) {
      return post(way, batch.signal, std::move(headers), std::move(*body), std::move(done));
    }
    authorizer_->authorize(std::move(headers), batch.context.get(),
                           [this, &way, signal = batch.signal, body = std::move(*body),
                            done = std::move(done)](Result<net::Headers> authorized) mutable {
                             if (!authorized)
                               return done(std::unexpected(std::move(authorized.error())));
                             post(way, signal, std::move(*authorized), std::move(body),
                                  std::move(done));
                           });
  }

  void post(const Way& way, Signal signal, net::Headers headers, Bytes body,
            pipeline::SendDone done) {
    way.client->request(
        "POST", way.path, std::move(headers), std::move(body),
        [this, &way, signal, done = std::move(done)](Result<net::HttpResponse> answer) mutable {
          if (!answer) {
            done(std::unexpected(std::move(answer.error())));
          } else if (answer->status < 200 || answer->status > 299) {
            done(std::unexpected(error_of(*answer, way.name, clock_->unix_ns())));
          } else {
            done(read_answer(signal, *answer));
          }
        });
  }

  const std::string id_;
  Config config_;
  const Clock* clock_ = nullptr;
  net::Encoding compression_ = net::Encoding::Identity;
  // Destroyed in reverse: each ends its calls, whose callbacks still need those above it.
  std::unique_ptr<pipeline::SendingQueue> queue_;
  BySignal<Way> ways_;
  std::map<std::string, std::unique_ptr<net::HttpClient>> clients_;
  std::unique_ptr<pipeline::Authorizer> authorizer_;
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
