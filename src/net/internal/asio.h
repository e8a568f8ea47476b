// SPDX-License-Identifier: Apache-2.0
// What this room uses of Asio. Its implementation is compiled once, in internal/asio_impl.cc: see
// room.cmake.
#pragma once

#if !defined(BOOST_ASIO_SEPARATE_COMPILATION) || !defined(BOOST_BEAST_SEPARATE_COMPILATION)
#error "room.cmake says how Asio is compiled; this file is for the net room alone"
#endif

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sonde::net {
namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using boost::system::error_code;
inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
}  // namespace sonde::net
