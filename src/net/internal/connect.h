// SPDX-License-Identifier: Apache-2.0
// Name lookup and connecting, for both clients. The stream's deadline bounds the connecting; a
// lookup runs on Asio's own thread and is bounded by the system's resolver.
#pragma once

#include <boost/beast/core/tcp_stream.hpp>

#include "base/result.h"
#include "net/address.h"
#include "net/internal/asio.h"

namespace sonde::net {

asio::awaitable<Result<>> connect(boost::beast::tcp_stream& stream, Address address);

}  // namespace sonde::net
