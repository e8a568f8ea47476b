// SPDX-License-Identifier: Apache-2.0
// The room `base`: what every other room stands on. Below it are only libc, the STL and fmt
// (spdlog, RE2 and libcrypto behind one .cc each).
//   result.h             Result<T>, Error, TRY: how expected failure travels
//   time.h               Duration, Time, Clock and its system and virtual kinds
//   scheduler.h          run this later, on this loop; virtual_scheduler.h is the one of tests
//   repeating_timer.h    and again at an interval
//   bytes.h              immutable shared bytes, the currency of a pipeline
//   bounded_queue.h      a queue that refuses instead of growing
//   counters.h           the program's telemetry about itself
//   ascii.h, utf8.h      letters as protocols compare them, and texts that peers wrote
//   base64.h, hex.h      bytes as text
//   url_secrets.h        a URL without what nobody else may read
//   json_writer.h        valid JSON, written straight into a string
//   regex.h, digest.h    RE2 and hashes behind small faces
//   check.h, log.h       dying of our own mistakes, and talking to the operator
// Include the single headers; this file is the manual and includes nothing. What knows of
// telemetry, sockets or configuration belongs in a room above.
#pragma once
