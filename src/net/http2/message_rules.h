// SPDX-License-Identifier: Apache-2.0
// Judges a list of fields: whether it is a request, a response or trailers.
#pragma once

#include "net/http2/header_block.h"

namespace sonde::net::http2 {

// Sets all but `list` and `too_large`. A list that was too large is judged by what was kept of it.
void judge(Fields& fields);

}  // namespace sonde::net::http2
