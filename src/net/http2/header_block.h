// SPDX-License-Identifier: Apache-2.0
// Header blocks (RFC 7541) of one direction of a connection. nghttp2 codes them; this remembers
// the last ones. A block that inserts nothing into the dynamic table means the same fields each
// time until a block that does insert, so that one of the many equal calls of a connection costs a
// comparison and no decoding.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/http_types.h"

struct nghttp2_hd_deflater;
struct nghttp2_hd_inflater;

namespace sonde::net::http2 {

struct Fields {
  Headers list;
  bool too_large = false;  // `list` is then not whole
  // What it may be (RFC 9113 sections 8.1 to 8.3). A list that may not be what it has to be is
  // malformed, and its stream is reset.
  bool request = false;
  bool response = false;
  bool interim = false;  // a response whose status is of the 100s
  bool trailers = false;
};
using FieldsPtr = std::shared_ptr<const Fields>;

// Whether this block may change the dynamic table: it has an insertion or a change of its size, or
// it cannot be read.
bool changes_table(std::string_view block);

class HeaderDecoder {
 public:
  // Fields beyond `max_bytes`, counted as RFC 9113 section 10.5.1 counts them, are not kept.
  explicit HeaderDecoder(size_t max_bytes);
  ~HeaderDecoder();
  HeaderDecoder(const HeaderDecoder&) = delete;
  HeaderDecoder& operator=(const HeaderDecoder&) = delete;

  // Null for a block that is no HPACK: the connection is of no use after it. Equal blocks give the
  // same pointer as long as they mean the same.
  FieldsPtr decode(std::string_view block);

 private:
  struct Known {
    std::string block;
    FieldsPtr fields;
  };
  FieldsPtr inflate(std::string_view block);

  const size_t max_bytes_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::array<Known, 4> known_;
  size_t oldest_ = 0;
};

// Fields that a connection sends again and again.
struct HeaderBlock {
  Headers fields;
  std::string encoded = {};
  uint64_t generation = 0;  // of the encoder for which `encoded` is right
};

class HeaderEncoder {
 public:
  HeaderEncoder();
  ~HeaderEncoder();
  HeaderEncoder(const HeaderEncoder&) = delete;
  HeaderEncoder& operator=(const HeaderEncoder&) = delete;

  // To be sent before anything else is encoded. Valid until the next call.
  std::string_view encode(HeaderBlock& block);
  // What the peer's SETTINGS_HEADER_TABLE_SIZE allows.
  void limit_table(uint32_t bytes);

 private:
  nghttp2_hd_deflater* deflater_ = nullptr;
  uint64_t generation_ = 1;
  std::string scratch_;
};

}  // namespace sonde::net::http2
