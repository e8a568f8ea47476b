// SPDX-License-Identifier: Apache-2.0
// What the tables of the stable signals and of profiles have of each other. Private to
// otlp_schema.cc and otlp_schema_profiles.cc.
#pragma once

#include "data/otlp_schema.h"

namespace sonde::otlp {

extern const Message kAnyValue;  // Values nest: arrays and maps hold values again.
extern const Message kResource;
extern const Message kScope;

extern const Message kProfilesRequest;
extern const Message kProfilesResponse;

}  // namespace sonde::otlp
