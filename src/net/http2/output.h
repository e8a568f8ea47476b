// SPDX-License-Identifier: Apache-2.0
// What an HTTP/2 session wants to send, as a list for one gathering write: frame headers and small
// frames are copied together, message bodies are referenced where they lie.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sonde::net::http2 {

class Output {
 public:
  void copy(std::string_view bytes);
  void slice(Bytes bytes);
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();
  // Forgets the first bytes, which were written.
  void drop_front(size_t bytes);
  // The first pieces, as many as there is room for; how many they are. Valid until the next change.
  size_t front(std::span<std::string_view> into) const;
  size_t pieces() const { return pieces_.size(); }

 private:
  struct Piece {
    Bytes body;  // empty: `length` bytes of small_, from `offset`
    size_t offset = 0;
    size_t length = 0;
  };
  std::string small_;
  std::vector<Piece> pieces_;
  size_t size_ = 0;
};

// A message body that a stream sends by reference, after `prefix`.
struct Body {
  std::string prefix;
  Bytes bytes;
  size_t sent = 0;  // of both together
  size_t left() const { return prefix.size() + bytes.size() - sent; }
  // Moves the next `length` bytes to the output.
  void move_to(Output& out, size_t length);
};

}  // namespace sonde::net::http2
