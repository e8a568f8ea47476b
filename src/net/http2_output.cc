// SPDX-License-Identifier: Apache-2.0
#include "net/internal/http2_output.h"

#include <algorithm>
#include <utility>

namespace sonde::net {

void Http2Output::copy(std::string_view bytes) {
  if (pieces_.empty() || !pieces_.back().body.empty()) pieces_.push_back({{}, small_.size(), 0});
  small_.append(bytes);
  pieces_.back().length += bytes.size();
  size_ += bytes.size();
}

void Http2Output::slice(Bytes bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  pieces_.push_back({std::move(bytes), 0, 0});
}

void Http2Output::clear() {
  small_.clear();
  pieces_.clear();
  buffers_.clear();
  size_ = 0;
}

void Http2Output::drop_front(size_t bytes) {
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

const std::vector<boost::asio::const_buffer>& Http2Output::buffers() {
  buffers_.clear();
  for (const Piece& piece : pieces_) {
    if (piece.body.empty()) {
      buffers_.emplace_back(small_.data() + piece.offset, piece.length);
    } else {
      buffers_.emplace_back(piece.body.data(), piece.body.size());
    }
  }
  return buffers_;
}

void Http2Body::move_to(Http2Output& out, size_t length) {
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

Http2Flushed flush_http2(nghttp2_session* session, Http2Output& out, Transport& transport) {
  for (;;) {
    if (const int error = nghttp2_session_send(session); error != 0) {
      return {.session_error = error};
    }
    if (out.empty()) return {};
    while (!out.empty()) {
      const auto [error, n] = transport.write_some(out.buffers());
      if (error) return {.transport_error = error};
      if (n == 0) return {.blocked = true};
      out.drop_front(n);
    }
    out.clear();
  }
}

nghttp2_nv http2_field(std::string_view name, std::string_view value) {
  nghttp2_nv nv{};
  // nghttp2 takes mutable pointers but copies the bytes unless told otherwise.
  nv.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
  nv.value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
  nv.namelen = name.size();
  nv.valuelen = value.size();
  return nv;
}

}  // namespace sonde::net
