// SPDX-License-Identifier: Apache-2.0
// Takes OTLP over gRPC and HTTP from SDKs, agents and collectors. The sender is answered when the
// pipelines have said how its request ended: a queue that is full is told, not hidden.
#include <fmt/format.h>

#include <array>
#include <string>

#include "components/receiver/otlp/answers.h"
#include "components/receiver/otlp/intake.h"
#include "components/receiver/otlp/settings.h"
#include "data/count.h"
#include "net/grpc/grpc_server.h"
#include "net/http/http_server.h"
#include "pipeline/auth/auth_gate.h"
#include "pipeline/component.h"
#include "pipeline/otlp_export.h"
#include "pipeline/rpc_status.h"

namespace sonde::otlp_receiver {
namespace {

using net::GrpcCode;

std::optional<Signal> signal_of_method(std::string_view path) {
  for (const Signal signal : kSignals) {
    if (path == pipeline::otlp_grpc_path(signal)) return signal;
  }
  return std::nullopt;
}

// Asks who sent something; `refuse` makes of the gate's error what a stranger is told.
template <class Identified, class Later, class Refuse>
std::optional<Identified> ask(pipeline::AuthGate& gate, const net::Headers& headers, Later later,
                              Refuse refuse) {
  auto judge = [refuse = std::move(refuse)](Result<pipeline::AuthData> known) -> Identified {
    if (known) return std::move(*known);
    return std::unexpected(refuse(known.error()));
  };
  if (auto known = gate.check(headers)) return judge(std::move(*known));
  gate.verify(headers,
              [judge = std::move(judge), later = std::move(later)](
                  Result<pipeline::AuthData> known) mutable { later(judge(std::move(known))); });
  return std::nullopt;
}

Result<size_t> items_of(Signal signal, const Body& body) {
  if (body.opaque) return 0;
  return count_items(signal, body.plain.view());
}

class OtlpReceiver final : public pipeline::Component {
 public:
  OtlpReceiver(Config config, std::string_view, pipeline::Outputs outputs)
      : config_(std::move(config)), outputs_(outputs) {}

  Result<> check_outputs() const override {
    if (!config_.opaque || !outputs_.look_inside()) return {};
    return fail(ErrorKind::Invalid,
                "opaque: a component that follows has to look inside; only exporters that send "
                "requests on as they come (otlp_grpc and otlp_http without a batch or a storage "
                "in their sending_queue, nop) may follow, through forward and memory_limiter");
  }

  Result<> start(pipeline::Host& host) override {
    if (config_.protocols.grpc) TRY(start_grpc(host, *config_.protocols.grpc));
    if (config_.protocols.http) TRY(start_http(host, *config_.protocols.http));
    return {};
  }

  // Takes nothing new; what is in the pipelines is still answered.
  void stop() override {
    if (grpc_) grpc_->drain();
    if (http_) http_->drain();
  }
  bool drained() const override {
    return (!grpc_ || grpc_->drained()) && (!http_ || http_->drained()) &&
           (!grpc_intake_ || grpc_intake_->open() == 0) &&
           (!http_intake_ || http_intake_->open() == 0) &&
           (!grpc_gate_ || grpc_gate_->waiting() == 0) &&
           (!http_gate_ || http_gate_->waiting() == 0);
  }

 private:
  // A component with two listeners is well when both are.
  void accepting(pipeline::Host& host, size_t listener, Result<> result) {
    failing_[listener] = !result;
    if (!result) {
      host.report_status(pipeline::Status::recoverable(result.error()));
    } else if (!failing_[1 - listener]) {
      host.report_status(pipeline::Status::ok());
    }
  }

  Result<> start_grpc(pipeline::Host& host, const Grpc& settings) {
    grpc_intake_ = std::make_unique<Intake>(host.scheduler(), host.id(), "grpc", outputs_);
    net::GrpcServerOptions options;
    options.max_message = grpc_max_message();
    options.accepting = [this, &host](Result<> result) { accepting(host, 0, std::move(result)); };
    if (settings.max_concurrent_streams > 0) {
      options.max_concurrent_streams = settings.max_concurrent_streams;
    }
    if (settings.keepalive) options.keepalive = settings.keepalive->options();
    auto gate = pipeline::AuthGate::make(host, settings.auth);
    if (!gate) return std::unexpected(at("protocols::grpc", std::move(gate.error())));
    grpc_gate_ = std::move(*gate);
    options.keep_metadata = settings.include_metadata || grpc_gate_;
    if (grpc_gate_) {
      options.identify = [this](const net::GrpcRequest& request, net::GrpcIdentifiedLater later) {
        return ask<net::GrpcIdentified>(
            *grpc_gate_, request.metadata, std::move(later), [](const Error& why) {
              return net::GrpcStatus{code_of_stranger(why), why.message, {}};
            });
      };
    }
    options.admit = [this](const net::GrpcRequest& request, size_t bytes) -> net::GrpcAdmitted {
      const auto signal = signal_of_method(request.path);
      if (!signal || !grpc_intake_->wants(*signal)) return std::unexpected(not_taken(request.path));
      auto admitted = grpc_intake_->admit(
          *signal, bytes, !request.encoding.empty() && !opaque(*grpc_intake_, *signal),
          grpc_max_message());
      if (!admitted) return std::unexpected(pipeline::grpc_status_of(admitted.error()));
      return std::move(*admitted);
    };
    if (settings.tls) {
      auto tls = net::make_tls_server(*settings.tls);
      if (!tls) return std::unexpected(at("protocols::grpc", std::move(tls.error())));
      options.tls = std::move(*tls);
    }
    auto server = net::GrpcServer::listen(
        host.loop(), pipeline::listen_address(settings.transport, settings.endpoint),
        [this](net::GrpcRequest request, net::GrpcResponder responder) {
          take_grpc(std::move(request), std::move(responder));
        },
        std::move(options));
    if (!server) return std::unexpected(at("protocols::grpc::endpoint", server.error()));
    grpc_ = std::move(*server);
    return {};
  }

  // Whether a body of protobuf is passed on without a look into it.
  bool opaque(const Intake& intake, Signal signal) const {
    return config_.opaque && !intake.looks_inside(signal);
  }

  size_t grpc_max_message() const {
    const uint64_t mib = config_.protocols.grpc->max_recv_msg_size_mib;
    return static_cast<size_t>(mib == 0 ? 4 : std::min<uint64_t>(mib, 1024)) << 20;
  }

  static net::GrpcStatus not_taken(std::string_view path) {
    return {GrpcCode::Unimplemented, fmt::format("no pipeline takes {}", path), {}};
  }

  void take_grpc(net::GrpcRequest request, net::GrpcResponder responder) {
    const auto signal = signal_of_method(request.path);
    if (!signal || !grpc_intake_->wants(*signal)) return responder.fail(not_taken(request.path));
    request.admission.redeem_memory();
    auto body =
        open_body(net::Carrier::Grpc, request.encoding, request.message.view(), grpc_max_message(),
                  opaque(*grpc_intake_, *signal), [&] { return std::move(request.message); });
    if (!body) {
      const Error& error = body.error();
      if (error.retry_after > Duration{}) return responder.fail(pipeline::grpc_status_of(error));
      return responder.fail({code_of_body(error), error.message, {}});
    }
    const auto items = items_of(*signal, *body);
    if (!items) {
      return responder.fail({GrpcCode::InvalidArgument, malformed(*signal, items.error()), {}});
    }
    auto context =
        context_of(config_.protocols.grpc->include_metadata ? &request.metadata : nullptr,
                   request.peer, std::move(request.sender));
    grpc_intake_->take(*signal, std::move(*body), *items, std::move(context),
                       std::move(request.admission),
                       [responder = std::move(responder)](Result<Accepted> result) mutable {
                         if (result) {
                           responder.respond(Bytes::take(encode_response(*result)));
                         } else {
                           responder.fail(pipeline::grpc_status_of(result.error()));
                         }
                       });
  }

  Result<> start_http(pipeline::Host& host, const Http& settings) {
    http_intake_ = std::make_unique<Intake>(host.scheduler(), host.id(), "http", outputs_);
    auto gate = pipeline::AuthGate::make(host, settings.auth);
    if (!gate) return std::unexpected(at("protocols::http", std::move(gate.error())));
    http_gate_ = std::move(*gate);
    auto options = pipeline::http_server_options(settings.server);
    if (!options) return std::unexpected(at("protocols::http", std::move(options.error())));
    if (http_gate_) {
      options->identify = [this](const net::Request& request, net::IdentifiedLater later) {
        return identify_http(request, std::move(later));
      };
    }
    options->admit = [this](const net::Request& request, std::optional<size_t> length) {
      return admit_http(request, length);
    };
    options->accepting = [this, &host](Result<> result) { accepting(host, 1, std::move(result)); };
    auto server = net::HttpServer::listen(
        host.loop(), pipeline::listen_address(settings.server.transport, settings.server.endpoint),
        [this](net::Request& request, net::Responder responder) {
          take_http(request, std::move(responder));
        },
        std::move(*options));
    if (!server) return std::unexpected(at("protocols::http::endpoint", server.error()));
    http_ = std::move(*server);
    return {};
  }

  std::optional<Signal> signal_of_path(std::string_view path) const {
    const Http& http = *config_.protocols.http;
    // A setting without the slash in front stands for the path with it.
    const auto is = [&](std::string_view setting) {
      return path == setting ||
             (path.starts_with('/') && path.substr(1) == setting && !setting.starts_with('/'));
    };
    if (is(http.traces_url_path)) return Signal::Traces;
    if (is(http.metrics_url_path)) return Signal::Metrics;
    if (is(http.logs_url_path)) return Signal::Logs;
    if (is(pipeline::otlp_http_path(Signal::Profiles))) return Signal::Profiles;
    return std::nullopt;
  }

  // With the parameters of the query that stand for headers.
  net::Headers credentials(const net::Request& request) const {
    net::Headers headers = request.headers;
    for (const std::string& name : config_.protocols.http->auth->request_params) {
      if (auto value = request.query_param(name)) {
        pipeline::set_header(headers, name, std::move(*value));
      }
    }
    return headers;
  }

  net::Admitted admit_http(const net::Request& request, std::optional<size_t> length) {
    const auto signal = signal_of_path(request.path);
    // The handler says what is wrong with it.
    if (!signal || !http_intake_->wants(*signal) || request.method != "POST") return Admission();
    const std::string_view encoding = request.header("content-encoding");
    const bool compressed = !encoding.empty() && encoding != "identity";
    const bool json = net::media_type(request.header("content-type")) == kJson;
    const bool opens = compressed && (json || !opaque(*http_intake_, *signal));
    auto admitted = http_intake_->admit(*signal, length.value_or(0), opens,
                                        config_.protocols.http->server.max_body());
    if (admitted) return std::move(*admitted);
    const Error& error = admitted.error();
    net::Response refused = refusal(json, pipeline::code_of(error), error);
    if (error.kind == ErrorKind::Exhausted) refused.status = http_status_of_body(error);
    return std::unexpected(std::move(refused));
  }

  std::optional<net::Identified> identify_http(const net::Request& request,
                                               net::IdentifiedLater later) {
    const bool plain = config_.protocols.http->auth->request_params.empty();
    const net::Headers changed = plain ? net::Headers() : credentials(request);
    const auto refuse = [type = net::media_type(request.header("content-type"))](const Error& why) {
      const GrpcCode code = code_of_stranger(why);
      if (type == kJson || type == kProtobuf) return refusal(type == kJson, code, why);
      return net::Response{pipeline::http_status_of(code), "text/plain", why.message, {}};
    };
    return ask<net::Identified>(*http_gate_, plain ? request.headers : changed, std::move(later),
                                refuse);
  }

  void take_http(net::Request& request, net::Responder responder) {
    const auto plain = [&](int status, std::string why) {
      responder.respond({status, "text/plain", std::move(why), {}});
    };
    const auto signal = signal_of_path(request.path);
    if (!signal || !http_intake_->wants(*signal)) return plain(404, "404 page not found\n");
    if (request.method != "POST") {
      return plain(405, "405 method not allowed, supported: [POST]\n");
    }
    const std::string type = net::media_type(request.header("content-type"));
    const bool json = type == kJson;
    if (!json && type != kProtobuf) {
      return plain(415,
                   "415 unsupported media type, supported: [application/json, "
                   "application/x-protobuf]\n");
    }
    const pipeline::HttpServerSettings& settings = config_.protocols.http->server;
    const size_t limit = settings.max_body();
    const std::string_view encoding = request.header("content-encoding");
    Result<Body> body =
        fail(ErrorKind::NotFound, fmt::format("\"{}\" is not taken here", encoding));
    request.admission.redeem_memory();
    if (settings.takes_encoding(encoding)) {
      body = open_body(net::Carrier::Http, encoding, request.body.view(), limit,
                       !json && opaque(*http_intake_, *signal),
                       [&] { return std::move(request.body); });
    }
    if (body && json) body = read_json(*signal, *body, limit);
    if (!body) {
      net::Response refused = refusal(json, code_of_body(body.error()), body.error());
      refused.status = http_status_of_body(body.error());
      if (refused.status == 415) {
        const std::string_view known = net::accepted_encodings(net::Carrier::Http);
        refused.headers.push_back({"Accept-Encoding", std::string(known)});
      }
      return responder.respond(std::move(refused));
    }
    const auto items = items_of(*signal, *body);
    if (!items) {
      return responder.respond(
          refusal(json, GrpcCode::InvalidArgument,
                  {ErrorKind::Invalid, malformed(*signal, items.error()), {}}));
    }
    auto context = context_of(settings.include_metadata ? &request.headers : nullptr, request.peer,
                              std::move(request.sender));
    http_intake_->take(
        *signal, std::move(*body), *items, std::move(context), std::move(request.admission),
        [json, signal = *signal,
         responder = std::move(responder)](Result<Accepted> result) mutable {
          responder.respond(result
                                ? accepted(json, signal, *result)
                                : refusal(json, pipeline::code_of(result.error()), result.error()));
        });
  }

  Config config_;
  pipeline::Outputs outputs_;
  // The servers are destroyed first: they end the calls that the intakes answer.
  std::unique_ptr<Intake> grpc_intake_;
  std::unique_ptr<Intake> http_intake_;
  std::unique_ptr<pipeline::AuthGate> grpc_gate_;
  std::unique_ptr<pipeline::AuthGate> http_gate_;
  std::array<bool, 2> failing_{};  // gRPC, HTTP.
  std::unique_ptr<net::GrpcServer> grpc_;
  std::unique_ptr<net::HttpServer> http_;
};

}  // namespace
}  // namespace sonde::otlp_receiver

SONDE_COMPONENT(receiver, otlp) {
  using namespace sonde::otlp_receiver;
  return sonde::pipeline::make_type<OtlpReceiver, Config>(
      {.kind = sonde::pipeline::Kind::Receiver,
       .name = "otlp",
       .summary = "Takes OTLP over gRPC and HTTP.",
       .in = sonde::pipeline::kNoSignals,
       .out = sonde::pipeline::kAllSignals,
       .create = {}},
      kFields.table());
}
