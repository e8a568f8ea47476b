// SPDX-License-Identifier: Apache-2.0
// Which extensions the settings of a component name, found by the field table (FieldOptions::
// extension) wherever in the settings they stand.
#pragma once

#include <string>
#include <vector>

#include "config/field.h"

namespace sonde::config {

struct NamedExtension {
  std::string id;
  std::string path;  // "exporters::otlp_grpc::auth::authenticator"
  Position position;
};

// `value` may be wrong in any way: what does not fit the table is passed over. `path` is where the
// settings stand.
std::vector<NamedExtension> named_extensions(const Value& value, const FieldTable& table,
                                             std::string_view path);

}  // namespace sonde::config
