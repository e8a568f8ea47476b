// SPDX-License-Identifier: Apache-2.0
// The wire room: telemetry in forms other than OTLP protobuf, to OTLP bytes and back.
//
//   otlp_json/otlp_json.h  OTLP's own JSON form, both ways, for requests and responses
//
// A reader here gives canonical OTLP bytes or an error that says where the input is wrong; it is
// given a bound and never makes more than that. What carries the bytes is the net room's business.
#pragma once

#include "wire/otlp_json/otlp_json.h"
