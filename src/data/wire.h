// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format, and nothing above it: a bounds-checked reader over bytes that somebody
// else wrote, and a writer that appends to a string. No message classes exist; the views and the
// builders of this room are written directly on these two. Everything is inline because both sit in
// the innermost loop of every pipeline. It is not a schema: field numbers live in otlp_fields.h.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sonde::proto {

static_assert(std::endian::native == std::endian::little, "fixed fields are copied as they lie");

enum class Type : uint8_t {
  Varint = 0,
  Fixed64 = 1,
  Bytes = 2,
  Group = 3,
  EndGroup = 4,
  Fixed32 = 5
};

// Groups are long out of use, but a peer may send them as unknown fields; this bounds their depth.
inline constexpr int kMaxGroupDepth = 32;

// Returns the end of the varint, or nullptr when it runs past `end` or past ten bytes.
inline const char* read_varint(const char* at, const char* end, uint64_t& value) {
  if (at < end && static_cast<uint8_t>(*at) < 0x80) {
    value = static_cast<uint8_t>(*at);
    return at + 1;
  }
  uint64_t result = 0;
  for (int shift = 0; shift < 70 && at < end; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    result |= shift < 64 ? static_cast<uint64_t>(byte & 0x7f) << shift : 0;
    if (byte < 0x80) {
      value = result;
      return at;
    }
  }
  return nullptr;
}

struct Field {
  uint32_t number = 0;
  Type type = Type::Varint;
  uint64_t value = 0;      // Varint, Fixed64 and Fixed32.
  std::string_view bytes;  // Bytes: the payload. Group: what lies between its two tags.
  std::string_view raw;    // The whole field with its tag, to copy it verbatim.

  int64_t as_int64() const { return static_cast<int64_t>(value); }
  double as_double() const { return std::bit_cast<double>(value); }
  int32_t as_sint32() const {
    const auto low = static_cast<uint32_t>(value);
    return static_cast<int32_t>((low >> 1) ^ (~(low & 1) + 1));
  }
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  // False at the end and at the first malformed byte; ok() tells which.
  bool next(Field& field) { return next(field, 0); }
  bool ok() const { return ok_; }
  const char* position() const { return at_; }

 private:
  bool next(Field& field, int depth) {
    if (at_ >= end_) return false;
    const char* begin = at_;
    uint64_t tag = 0;
    const char* at = read_varint(at_, end_, tag);
    if (at == nullptr || tag > UINT32_MAX || (tag >> 3) == 0) return bad();
    field.number = static_cast<uint32_t>(tag >> 3);
    field.type = static_cast<Type>(tag & 7);
    switch (field.type) {
      case Type::Varint:
        at = read_varint(at, end_, field.value);
        if (at == nullptr) return bad();
        break;
      case Type::Fixed64:
        if (end_ - at < 8) return bad();
        std::memcpy(&field.value, at, 8);
        at += 8;
        break;
      case Type::Fixed32: {
        if (end_ - at < 4) return bad();
        uint32_t value = 0;
        std::memcpy(&value, at, 4);
        field.value = value;
        at += 4;
        break;
      }
      case Type::Bytes: {
        uint64_t size = 0;
        at = read_varint(at, end_, size);
        if (at == nullptr || size > static_cast<uint64_t>(end_ - at)) return bad();
        field.bytes = {at, static_cast<size_t>(size)};
        at += size;
        break;
      }
      case Type::Group:
        at_ = at;
        return group(field, begin, depth);
      default:
        return bad();
    }
    field.raw = {begin, static_cast<size_t>(at - begin)};
    at_ = at;
    return true;
  }

  bool group(Field& field, const char* begin, int depth) {
    if (depth >= kMaxGroupDepth) return bad();
    const char* inside = at_;
    while (at_ < end_) {
      const char* before = at_;
      uint64_t tag = 0;
      const char* after = read_varint(at_, end_, tag);
      if (after == nullptr) return bad();
      if ((tag & 7) == static_cast<uint64_t>(Type::EndGroup)) {
        if (tag >> 3 != field.number) return bad();
        field.bytes = {inside, static_cast<size_t>(before - inside)};
        field.raw = {begin, static_cast<size_t>(after - begin)};
        at_ = after;
        return true;
      }
      Field inner;
      if (!next(inner, depth + 1)) return bad();
    }
    return bad();
  }

  bool bad() {
    ok_ = false;
    at_ = end_;
    return false;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

// Sizes and raw stores, for writers that know the size of what they write beforehand.
constexpr size_t varint_size(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) * 9 + 64) / 64;
}
constexpr uint32_t tag_of(uint32_t number, Type type) {
  return number << 3 | static_cast<uint32_t>(type);
}
constexpr size_t tag_size(uint32_t number) { return varint_size(number << 3); }
constexpr size_t bytes_size(uint32_t number, size_t payload) {
  return tag_size(number) + varint_size(payload) + payload;
}

inline char* put_varint(char* at, uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}
inline char* put_header(char* at, uint32_t number, size_t payload) {
  return put_varint(put_varint(at, tag_of(number, Type::Bytes)), payload);
}
// Keys and values are mostly shorter than 32 bytes; two overlapping moves beat a call of memcpy.
inline char* put_raw(char* at, const char* from, size_t size) {
  if (size > 32) {
    std::memcpy(at, from, size);
  } else if (size >= 16) {
    std::memcpy(at, from, 16);
    std::memcpy(at + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::memcpy(at, from, 8);
    std::memcpy(at + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(at, from, 4);
    std::memcpy(at + size - 4, from + size - 4, 4);
  } else {
    for (size_t i = 0; i < size; ++i) at[i] = from[i];
  }
  return at + size;
}
inline char* put_bytes(char* at, uint32_t number, std::string_view payload) {
  return put_raw(put_header(at, number, payload.size()), payload.data(), payload.size());
}
inline char* put_fixed64(char* at, uint32_t number, uint64_t value) {
  at = put_varint(at, tag_of(number, Type::Fixed64));
  std::memcpy(at, &value, 8);
  return at + 8;
}
inline char* put_fixed32(char* at, uint32_t number, uint32_t value) {
  at = put_varint(at, tag_of(number, Type::Fixed32));
  std::memcpy(at, &value, 4);
  return at + 4;
}

// Grows `out` by `size` bytes that the caller is about to write, without clearing them first.
[[gnu::always_inline]] inline char* extend(std::string& out, size_t size) {
  const size_t old = out.size();
  if (out.capacity() < old + size) out.reserve(std::max(old + size, out.capacity() * 2));
  out.resize_and_overwrite(old + size, [](char*, size_t count) { return count; });
  return out.data() + old;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void varint(uint32_t number, uint64_t value) {
    raw_varint(tag_of(number, Type::Varint));
    raw_varint(value);
  }
  void sint32(uint32_t number, int32_t value) {
    const auto bits = static_cast<uint32_t>(value);
    varint(number, (bits << 1) ^ (value < 0 ? UINT32_MAX : 0U));
  }
  void fixed64(uint32_t number, uint64_t value) {
    raw_varint(tag_of(number, Type::Fixed64));
    out_.append(reinterpret_cast<const char*>(&value), 8);
  }
  void fixed32(uint32_t number, uint32_t value) {
    raw_varint(tag_of(number, Type::Fixed32));
    out_.append(reinterpret_cast<const char*>(&value), 4);
  }
  void float64(uint32_t number, double value) { fixed64(number, std::bit_cast<uint64_t>(value)); }
  void bytes(uint32_t number, std::string_view value) {
    raw_varint(tag_of(number, Type::Bytes));
    raw_varint(value.size());
    out_.append(value);
  }
  void raw(std::string_view fields) { out_.append(fields); }
  void raw_varint(uint64_t value) {
    char buffer[10];
    out_.append(buffer, static_cast<size_t>(put_varint(buffer, value) - buffer));
  }

  // Opens a nested message whose length is not known yet; end() patches it in. One byte is kept
  // for the length, so a body of 128 bytes or more moves once: write long ones by their size.
  size_t begin(uint32_t number) {
    raw_varint(tag_of(number, Type::Bytes));
    out_.push_back(0);
    return out_.size();
  }
  void end(size_t body) {
    const size_t size = out_.size() - body;
    const size_t extra = varint_size(size) - 1;
    if (extra > 0) out_.insert(body, extra, '\0');
    put_varint(out_.data() + body - 1, size);
  }
  template <class Body>
  void nested(uint32_t number, Body&& body) {
    const size_t mark = begin(number);
    body();
    end(mark);
  }

 private:
  std::string& out_;
};

}  // namespace sonde::proto
