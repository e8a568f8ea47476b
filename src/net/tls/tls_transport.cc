// SPDX-License-Identifier: Apache-2.0
// OpenSSL works on the socket itself and says what it waits for; nothing here blocks.
#include "net/internal/tls_transport.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/error.hpp>

#include "base/counters.h"
#include "net/internal/tls_context.h"

namespace sonde::net {
namespace {

constexpr size_t kRecord = 16 * 1024;  // RFC 8446 section 5.1: the most in one record.

class OpensslTransport final : public TlsTransport {
 public:
  OpensslTransport(Socket socket, TlsContextPtr context, OwnPort near_end)
      : context_(std::move(context)),
        socket_(std::move(socket)),
        near_end_(std::move(near_end)),
        peer_(peer_name(socket_)),
        ssl_(context_->connection()) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    SSL_set_fd(ssl_.get(), socket_.native_handle());
    context_->client ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
  }

  asio::awaitable<Result<>> handshake(std::string_view host) override {
    const std::string& override = context_->settings.server_name_override;
    const std::string name(override.empty() ? host : override);
    error_code numeric;
    asio::ip::make_address(name, numeric);
    if (numeric) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
    if (context_->verify) {
      const bool set =
          numeric ? SSL_set1_host(ssl_.get(), name.c_str()) == 1
                  : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1;
      if (!set) co_return fail(ErrorKind::Invalid, fmt::format("\"{}\" is no server name", name));
    }
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_.get());
      if (done == 1) break;
      const int want = SSL_get_error(ssl_.get(), done);
      const error_code failed = failure(want);
      if (failed) {
        co_return fail(ErrorKind::Unavailable, fmt::format("TLS with {}: {}", name, why(failed)));
      }
      if (const auto error = co_await wait_for(want)) {
        co_return fail(ErrorKind::Unavailable,
                       fmt::format("TLS with {}: {}", name, error.message()));
      }
    }
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    const std::string_view chosen(reinterpret_cast<const char*>(protocol), size);
    if (!chosen.empty() && !offers(*context_, chosen)) {
      co_return fail(ErrorKind::Unavailable,
                     fmt::format("TLS with {}: the peer wants to speak {}", name, chosen));
    }
    co_return Result<>();
  }

  asio::awaitable<error_code> wait_readable() override {
    if (SSL_pending(ssl_.get()) > 0) co_return error_code();
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    co_return error;
  }

  Io read(asio::mutable_buffer into) override {
    // OpenSSL knows only the descriptor's number, which may be another's by now.
    if (!socket_.is_open()) return {asio::error::operation_aborted, 0};
    size_t total = 0;
    // All the records that have come: what stays in OpenSSL wakes nobody up.
    while (total < into.size()) {
      size_t n = 0;
      ERR_clear_error();
      const int done =
          SSL_read_ex(ssl_.get(), static_cast<char*>(into.data()) + total, into.size() - total, &n);
      if (done == 1) {
        total += n;
        continue;
      }
      if (total > 0) break;
      const int want = SSL_get_error(ssl_.get(), done);
      if (const error_code failed = failure(want)) return {failed, 0};
      return {asio::error::would_block, 0};
    }
    return {{}, total};
  }

  Io write_some(std::span<const asio::const_buffer> buffers) override {
    if (!socket_.is_open()) return {asio::error::operation_aborted, 0};
    size_t total = 0;
    for (;;) {
      const std::string_view next = record(buffers, total);
      if (next.empty()) return {{}, total};
      size_t n = 0;
      ERR_clear_error();
      const int done = SSL_write_ex(ssl_.get(), next.data(), next.size(), &n);
      if (done == 1) {
        total += n;
        continue;
      }
      want_ = SSL_get_error(ssl_.get(), done);
      if (const error_code failed = failure(want_)) return {failed, total};
      return {{}, total};
    }
  }

  asio::awaitable<error_code> write(std::span<const asio::const_buffer> buffers) override {
    std::vector<asio::const_buffer> left(buffers.begin(), buffers.end());
    for (;;) {
      auto [error, n] = write_some(left);
      if (error) co_return error;
      while (!left.empty() && n >= left.front().size()) {
        n -= left.front().size();
        left.erase(left.begin());
      }
      if (left.empty()) co_return error_code();
      left.front() += n;
      if (const auto failed = co_await wait_for(want_)) co_return failed;
    }
  }

  void shutdown_send() override {
    if (!socket_.is_open()) return;
    SSL_shutdown(ssl_.get());
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }
  // Session tickets may have come; they are no word of the peer's protocol.
  bool quiet() override {
    char byte = 0;
    size_t n = 0;
    ERR_clear_error();
    const int done = SSL_peek_ex(ssl_.get(), &byte, 1, &n);
    const bool nothing = done != 1 && SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return nothing;
  }
  void close() override {
    if (!socket_.is_open()) return;
    // Said once where it goes at once; the peer's own is not waited for.
    if (SSL_is_init_finished(ssl_.get()) && !broken_) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    error_code ignored;
    socket_.close(ignored);
  }
  const std::string& peer() const override { return peer_; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  // What goes into the next record, from `offset` on. Small pieces are put together: each record
  // costs 22 bytes and a system call.
  std::string_view record(std::span<const asio::const_buffer> buffers, size_t offset) {
    size_t size = 0;
    for (const auto& buffer : buffers) {
      if (offset >= buffer.size()) {
        offset -= buffer.size();
        continue;
      }
      const char* const from = static_cast<const char*>(buffer.data()) + offset;
      const size_t length = buffer.size() - offset;
      offset = 0;
      if (size == 0 && length >= kRecord) return {from, kRecord};
      const size_t n = std::min(length, kRecord - size);
      std::memcpy(scratch().data() + size, from, n);
      size += n;
      if (size == kRecord) break;
    }
    return {scratch().data(), size};
  }
  static std::array<char, kRecord>& scratch() {
    thread_local std::array<char, kRecord> bytes;
    return bytes;
  }

  // No error where OpenSSL only has to wait.
  error_code failure(int want) {
    if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE) return {};
    if (want == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
    broken_ = true;  // After any other, SSL_shutdown() must not be called.
    const int system = errno;
    const error_code error = take_openssl_error();
    if (!context_->client && !SSL_is_init_finished(ssl_.get())) {
      static Counter& failed = counter("sonde_tls_failed_handshakes_total",
                                       "Connections that ended in the TLS handshake");
      failed.add(1);
      tell_who_speaks_http(error);
    }
    if (error) return error;
    if (want == SSL_ERROR_SYSCALL && system != 0) {
      return error_code(system, boost::system::system_category());
    }
    return asio::error::eof;
  }

  // Who speaks HTTP in the clear to an encrypted port gets an answer that it can read.
  void tell_who_speaks_http(const error_code& error) {
    if (ERR_GET_REASON(static_cast<unsigned long>(error.value())) != SSL_R_HTTP_REQUEST) return;
    static constexpr std::string_view kAnswer =
        "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
        "this port speaks https\n";
    [[maybe_unused]] const auto sent = ::send(socket_.native_handle(), kAnswer.data(),
                                              kAnswer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  std::string why(const error_code& error) const {
    const long verified = SSL_get_verify_result(ssl_.get());
    if (context_->verify && verified != X509_V_OK) {
      return fmt::format("the certificate is refused: {}", X509_verify_cert_error_string(verified));
    }
    return error == asio::error::eof ? "the peer closed the connection" : error.message();
  }

  asio::awaitable<error_code> wait_for(int want) {
    const auto [error] = co_await socket_.async_wait(
        want == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write, kAwait);
    co_return error;
  }

  TlsContextPtr context_;
  Socket socket_;
  OwnPort near_end_;
  std::string peer_;
  std::unique_ptr<SSL, Free> ssl_;
  int want_ = SSL_ERROR_WANT_WRITE;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<TlsTransport> make_tls_transport(Socket socket, TlsContextPtr context,
                                                 OwnPort near_end) {
  return std::make_unique<OpensslTransport>(std::move(socket), std::move(context),
                                            std::move(near_end));
}

std::string_view name_override(const TlsContext& context) {
  return context.settings.server_name_override;
}

}  // namespace sonde::net
