// SPDX-License-Identifier: Apache-2.0
// Names of error kinds and the prefixing of messages.
#include "base/result.h"

namespace sonde {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Invalid:
      return "invalid";
    case ErrorKind::Unavailable:
      return "unavailable";
    case ErrorKind::NotFound:
      return "not found";
    case ErrorKind::Denied:
      return "denied";
    case ErrorKind::Exhausted:
      return "exhausted";
    case ErrorKind::Internal:
      return "internal";
  }
  return "unknown";
}

Error at(std::string_view where, Error error) {
  error.message = std::string(where) + ": " + error.message;
  return error;
}

}  // namespace sonde
