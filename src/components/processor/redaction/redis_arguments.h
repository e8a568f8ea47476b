// SPDX-License-Identifier: Apache-2.0
// Commands of Redis and Valkey without the values that they carry.
#pragma once

#include <string>
#include <string_view>

namespace sonde::redaction {

// "?" stands for each argument that is a value: the second of SET, each other of MSET, the password
// of AUTH. Keys and the arguments of other commands stay. Commands may follow each other, a line
// each; quotes hold spaces and line breaks together. Runs of spaces become one.
std::string hide_redis_values(std::string_view commands);

}  // namespace sonde::redaction
