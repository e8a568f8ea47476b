// SPDX-License-Identifier: Apache-2.0
// What a gRPC server's keepalive settings make of one connection: when to ask whether its peer is
// still there, when to send it away, and which pings of it are too many
// (https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md and A9). It is told
// what happened and asked once a tick; it touches no connection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/grpc/grpc_server.h"

namespace sonde::net {

class GrpcKeepalive {
 public:
  // `spread` from 0 to 1 keeps connections that began together from ending together.
  GrpcKeepalive(const GrpcServerKeepalive& settings, int64_t now_ns, double spread);

  void heard() { heard_ = true; }     // bytes came
  void called() { called_ = true; }   // a call began
  void answered() { strikes_ = -1; }  // one ended: the next ping is allowed
  // A ping came. False when its sender sends too many of them.
  bool pinged(int64_t now_ns, size_t calls);

  enum class Action : uint8_t { None, Ping, Retire, Close };
  // Retire is said once: no new calls are to come. Close ends the connection.
  Action tick(int64_t now_ns, size_t calls);

 private:
  const GrpcServerKeepalive settings_;  // The connection may outlive its server.
  int64_t heard_ns_;
  int64_t idle_since_ns_;
  int64_t retire_ns_;     // by age; 0: never
  int64_t close_ns_ = 0;  // 0: not retired by age, or without an end
  int64_t ping_ns_ = 0;   // when the peer was asked; 0: it was not
  int64_t last_ping_ns_ = 0;
  int strikes_ = 0;
  bool heard_ = false;
  bool called_ = false;
  bool retired_ = false;
};

}  // namespace sonde::net
