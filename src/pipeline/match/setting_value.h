// SPDX-License-Identifier: Apache-2.0
// A value of any shape from a configuration as the bytes of an AnyValue, ready to be laid into an
// attribute; and the ways to carry a value that came with the data from one attribute to another.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/value.h"
#include "data/attribute_view.h"
#include "data/message_edit.h"

namespace sonde::pipeline {

// Null is the empty value. An error for what OTLP cannot say: a date.
Result<std::string> any_value_of(const config::Value& value);

// Sets the attribute to a value that may be a view of the same message. `scratch` keeps memory.
void set_attribute(MessageEdit& message, std::string_view key, const AnyValueView& value,
                   std::string& scratch);

// Whether both say the same; arrays and maps by their bytes.
bool same_value(const AnyValueView& a, const AnyValueView& b);

// Text as Go's strconv spells it: 1 for 1.0, no exponent. False for what is no scalar, when
// `out` is left alone. A string is not copied: `out` is then a view of it, else of `scratch`.
bool scalar_text(const AnyValueView& value, std::string& scratch, std::string_view& out);

}  // namespace sonde::pipeline
