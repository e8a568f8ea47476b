// SPDX-License-Identifier: Apache-2.0
//
// Shipping: a thread a connection over Boost.Beast, blocking reads and writes. It is the C++ service of the demo and
// knows nothing of telemetry.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

namespace {

void drag() {
  std::ifstream file(std::getenv("DEMO_SLOW_FILE"));
  double ms = 0;
  if (file >> ms && ms > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms));
}

void serve(tcp::socket socket) {
  beast::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  beast::flat_buffer buffer;
  while (!error) {
    http::request<http::string_body> request;
    http::read(socket, buffer, request, error);
    if (error) break;
    http::response<http::string_body> response{http::status::ok, request.version()};
    response.set(http::field::content_type, "application/json");
    response.keep_alive(request.keep_alive());
    if (request.target() == "/shipments") {
      drag();
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
      response.result(http::status::created);
      response.body() = "{\"carrier\":\"post\"}";
    } else if (request.target() == "/healthz") {
      response.body() = "\"ok\"";
    } else {
      response.result(http::status::not_found);
      response.body() = "{}";
    }
    response.prepare_payload();
    http::write(socket, response, error);
    if (!response.keep_alive()) break;
  }
  socket.shutdown(tcp::socket::shutdown_both, error);
}

}  // namespace

int main() {
  boost::asio::io_context context;
  const auto port = static_cast<unsigned short>(std::atoi(std::getenv("PORT")));
  tcp::acceptor acceptor(context, {boost::asio::ip::make_address("127.0.0.1"), port});
  for (;;) {
    beast::error_code error;
    tcp::socket socket(context);
    acceptor.accept(socket, error);
    if (!error) std::thread(serve, std::move(socket)).detach();
  }
}
