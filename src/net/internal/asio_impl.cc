// SPDX-License-Identifier: Apache-2.0
// The compiled part of Asio and Beast, once for the program. Nothing else belongs here.
#include "net/internal/asio.h"
// After the switches above, so not sorted.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
