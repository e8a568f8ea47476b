// SPDX-License-Identifier: Apache-2.0
// What the halves of the decoder hand to each other: decode.cc walks structures, decode_scalar.cc
// fills in single values.
#pragma once

#include <string>
#include <string_view>

#include "config/field.h"

namespace sonde::config {

inline std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }
// "a|b|c" as "a, b, c". A leading empty choice is left out.
std::string listed(std::string_view choices);

// Where the value goes and how it is described in messages.
struct Slot {
  const TypeOps& ops;
  const FieldOptions& options;
  const FieldTable* nested;
  void* out;
  std::string path;

  Show show() const { return options.secret ? Show::Nothing : Show::Place; }
  std::unexpected<Error> fail(const Value& value, std::string_view message) const {
    return fail_at(value.position, path + ": " + std::string(message), show());
  }
  std::unexpected<Error> wrong_type(const Value& value, std::string_view wanted) const {
    std::string message = "expected " + std::string(wanted) + ", got ";
    message += type_name(value.type);
    // A secret may have been written where another type was expected.
    if (value.is_scalar() && !value.is_null() && !options.secret) {
      message += " (" + quoted(value.text) + ")";
    }
    return fail(value, message);
  }
};

// Of every shape that holds no other value. A null has been dealt with.
Result<> decode_scalar(const Slot& slot, const Value& value);

}  // namespace sonde::config
