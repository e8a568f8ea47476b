// SPDX-License-Identifier: Apache-2.0
#include "net/internal/connect.h"

#include <fcntl.h>
#include <fmt/core.h>

namespace sonde::net {

asio::awaitable<Result<OwnPort>> connect(boost::beast::tcp_stream& stream, Address address) {
  const auto failed = [&address](const error_code& error) {
    const bool late = error == boost::beast::error::timeout;
    return fail(ErrorKind::Unavailable, fmt::format("cannot connect to {}: {}", address.to_string(),
                                                    late ? "timed out" : error.message()));
  };
  error_code numeric;
  const auto ip = asio::ip::make_address(address.host, numeric);
  if (!numeric) {
    const auto [error] = co_await stream.async_connect(Tcp::endpoint(ip, address.port), kAwait);
    if (error) co_return failed(error);
  } else {
    Tcp::resolver resolver(stream.get_executor());
    const auto [error, found] = co_await resolver.async_resolve(
        address.host, fmt::format("{}", address.port), Tcp::resolver::numeric_service, kAwait);
    if (error) {
      co_return fail(ErrorKind::Unavailable,
                     fmt::format("cannot find host \"{}\": {}", address.host, error.message()));
    }
    const auto [refused, endpoint] = co_await stream.async_connect(found, kAwait);
    if (refused) co_return failed(refused);
  }
  error_code ignored;
  stream.socket().set_option(Tcp::no_delay(true), ignored);
  ::fcntl(stream.socket().native_handle(), F_SETFD, FD_CLOEXEC);
  co_return OwnPort::connected(stream.socket().local_endpoint(ignored).port(),
                               stream.socket().remote_endpoint(ignored).port());
}

}  // namespace sonde::net
