// SPDX-License-Identifier: Apache-2.0
// The one way this room includes Asio: with its implementation compiled once, in
// internal/asio_impl.cc, because each file would otherwise compile all of it again.
#pragma once

#ifndef BOOST_ASIO_SEPARATE_COMPILATION
#define BOOST_ASIO_SEPARATE_COMPILATION
#endif
#ifndef BOOST_BEAST_SEPARATE_COMPILATION
#define BOOST_BEAST_SEPARATE_COMPILATION
#endif
// std::aligned_alloc is looked for where libstdc++ 12 does not promise it.
#define BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC

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
