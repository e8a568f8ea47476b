// SPDX-License-Identifier: Apache-2.0
// OTLP as JSON, as the OTLP specification's "JSON Protobuf Encoding" says: proto3's JSON mapping,
// with ids in hexadecimal and enumerations as numbers. Reading also takes what the mapping lets
// parsers take: snake_case names, enumerations by name, 64-bit numbers with or without quotes;
// names that are not known are skipped. As the Collector does it takes null for an element of a
// list of messages or texts (an empty one) and for the whole (an empty request), and makes U+FFFD
// of a half of a surrogate pair; ids are empty or of 16 and 8 bytes. It is table-driven, so every
// field is listed once.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "data/batch.h"

namespace sonde::wire {

// Which message of a signal's service a body is.
enum class OtlpBody { Request, Response };

// To the bytes of an Export<Signal>ServiceRequest or -Response. Invalid where the JSON is wrong,
// with the path of the place; Exhausted when more than max_size bytes would come out.
Result<Bytes> otlp_from_json(Signal signal, OtlpBody body, std::string_view json, size_t max_size);

// How many bytes of memory otlp_from_json() takes at most while it reads, beside the text: a copy
// of it, where its values are, its strings and what comes out.
size_t json_reading_need(std::string_view json, size_t max_size);

struct SignalRequest {
  Signal signal;
  Bytes request;
};
// The requests in a JSON object that may be of any signal but profiles, or of several, as its keys
// say: one for each signal whose key there is, in the order of signals, though it may be empty.
// Those that are not wanted are left empty and not looked into. Errors as of otlp_from_json().
Result<std::vector<SignalRequest>> otlp_requests_from_json(std::string_view json,
                                                           std::span<const Signal> wanted,
                                                           size_t max_size);

// What JSON does not hold as it came.
struct JsonChanges {
  // Arrays and maps in values of attributes or bodies that nest deeper than otlp_from_json() reads:
  // written as bytesValue, which holds the protobuf of the AnyValue.
  size_t folded = 0;
  // Messages and lists within the request that do not parse: written as far as they do. Ids of a
  // wrong length: left out, as who reads the JSON would refuse all of it.
  size_t damaged = 0;
};
// The chunks as one JSON object. Fields that are not known to this program have no name in JSON
// and are left out; text that is no UTF-8 becomes U+FFFD. Invalid when the request itself does not
// parse. What is wrong within one record changes that alone, as others may come with it.
Result<std::string> otlp_to_json(Signal signal, OtlpBody body, std::span<const Bytes> chunks,
                                 JsonChanges* changes = nullptr);

// {"code":3,"message":"..."}: a google.rpc.Status without details, as refusals carry it.
std::string rpc_status_to_json(int code, std::string_view message);

}  // namespace sonde::wire
