// SPDX-License-Identifier: Apache-2.0
#include "net/http2/header_block.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "net/http2/message_rules.h"

namespace sonde::net::http2 {
namespace {

constexpr uint32_t kTable = 4096;       // of the decoder and, at most, of the encoder
constexpr size_t kWorthKnowing = 1024;  // bytes of a block that is remembered
constexpr size_t kFieldOverhead = 32;   // RFC 7541 section 4.1

// An integer with a prefix of so many bits (RFC 7541 section 5.1), removed from the front.
std::optional<size_t> take_integer(std::string_view& in, unsigned bits) {
  if (in.empty()) return std::nullopt;
  const size_t mask = (size_t{1} << bits) - 1;
  size_t value = static_cast<uint8_t>(in.front()) & mask;
  in.remove_prefix(1);
  if (value < mask) return value;
  for (unsigned shift = 0; shift < 28 && !in.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    value += static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool skip_string(std::string_view& in) {
  const auto length = take_integer(in, 7);
  if (!length || *length > in.size()) return false;
  in.remove_prefix(*length);
  return true;
}

}  // namespace

bool changes_table(std::string_view in) {
  while (!in.empty()) {
    const auto first = static_cast<uint8_t>(in.front());
    if (first >= 0x80) {  // indexed
      if (!take_integer(in, 7)) return true;
    } else if (first >= 0x20) {  // a literal that is inserted, or a change of the size
      return true;
    } else {
      const auto name = take_integer(in, 4);
      if (!name || (*name == 0 && !skip_string(in)) || !skip_string(in)) return true;
    }
  }
  return false;
}

HeaderDecoder::HeaderDecoder(size_t max_bytes) : max_bytes_(max_bytes) {
  CHECK(nghttp2_hd_inflate_new(&inflater_) == 0, "no memory for a header table");
}
HeaderDecoder::~HeaderDecoder() { nghttp2_hd_inflate_del(inflater_); }

FieldsPtr HeaderDecoder::decode(std::string_view block) {
  for (const Known& known : known_) {
    if (known.fields && known.block == block) return known.fields;
  }
  FieldsPtr fields = inflate(block);
  if (!fields) return nullptr;
  if (changes_table(block)) {
    for (Known& known : known_) known.fields = nullptr;
  } else if (block.size() <= kWorthKnowing) {
    Known& known = known_[oldest_];
    oldest_ = (oldest_ + 1) % known_.size();
    known.block = block;
    known.fields = fields;
  }
  return fields;
}

FieldsPtr HeaderDecoder::inflate(std::string_view block) {
  auto fields = std::make_shared<Fields>();
  size_t bytes = 0;
  const auto* at = reinterpret_cast<const uint8_t*>(block.data());
  size_t left = block.size();
  for (;;) {
    nghttp2_nv nv{};
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, at, left, 1);
    if (used < 0) return nullptr;
    at += used;
    left -= static_cast<size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      bytes += nv.namelen + nv.valuelen + kFieldOverhead;
      if (bytes > max_bytes_) {
        fields->too_large = true;
      } else {
        fields->list.push_back({std::string(reinterpret_cast<const char*>(nv.name), nv.namelen),
                                std::string(reinterpret_cast<const char*>(nv.value), nv.valuelen)});
      }
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  judge(*fields);
  return fields;
}

HeaderEncoder::HeaderEncoder() {
  CHECK(nghttp2_hd_deflate_new(&deflater_, kTable) == 0, "no memory for a header table");
}
HeaderEncoder::~HeaderEncoder() { nghttp2_hd_deflate_del(deflater_); }

std::string_view HeaderEncoder::encode(HeaderBlock& block) {
  if (block.generation == generation_) return block.encoded;
  std::vector<nghttp2_nv> fields;
  fields.reserve(block.fields.size());
  for (const Header& field : block.fields) {
    nghttp2_nv nv{};  // nghttp2 takes mutable pointers and changes nothing.
    nv.name = reinterpret_cast<uint8_t*>(const_cast<char*>(field.name.data()));
    nv.value = reinterpret_cast<uint8_t*>(const_cast<char*>(field.value.data()));
    nv.namelen = field.name.size();
    nv.valuelen = field.value.size();
    fields.push_back(nv);
  }
  scratch_.resize(nghttp2_hd_deflate_bound(deflater_, fields.data(), fields.size()));
  const ssize_t size = nghttp2_hd_deflate_hd(deflater_, reinterpret_cast<uint8_t*>(scratch_.data()),
                                             scratch_.size(), fields.data(), fields.size());
  CHECK(size >= 0, "a header block could not be encoded");
  scratch_.resize(static_cast<size_t>(size));
  if (changes_table(scratch_)) {
    ++generation_;
    return scratch_;
  }
  block.encoded = scratch_;
  block.generation = generation_;
  return block.encoded;
}

void HeaderEncoder::limit_table(uint32_t bytes) {
  CHECK(nghttp2_hd_deflate_change_table_size(deflater_, std::min(bytes, kTable)) == 0,
        "no memory for a header table");
  ++generation_;  // The next block must begin with the new size.
}

}  // namespace sonde::net::http2
