// SPDX-License-Identifier: Apache-2.0
// Queries that are written as JSON, of MongoDB, Elasticsearch and OpenSearch, without what they ask
// for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sonde::redaction {

// "?" stands for every text, number, boolean and null; keys, objects and arrays stay, white space
// goes. Nothing for what is no JSON (RFC 8259), or nested deeper than 10000. Bytes that are no
// UTF-8 may stand in texts.
//   {"find": "users", "filter": {"age": 30}} -> {"find":"?","filter":{"age":"?"}}
std::optional<std::string> hide_json_values(std::string_view json);

}  // namespace sonde::redaction
