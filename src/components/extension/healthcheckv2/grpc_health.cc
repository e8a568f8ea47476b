// SPDX-License-Identifier: Apache-2.0
#include "components/extension/healthcheckv2/grpc_health.h"

#include "data/wire.h"

namespace sonde::healthcheckv2 {

using pipeline::StatusKind;

Result<std::string> decode_request(std::string_view bytes) {
  proto::Reader reader(bytes);
  proto::Field field;
  std::string service;
  while (reader.next(field)) {
    if (field.number != 1) continue;
    if (field.type != proto::Type::Bytes) {
      return fail(ErrorKind::Invalid, "HealthCheckRequest.service is no text");
    }
    service = field.bytes;
  }
  if (!reader.ok()) return fail(ErrorKind::Invalid, "no HealthCheckRequest");
  return service;
}

std::string encode_response(Serving serving) {
  if (serving == Serving::Unknown) return {};
  return {'\x08', static_cast<char>(serving)};  // The field 1, a varint.
}

Serving serving_of(const pipeline::Health& health, const pipeline::HealthRule& rule,
                   int64_t now_unix_ns) {
  switch (health.status.kind) {
    case StatusKind::Ok:
    case StatusKind::RecoverableError:
    case StatusKind::PermanentError:
      return pipeline::is_healthy(health, rule, now_unix_ns) ? Serving::Serving
                                                             : Serving::NotServing;
    default:
      return Serving::NotServing;
  }
}

}  // namespace sonde::healthcheckv2
