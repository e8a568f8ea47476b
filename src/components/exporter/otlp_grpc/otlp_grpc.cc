// SPDX-License-Identifier: Apache-2.0
// Sends OTLP over gRPC. The chunks of a batch are joined, compressed and sent as they are: two
// Export requests one after the other are a valid one, so nothing is parsed here. Queue, retries
// and counters are the sending queue's.
#include <string>

#include "net/grpc/grpc_client.h"
#include "net/socket/address.h"
#include "pipeline/auth/authorizer.h"
#include "pipeline/component.h"
#include "pipeline/otlp_export.h"
#include "pipeline/payload.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/settings/client_settings.h"
#include "pipeline/settings/grpc_settings.h"
#include "pipeline/settings/http_client_settings.h"

namespace sonde {
namespace {

Result<> check_endpoint(const std::string& endpoint) {
  std::string_view target = endpoint;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with(scheme)) target.remove_prefix(scheme.size());
  }
  const std::string address = pipeline::grpc_endpoint(std::string(target));
  if (address.starts_with("unix:") || address.find("://") != std::string::npos) return {};
  if (auto parsed = net::parse_address(address); !parsed) {
    return std::unexpected(at("endpoint", std::move(parsed.error())));
  }
  return {};
}

struct Config {
  pipeline::ClientSettings client;
  pipeline::GrpcClientSettings grpc;
  pipeline::SendingSettings sending;
  Result<> validate() const {
    TRY(pipeline::compression_of(client.compression, net::kDefaultLevel, net::Carrier::Grpc));
    TRY(pipeline::check_client(client));
    TRY(check_endpoint(client.endpoint));
    TRY(pipeline::check_grpc_client(grpc));
    return pipeline::check_sending(sending);
  }
};

constexpr auto kFields =
    config::fields<Config>(config::embed(&Config::client, pipeline::kClientFields),
                           config::embed(&Config::grpc, pipeline::kGrpcClientFields),
                           config::embed(&Config::sending, pipeline::kSendingFields));

class OtlpGrpcExporter final : public pipeline::Component {
 public:
  OtlpGrpcExporter(Config config, std::string_view, pipeline::Outputs)
      : config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    net::GrpcClientOptions options;
    options.endpoint = pipeline::grpc_endpoint(config_.client.endpoint);
    config_.grpc.apply(options);
    options.proxy = TRY(pipeline::choose_grpc_proxy(options.endpoint));
    options.timeout = config_.sending.request_timeout();
    for (const auto& [name, value] : config_.client.headers)
      options.headers.push_back({name, value});
    if (pipeline::uses_tls(config_.client))
      options.tls = TRY(net::make_tls_client(config_.client.tls));
    authorizer_ = TRY(pipeline::Authorizer::make(host, config_.client.auth, net::Carrier::Grpc,
                                                 options.tls != nullptr));
    client_ = std::make_unique<net::GrpcClient>(host.loop(), std::move(options));
    encoding_ = TRY(pipeline::compression_of(config_.client.compression, net::kDefaultLevel,
                                             net::Carrier::Grpc));
    const bool compressed = encoding_ != net::Encoding::Identity;
    queue_ = std::make_unique<pipeline::SendingQueue>(
        host.scheduler(), host.id(), config_.sending,
        [this, compressed](const Batch& batch, pipeline::SendDone done) {
          auto body = pipeline::export_body(batch, encoding_, net::kDefaultLevel);
          if (!body) return done(std::unexpected(std::move(body.error())));
          const std::string_view path = pipeline::otlp_grpc_path(batch.signal);
          if (!config_.client.auth) {
            return call(path, std::move(*body), compressed, {}, std::move(done));
          }
          authorizer_->authorize({}, batch.context.get(),
                                 [this, path, compressed, body = std::move(*body),
                                  done = std::move(done)](Result<net::Headers> metadata) mutable {
                                   if (!metadata)
                                     return done(std::unexpected(std::move(metadata.error())));
                                   call(path, std::move(body), compressed, std::move(*metadata),
                                        std::move(done));
                                 });
        });
    auto* const old = dynamic_cast<OtlpGrpcExporter*>(host.predecessor());
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
    return pipeline::SendingQueue::looks_inside(config_.sending);
  }

 private:
  void call(std::string_view path, Bytes body, bool compressed, net::Headers metadata,
            pipeline::SendDone done) {
    client_->unary(
        path, std::move(body),
        [done = std::move(done)](Result<std::string> answer) mutable {
          if (!answer) {
            done(std::unexpected(std::move(answer.error())));
          } else {
            done(pipeline::read_export_response(*answer));
          }
        },
        compressed ? std::string_view(config_.client.compression) : "", std::move(metadata));
  }

  Config config_;
  net::Encoding encoding_ = net::Encoding::Identity;
  // Destroyed in reverse: each ends its calls, whose callbacks still need those above it.
  std::unique_ptr<pipeline::SendingQueue> queue_;
  std::unique_ptr<net::GrpcClient> client_;
  std::unique_ptr<pipeline::Authorizer> authorizer_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, otlp_grpc) {
  return sonde::pipeline::make_type<sonde::OtlpGrpcExporter, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Exporter,
       .name = "otlp_grpc",
       .aliases = {"otlp"},
       .summary = "Sends OTLP over gRPC.",
       .in = sonde::pipeline::kAllSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
