// SPDX-License-Identifier: Apache-2.0
// Values as the Collector spells them out (its AsString), wherever a text is matched, hashed or
// becomes a label: other programs' expectations and their regular expressions are made for it.
#pragma once

#include <string>

#include "data/attribute_view.h"

namespace sonde {

// Strings as they are; nothing for an empty value; true and false; integers in decimal; bytes in
// base64 (RFC 4648, section 4). Doubles have the fewest digits that tell them apart, with an
// exponent only below 1e-6 and from 1e21 on (1e-7, 1.5e+21), or are NaN, Infinity, -Infinity.
// Arrays and maps are JSON without spaces, the keys of maps in the order of their bytes, and <, >
// and & as they are.
//
// It tells more than the Collector in two cases, so that nothing can hide from who looks for it:
// of a key that comes twice both values stand, and NaN and infinities within an array or a map are
// texts in quotes, where the Collector makes the whole value an empty text.
//
// Any depth, in time and memory that grow with the bytes of the value.
void append_collector_text(std::string& out, const AnyValueView& value);
std::string collector_text(const AnyValueView& value);

}  // namespace sonde
