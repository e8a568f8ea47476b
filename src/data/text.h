// SPDX-License-Identifier: Apache-2.0
// The text form of a batch, for scenario tests, the debug exporter and bug reports. It round-trips:
// from_text(to_text(b)) is b in canonical bytes, and the text of the same data is always the same.
//
//   traces
//     resource
//       service.name = "cart"
//       scope
//         name: "sonde"
//         span
//           trace_id: 0102030405060708090a0b0c0d0e0f10
//           span_id: 0102030405060708
//           name: "GET /cart"
//           kind: server
//           start: 5s
//           end: 5250ms
//           status: error
//           http.response.status_code = 500
//
// The first line names the signal. `word` opens a message whose content is indented deeper,
// `name: value` is one of its fields, `key = value` an attribute. Ids are hexadecimal, times have a
// unit (ns, us, ms, s), doubles have a point. `#` starts a comment line. A field this room does not
// know is kept as `?12: ...`, and a chunk that does not parse at all as `malformed: "..."`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "data/batch.h"

namespace sonde {

std::string to_text(Signal signal, std::string_view chunk);
std::string to_text(const Batch& batch);
// An error names the line: "line 7: ...".
Result<Batch> from_text(std::string_view text);

}  // namespace sonde
