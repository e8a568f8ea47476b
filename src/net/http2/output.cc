// SPDX-License-Identifier: Apache-2.0
#include "net/http2/output.h"

#include <algorithm>
#include <utility>

namespace sonde::net::http2 {

void Output::copy(std::string_view bytes) {
  if (pieces_.empty() || !pieces_.back().body.empty()) pieces_.push_back({{}, small_.size(), 0});
  small_.append(bytes);
  pieces_.back().length += bytes.size();
  size_ += bytes.size();
}

void Output::slice(Bytes bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  pieces_.push_back({std::move(bytes), 0, 0});
}

void Output::clear() {
  small_.clear();
  pieces_.clear();
  size_ = 0;
}

void Output::drop_front(size_t bytes) {
  size_ -= bytes;
  auto piece = pieces_.begin();
  for (; piece != pieces_.end() && bytes > 0; ++piece) {
    const size_t length = piece->body.empty() ? piece->length : piece->body.size();
    if (bytes < length) {
      if (piece->body.empty()) {
        piece->offset += bytes;
        piece->length -= bytes;
      } else {
        piece->body = piece->body.slice(bytes);
      }
      break;
    }
    bytes -= length;
  }
  pieces_.erase(pieces_.begin(), piece);
}

size_t Output::front(std::span<std::string_view> into) const {
  const size_t count = std::min(into.size(), pieces_.size());
  for (size_t i = 0; i < count; ++i) {
    const Piece& piece = pieces_[i];
    into[i] = piece.body.empty() ? std::string_view(small_).substr(piece.offset, piece.length)
                                 : piece.body.view();
  }
  return count;
}

void Body::move_to(Output& out, size_t length) {
  if (sent < prefix.size()) {
    const size_t n = std::min(length, prefix.size() - sent);
    out.copy(std::string_view(prefix).substr(sent, n));
    sent += n;
    length -= n;
  }
  if (length == 0) return;
  // A short body is cheaper to copy than to point at.
  constexpr size_t kWorthASlice = 512;
  const size_t offset = sent - prefix.size();
  if (length < kWorthASlice) {
    out.copy(bytes.view().substr(offset, length));
  } else {
    out.slice(bytes.slice(offset, length));
  }
  sent += length;
}

}  // namespace sonde::net::http2
