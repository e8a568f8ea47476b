// SPDX-License-Identifier: Apache-2.0
// What an nghttp2 session wants to send, as a list for one gathering write: frame headers and small
// frames are copied together, message bodies are referenced where they lie. With nghttp2's own
// buffer each body byte would be copied twice.
#pragma once

#include <nghttp2/nghttp2.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/internal/transport.h"

namespace sonde::net {

class Http2Output {
 public:
  void copy(std::string_view bytes);
  void slice(Bytes bytes);
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();
  // Forgets the first bytes, which were written.
  void drop_front(size_t bytes);
  // Valid until the next call of another function.
  const std::vector<boost::asio::const_buffer>& buffers();

 private:
  struct Piece {
    Bytes body;  // empty: `length` bytes of small_, from `offset`
    size_t offset = 0;
    size_t length = 0;
  };
  std::string small_;
  std::vector<Piece> pieces_;
  std::vector<boost::asio::const_buffer> buffers_;
  size_t size_ = 0;
};

// A message body that a stream sends by reference, after `prefix`.
struct Http2Body {
  std::string prefix;
  Bytes bytes;
  size_t sent = 0;  // of both together
  size_t left() const { return prefix.size() + bytes.size() - sent; }
  // Moves the next `length` bytes to the output.
  void move_to(Http2Output& out, size_t length);
};

// How far flush_http2() came: one of these, or everything is written.
struct Http2Flushed {
  int session_error = 0;       // of nghttp2: the connection is over
  error_code transport_error;  // the same
  bool blocked = false;        // the transport takes no more for now; the rest is in the output
};
// Moves what the session wants to send to the transport, for as long as both go on.
Http2Flushed flush_http2(nghttp2_session* session, Http2Output& out, Transport& transport);

nghttp2_nv http2_field(std::string_view name, std::string_view value);

}  // namespace sonde::net
