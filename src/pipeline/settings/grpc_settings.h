// SPDX-License-Identifier: Apache-2.0
// Settings that servers and clients of gRPC have besides those of every peer, named as the
// Collector names them.
#pragma once

#include <optional>
#include <string>

#include "config/field.h"
#include "net/grpc/grpc_client.h"
#include "net/grpc/grpc_server.h"

namespace sonde::pipeline {

// Taken and without an effect: bytes are read into buffers that connections share.
struct BufferSizes {
  int64_t read_buffer_size = 0;
  int64_t write_buffer_size = 0;
};

struct GrpcServerParameters {
  Duration max_connection_idle{}, max_connection_age{}, max_connection_age_grace{};
  Duration time{}, timeout{};  // 0: gRPC's own, two hours and 20 s
};

struct GrpcEnforcementPolicy {
  Duration min_time{};  // 0: gRPC's own, five minutes
  bool permit_without_stream = false;
};

struct GrpcServerKeepaliveSettings {
  std::optional<GrpcServerParameters> server_parameters = GrpcServerParameters();
  std::optional<GrpcEnforcementPolicy> enforcement_policy = GrpcEnforcementPolicy();

  net::GrpcServerKeepalive options() const;
};

struct GrpcClientKeepaliveSettings {
  Duration time = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(10);
  bool permit_without_stream = false;
};

struct GrpcClientSettings {
  // None: the peer is never asked for a sign.
  std::optional<GrpcClientKeepaliveSettings> keepalive = GrpcClientKeepaliveSettings();
  BufferSizes buffers;
  bool wait_for_ready = false;
  std::string user_agent;
  std::string balancer_name = "round_robin";
  std::string authority;

  void apply(net::GrpcClientOptions& options) const;
};

// Call from Config::validate().
Result<> check_grpc_client(const GrpcClientSettings& settings);

// What gRPC's resolvers are called: "dns:///host:port" is "host:port" here.
std::string grpc_endpoint(std::string_view endpoint);

inline constexpr auto kBufferFields = config::fields<BufferSizes>(
    config::field("read_buffer_size", &BufferSizes::read_buffer_size,
                  "Taken, without an effect: buffers are shared.", {.unit = "By"}),
    config::field("write_buffer_size", &BufferSizes::write_buffer_size,
                  "Taken, without an effect: buffers are shared.", {.unit = "By"}));

inline constexpr auto kGrpcServerParameterFields = config::fields<GrpcServerParameters>(
    config::field("max_connection_idle", &GrpcServerParameters::max_connection_idle,
                  "Without a call for so long a peer is sent away; 0 or less: never."),
    config::field("max_connection_age", &GrpcServerParameters::max_connection_age,
                  "After so long a peer is sent away; 0 or less: never."),
    config::field("max_connection_age_grace", &GrpcServerParameters::max_connection_age_grace,
                  "And after so long is closed; 0 or less: never."),
    config::field("time", &GrpcServerParameters::time,
                  "After so much silence a peer is asked for a sign; 0 or less: two hours."),
    config::field("timeout", &GrpcServerParameters::timeout, "For the sign; 0 or less: 20s."));
inline constexpr auto kGrpcPolicyFields = config::fields<GrpcEnforcementPolicy>(
    config::field("min_time", &GrpcEnforcementPolicy::min_time,
                  "Who asks more often than so is closed; 0 or less: five minutes."),
    config::field("permit_without_stream", &GrpcEnforcementPolicy::permit_without_stream,
                  "Let a peer ask while it has no calls."));
inline constexpr auto kGrpcServerKeepaliveFields = config::fields<GrpcServerKeepaliveSettings>(
    config::field("server_parameters", &GrpcServerKeepaliveSettings::server_parameters,
                  kGrpcServerParameterFields, "How long connections are kept."),
    config::field("enforcement_policy", &GrpcServerKeepaliveSettings::enforcement_policy,
                  kGrpcPolicyFields, "How often peers may ask."));

inline constexpr auto kGrpcClientKeepaliveFields = config::fields<GrpcClientKeepaliveSettings>(
    config::field("time", &GrpcClientKeepaliveSettings::time,
                  "After so much silence the peer is asked for a sign; at least 10s."),
    config::field("timeout", &GrpcClientKeepaliveSettings::timeout, "For the sign."),
    config::field("permit_without_stream", &GrpcClientKeepaliveSettings::permit_without_stream,
                  "Also while nothing is sent."));

// To be embedded.
inline constexpr auto kGrpcClientFields = config::fields<GrpcClientSettings>(
    config::field("keepalive", &GrpcClientSettings::keepalive, kGrpcClientKeepaliveFields,
                  "How a dead connection is found out."),
    config::embed(&GrpcClientSettings::buffers, kBufferFields),
    config::field("wait_for_ready", &GrpcClientSettings::wait_for_ready,
                  "Taken: what cannot be sent is tried again anyway."),
    config::field("user_agent", &GrpcClientSettings::user_agent, "Instead of our own."),
    config::field("balancer_name", &GrpcClientSettings::balancer_name,
                  "round_robin or pick_first: here both are one connection."),
    config::field("authority", &GrpcClientSettings::authority,
                  "The server's name, where it is not the endpoint's host."));

}  // namespace sonde::pipeline
