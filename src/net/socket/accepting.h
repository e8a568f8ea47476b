// SPDX-License-Identifier: Apache-2.0
// How a server tells its owner that it cannot take connections.
#pragma once

#include <functional>

#include "base/result.h"

namespace sonde::net {

// Called on the loop: with an error when no connection can be taken, for example for want of
// descriptors, and with success when one could be taken again. Not more than once in between.
using Accepting = std::function<void(Result<>)>;

}  // namespace sonde::net
