// SPDX-License-Identifier: Apache-2.0
// Reads one message of OTLP in JSON into protobuf bytes. simdjson walks the text once and forwards;
// each field is written when it is met, so nothing stands between the two but the table. Private to
// read.cc.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/base64.h"
#include "base/hex.h"
#include "wire/otlp_json/schema.h"
#include "wire/otlp_json/unescape.h"

namespace sonde::wire {

namespace od = simdjson::ondemand;

// Lengths of messages that lie deeper than this have all bytes that a length may take, which is
// valid: else a long text at the bottom would be moved for each message around it.
inline constexpr int kMoved = 100;
inline constexpr size_t kWideLength = 5;
inline constexpr size_t kMaxPath = 500;  // in bytes, of the place of a mistake

// "trace_id" is "traceId" too.
inline bool same_name(std::string_view camel, std::string_view key) {
  if (camel == key) return true;
  size_t i = 0;
  for (size_t k = 0; k < key.size(); ++k) {
    char c = key[k];
    if (c == '_' && k + 1 < key.size() && key[k + 1] >= 'a' && key[k + 1] <= 'z') {
      c = static_cast<char>(key[++k] - 'a' + 'A');
    }
    if (i == camel.size() || camel[i++] != c) return false;
  }
  return i == camel.size();
}

template <class T>
bool parse_all(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// A whole number, as it is written with a point or an exponent.
template <class T>
bool whole(double number, T& out) {
  constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
  constexpr double kHigh = static_cast<double>(std::numeric_limits<T>::max());
  if (!(number >= kLow) || !(number < kHigh + 1) || std::trunc(number) != number) return false;
  if (number >= 0x1p64 || (std::is_signed_v<T> && number >= 0x1p63)) return false;
  out = static_cast<T>(number);
  return true;
}

class JsonReader {
 public:
  JsonReader(std::string& out, size_t max_size) : out_(out), writer_(out), max_size_(max_size) {}

  bool message(const Message& schema, od::object object, int depth) {
    if (depth > kMaxDepth) return wrong("nests too deep");
    for (auto entry : object) {
      std::string_view key;
      if (!key_of(entry, key)) return false;
      const FieldInfo* const info = field_of(schema, key);
      if (info != nullptr && !field(*info, entry, depth)) return false;
    }
    return true;
  }
  // Until the next text is read.
  template <class Entry>
  bool key_of(Entry& entry, std::string_view& key) {
    od::raw_json_string raw;
    if (const auto error = entry.key().get(raw)) return broken(error);
    const auto error = entry.unescaped_key().get(key);
    return !error || replaced(raw.raw(), key) || broken(error);
  }
  static const FieldInfo* field_of(const Message& schema, std::string_view key) {
    const FieldInfo* info = nullptr;
    for (const FieldInfo& known : schema.fields) {
      if (!known.name.empty() && same_name(known.name, key)) info = &known;
    }
    return info;
  }
  template <class Entry>
  bool field(const FieldInfo& info, Entry& entry, int depth) {
    od::value value;
    if (const auto error = entry.value().get(value)) return broken(error);
    od::json_type type{};
    if (const auto error = value.type().get(type)) return broken(error, &info);
    if (type == od::json_type::null) return true;
    return (info.rule == Rule::Repeated ? list(info, value, type, depth)
                                        : one(info, value, type, depth, true)) ||
           at(info.name);
  }

  bool broken(simdjson::error_code code, const FieldInfo* info = nullptr) {
    const std::string_view why = simdjson::error_message(code);
    wrong(why.substr(0, why.find_first_of('\n')));
    return info == nullptr ? false : at(info->name);
  }
  bool wrong(std::string_view why) {
    if (why_.empty()) why_ = why;
    return false;
  }
  Error error() const {
    if (over_) {
      return {ErrorKind::Exhausted,
              fmt::format("the message is over the limit of {} bytes", max_size_),
              {}};
    }
    return {ErrorKind::Invalid,
            path_.empty() ? fmt::format("the JSON is wrong: {}", why_)
                          : fmt::format("the JSON is wrong at {}: {}", path_, why_),
            {}};
  }

 private:
  bool at(std::string_view name) {
    // Of a long one the outer names are left out.
    if (path_.size() < kMaxPath) {
      path_ = path_.empty() ? std::string(name) : fmt::format("{}.{}", name, path_);
    } else if (!path_.starts_with("...")) {
      path_.insert(0, "...");
    }
    return false;
  }

  bool list(const FieldInfo& info, od::value value, od::json_type type, int depth) {
    if (type != od::json_type::array) return wrong("is no array");
    od::array array;
    if (const auto error = value.get_array().get(array)) return broken(error);
    const bool packed = wire_type(info.kind) != proto::Type::Bytes;
    const size_t body = packed ? writer_.begin(info.number) : 0;
    for (auto element : array) {
      od::value item;
      if (const auto error = element.get(item)) return broken(error);
      od::json_type item_type{};
      if (const auto error = item.type().get(item_type)) return broken(error);
      if (item_type == od::json_type::null) {
        if (packed) return wrong("holds null");
        writer_.bytes(info.number, "");
        continue;
      }
      if (!one(info, item, item_type, depth, !packed)) return false;
    }
    if (packed) writer_.end(body);
    return true;
  }

  // Whether the string after the quote is one with halves of surrogate pairs.
  bool replaced(const char* raw, std::string_view& text) {
    auto unescaped = unescape_lone_surrogates(raw);
    if (!unescaped) return false;
    text_ = std::move(*unescaped);
    text = text_;
    return true;
  }

  void end_wide(size_t body) {
    char* const length = out_.data() + body - 1;
    size_t size = out_.size() - (body + kWideLength - 1);
    for (size_t i = 0; i < kWideLength; ++i, size >>= 7) {
      length[i] = static_cast<char>((size & 127) | (i + 1 < kWideLength ? 128 : 0));
    }
  }

  // One value; with its tag, unless it stands in a packed list.
  bool one(const FieldInfo& info, od::value value, od::json_type type, int depth, bool tagged) {
    if (out_.size() > max_size_) {
      over_ = true;
      return false;
    }
    if (info.kind == Kind::Message) {
      if (type != od::json_type::object) return wrong("is no object");
      od::object object;
      if (const auto error = value.get_object().get(object)) return broken(error);
      const size_t body = writer_.begin(info.number);
      const bool wide = depth > kMoved;
      if (wide) out_.append(kWideLength - 1, '\0');
      if (!message(*info.message, object, depth + 1)) return false;
      wide ? end_wide(body) : writer_.end(body);
      return true;
    }
    if (info.kind == Kind::Bool) {
      bool truth = false;
      if (value.get_bool().get(truth)) return wrong("is neither true nor false");
      return number(info, truth ? 1 : 0, tagged);
    }
    std::string_view text;
    const bool quoted = type == od::json_type::string;
    if (quoted) {
      const char* const raw = value.raw_json_token().data() + 1;
      const auto error = value.get_string().get(text);
      if (error && !replaced(raw, text)) return broken(error);
    }
    switch (info.kind) {
      case Kind::String:
        if (!quoted) return wrong("is no string");
        writer_.bytes(info.number, text);
        return true;
      case Kind::TraceId:
      case Kind::SpanId:
        bytes_.clear();
        if (!quoted || !from_hex(text, bytes_)) return wrong("is no hexadecimal id");
        if (const size_t size = otlp::id_size(info.kind); !bytes_.empty() && bytes_.size() != size)
          return wrong(fmt::format("is no id of {} bytes", size));
        writer_.bytes(info.number, bytes_);
        return true;
      case Kind::Base64:
        // Either alphabet, with or without padding, as proto3's mapping says.
        if (const auto bytes = quoted ? decode_any_base64(text) : std::nullopt) {
          writer_.bytes(info.number, *bytes);
          return true;
        }
        return wrong("is no base64");
      case Kind::Double:
        return real(info, value, type, text, tagged);
      default:
        break;
    }
    if (!quoted && type != od::json_type::number) return wrong("is no number");
    switch (info.kind) {
      case Kind::Enum:
        if (quoted) {
          for (size_t i = 0; i < info.names.size(); ++i) {
            if (info.names[i] == text) return number(info, i, tagged);
          }
          return wrong("is no such enumerator");
        }
        [[fallthrough]];
      case Kind::Sint32:
        return integer<int32_t>(info, value, quoted, text, tagged);
      case Kind::Uint32:
      case Kind::Fixed32:
        return integer<uint32_t>(info, value, quoted, text, tagged);
      case Kind::Int64:
      case Kind::Sfixed64:
        return integer<int64_t>(info, value, quoted, text, tagged);
      default:
        return integer<uint64_t>(info, value, quoted, text, tagged);
    }
  }

  template <class T>
  bool integer(const FieldInfo& info, od::value value, bool quoted, std::string_view text,
               bool tagged) {
    T result = 0;
    bool fits = false;
    if (quoted) {
      double inexact = 0;
      fits = parse_all(text, result) || (parse_all(text, inexact) && whole(inexact, result));
    } else {
      od::number parsed;
      if (value.get_number().get(parsed)) return wrong("is no number in range");
      switch (parsed.get_number_type()) {
        case od::number_type::signed_integer:
          fits = std::in_range<T>(parsed.get_int64());
          result = static_cast<T>(parsed.get_int64());
          break;
        case od::number_type::unsigned_integer:
          fits = std::in_range<T>(parsed.get_uint64());
          result = static_cast<T>(parsed.get_uint64());
          break;
        default:
          fits = whole(parsed.get_double(), result);
      }
    }
    if (!fits) return wrong("is no whole number in range");
    return number(info, static_cast<uint64_t>(static_cast<int64_t>(result)), tagged);
  }

  bool real(const FieldInfo& info, od::value value, od::json_type type, std::string_view text,
            bool tagged) {
    double result = 0;
    if (type == od::json_type::number) {
      if (value.get_double().get(result)) return wrong("is no number in range");
    } else if (text == "NaN") {
      result = std::numeric_limits<double>::quiet_NaN();
    } else if (text == "Infinity" || text == "-Infinity") {
      result = std::numeric_limits<double>::infinity() * (text[0] == '-' ? -1 : 1);
    } else if (type != od::json_type::string || !parse_all(text, result) ||
               !std::isfinite(result)) {
      return wrong("is no number");
    }
    return number(info, std::bit_cast<uint64_t>(result), tagged);
  }

  bool number(const FieldInfo& info, uint64_t bits, bool tagged) {
    const proto::Type type = wire_type(info.kind);
    if (tagged) writer_.raw_varint(proto::tag_of(info.number, type));
    if (info.kind == Kind::Sint32) {
      const auto low = static_cast<uint32_t>(bits);
      bits = (low << 1) ^ (static_cast<int32_t>(low) < 0 ? UINT32_MAX : 0U);
    }
    if (type == proto::Type::Varint) {
      writer_.raw_varint(bits);
    } else {
      out_.append(reinterpret_cast<const char*>(&bits), type == proto::Type::Fixed64 ? 8 : 4);
    }
    return true;
  }

  std::string& out_;
  proto::Writer writer_;
  size_t max_size_;
  std::string bytes_;
  std::string text_;
  std::string why_;
  std::string path_;
  bool over_ = false;
};

}  // namespace sonde::wire
