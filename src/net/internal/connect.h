// SPDX-License-Identifier: Apache-2.0
// Name lookup and connecting, for both clients. The stream's deadline bounds the connecting; a
// lookup runs on Asio's own thread and is bounded by the system's resolver.
#pragma once

#include <boost/beast/core/tcp_stream.hpp>

#include "base/result.h"
#include "net/address.h"
#include "net/internal/asio.h"
#include "net/own_port.h"

namespace sonde::net {

// The near end of the connection, to be held for as long as it is open.
asio::awaitable<Result<OwnPort>> connect(boost::beast::tcp_stream& stream, Address address);

}  // namespace sonde::net
