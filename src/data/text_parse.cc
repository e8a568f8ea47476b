// SPDX-License-Identifier: Apache-2.0
// The reading half of the text form: lines to canonical bytes. Blocks follow the indentation, as in
// Python; fields may stand in any order and are written in the order of their numbers.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hex.h"
#include "data/text.h"
#include "data/text_schema.h"
#include "data/text_value.h"
#include "data/wire.h"

namespace sonde {
namespace text {
namespace {

struct Line {
  size_t indent;
  size_t number;
  std::string_view content;
};

// The fields of a message until all are known: encoded bytes by number.
struct Parts {
  std::map<uint32_t, std::string> list;

  std::string& add(uint32_t number) { return list[number]; }
  std::string join() const {
    std::string out;
    for (const auto& [number, bytes] : list) out += bytes;
    return out;
  }
};

class Parser {
 public:
  explicit Parser(std::string_view text) { split(text); }

  Result<Batch> batch() {
    if (lines_.empty()) return fail(ErrorKind::Invalid, "the text is empty; expected `traces`");
    const Line& head = lines_.front();
    Batch out;
    const auto signal =
        std::ranges::find(kSignals, head.content, [](Signal s) { return to_string(s); });
    if (signal == kSignals.end())
      return wrong(head, "expected `traces`, `metrics`, `logs` or `profiles`");
    out.signal = *signal;
    next_ = 1;
    std::string body = TRY(message(request_schema(out.signal), head.indent, true));
    if (next_ < lines_.size()) return wrong(lines_[next_], "is not indented deeper than its head");
    if (!body.empty()) out.chunks.push_back(Bytes::take(std::move(body)));
    for (std::string& chunk : malformed_) out.chunks.push_back(Bytes::take(std::move(chunk)));
    return out;
  }

 private:
  void split(std::string_view text) {
    size_t number = 0;
    while (!text.empty()) {
      const size_t size = std::min(text.find('\n'), text.size());
      std::string_view content = text.substr(0, size);
      text.remove_prefix(std::min(size + 1, text.size()));
      ++number;
      if (content.ends_with('\r')) content.remove_suffix(1);
      const size_t indent = content.find_first_not_of(' ');
      if (indent == std::string_view::npos || content[indent] == '#') continue;
      content.remove_prefix(indent);
      while (content.ends_with(' ')) content.remove_suffix(1);
      lines_.push_back({indent, number, content});
    }
  }

  static std::unexpected<Error> wrong(const Line& line, std::string_view why) {
    return fail(ErrorKind::Invalid,
                fmt::format("line {}: `{}`: {}", line.number, line.content, why));
  }

  // The lines deeper than `parent`, all at the depth of the first of them.
  Result<std::string> message(const Message& schema, size_t parent, bool top = false) {
    Parts parts;
    std::vector<Parts> inlined(schema.fields.size());
    const size_t indent = next_ < lines_.size() ? lines_[next_].indent : 0;
    while (next_ < lines_.size() && lines_[next_].indent > parent) {
      const Line& line = lines_[next_++];
      if (line.indent != indent) return wrong(line, "is not indented like its neighbours");
      Cursor at{.rest = line.content};
      if (top && line.content.starts_with("malformed:")) {
        at.rest.remove_prefix(10);
        if (!at.quoted(malformed_.emplace_back()) || !at.end()) return wrong(line, at.error);
      } else if (line.content.starts_with('?')) {
        TRY(unknown(line, schema, parts, inlined));
      } else {
        TRY(known(line, schema, parts, inlined));
      }
    }
    for (size_t i = 0; i < inlined.size(); ++i) {
      const std::string body = inlined[i].join();
      const uint32_t number = schema.fields[i].number;
      if (!body.empty()) proto::Writer(parts.add(number)).bytes(number, body);
    }
    return parts.join();
  }

  Result<> known(const Line& line, const Message& schema, Parts& parts,
                 std::vector<Parts>& inlined) {
    Cursor at{.rest = line.content};
    std::string name;
    if (!at.key(name)) return wrong(line, at.error);
    if (at.take('=')) return attribute(line, at, name, schema, parts, inlined);
    const bool scalar = at.take(':');
    if (!scalar && !at.end()) return wrong(line, "expected `name: value` or `key = value`");
    at.skip_spaces();
    // A value may be an integer or a double under the same name: what is written decides.
    const bool is_double = at.rest.find_first_of(".einE") != std::string_view::npos;
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      const FieldInfo& info = schema.fields[i];
      if (info.kind == Kind::Inline) {
        for (const FieldInfo& inner : info.message->fields)
          if (inner.name == name && inner.kind != Kind::Attributes && scalar)
            return field(line, at, inner, inlined[i]);
        continue;
      }
      if (info.name != name || info.kind == Kind::Attributes) continue;
      if (info.kind == Kind::Int64 && is_double) continue;
      if (scalar == (info.kind == Kind::Block)) continue;
      if (scalar) return field(line, at, info, parts);
      const std::string body = TRY(message(*info.message, line.indent));
      proto::Writer(parts.add(info.number)).bytes(info.number, body);
      return {};
    }
    return wrong(line, "no such name here");
  }

  Result<> attribute(const Line& line, Cursor& at, const std::string& key, const Message& schema,
                     Parts& parts, std::vector<Parts>& inlined) {
    Parts* target = nullptr;
    uint32_t number = 0;
    const auto look = [&](const Message& in, Parts& to) {
      for (const FieldInfo& info : in.fields) {
        if (info.kind != Kind::Attributes || target != nullptr) continue;
        target = &to;
        number = info.number;
      }
    };
    look(schema, parts);
    for (size_t i = 0; i < schema.fields.size(); ++i)
      if (schema.fields[i].kind == Kind::Inline) look(*schema.fields[i].message, inlined[i]);
    if (target == nullptr) return wrong(line, "there are no attributes here");
    std::string value;
    if (!parse_value(at, value) || !at.end()) return wrong(line, at.error);
    std::string& out = target->add(number);
    proto::Writer(out).nested(number, [&] {
      if (!key.empty()) proto::Writer(out).bytes(otlp::key_value::kKey, key);
      proto::Writer(out).bytes(otlp::key_value::kValue, value);
    });
    return {};
  }

  Result<> field(const Line& line, Cursor& at, const FieldInfo& info, Parts& parts) {
    std::string& out = parts.add(info.number);
    proto::Writer writer(out);
    if (info.kind == Kind::String || info.kind == Kind::Strings || info.kind == Kind::Value) {
      std::string value;
      const bool ok = info.kind == Kind::Value ? parse_value(at, value) : at.quoted(value);
      if (!ok || !at.end()) return wrong(line, at.error);
      if (!value.empty() || info.kind != Kind::String) writer.bytes(info.number, value);
      return {};
    }
    if (info.kind >= Kind::PackedFixed64) return packed(line, at, info, out);
    if (!scalar(at.word(), info, writer)) return wrong(line, "the value is not of the right type");
    if (!at.end()) return wrong(line, at.error);
    return {};
  }

  static bool scalar(std::string_view word, const FieldInfo& info, proto::Writer& writer) {
    uint64_t bits = 0;
    int64_t integer = 0;
    double number = 0;
    std::string bytes;
    const bool keep = info.presence;
    switch (info.kind) {
      case Kind::Hex:
        if (!from_hex(word, bytes)) return false;
        if (!bytes.empty()) writer.bytes(info.number, bytes);
        return true;
      case Kind::Bool:
        if (word == "true") writer.varint(info.number, 1);
        return word == "true" || word == "false";
      case Kind::Sint32:
        if (!parse_int(word, integer) || integer < INT32_MIN || integer > INT32_MAX) return false;
        if (integer != 0) writer.sint32(info.number, static_cast<int32_t>(integer));
        return true;
      case Kind::Int64:
        if (!parse_int(word, integer)) return false;
        writer.fixed64(info.number, static_cast<uint64_t>(integer));
        return true;
      case Kind::Double:
        if (!parse_double(word, number)) return false;
        if (keep || std::bit_cast<uint64_t>(number) != 0) writer.float64(info.number, number);
        return true;
      case Kind::Enum: {
        const auto* name = std::ranges::find(info.names, word).base();
        bits = static_cast<uint64_t>(name - info.names.data());
        if (bits == info.names.size() && !parse_uint(word, bits)) return false;
        break;
      }
      case Kind::Time:
        if (!parse_time(word, bits)) return false;
        break;
      default:
        if (!parse_uint(word, bits)) return false;
    }
    if (bits == 0 && !keep) return true;
    if (info.kind == Kind::Time || info.kind == Kind::Fixed64) {
      writer.fixed64(info.number, bits);
    } else if (info.kind == Kind::Fixed32) {
      if (bits > UINT32_MAX) return false;
      writer.fixed32(info.number, static_cast<uint32_t>(bits));
    } else {
      writer.varint(info.number, bits);
    }
    return true;
  }

  static Result<> packed(const Line& line, Cursor& at, const FieldInfo& info, std::string& out) {
    std::string list;
    if (!at.take('[')) return wrong(line, "expected a list: [1, 2]");
    while (!at.take(']')) {
      if (!list.empty() && !at.take(',')) return wrong(line, "expected `,` or `]`");
      const std::string_view word = at.word();
      uint64_t bits = 0;
      double number = 0;
      if (info.kind == Kind::PackedDouble ? !parse_double(word, number) : !parse_uint(word, bits))
        return wrong(line, "the list holds something that is no number");
      if (info.kind == Kind::PackedDouble) bits = std::bit_cast<uint64_t>(number);
      if (info.kind == Kind::PackedVarint)
        proto::Writer(list).raw_varint(bits);
      else
        list.append(reinterpret_cast<const char*>(&bits), 8);
    }
    if (!at.end()) return wrong(line, at.error);
    if (!list.empty()) proto::Writer(out).bytes(info.number, list);
    return {};
  }

  // ?12: varint 5, or ?of_resource.12: ... for a field of an inline message.
  static Result<> unknown(const Line& line, const Message& schema, Parts& parts,
                          std::vector<Parts>& inlined) {
    Cursor at{.rest = line.content.substr(1)};
    const size_t colon = at.rest.find(':');
    if (colon == std::string_view::npos) return wrong(line, "expected `?number: type value`");
    std::string_view name = at.rest.substr(0, colon);
    at.rest.remove_prefix(colon + 1);
    Parts* target = &parts;
    if (const size_t dot = name.find('.'); dot != std::string_view::npos) {
      target = nullptr;
      for (size_t i = 0; i < schema.fields.size(); ++i)
        if (schema.fields[i].kind == Kind::Inline && schema.fields[i].name == name.substr(0, dot))
          target = &inlined[i];
      name.remove_prefix(dot + 1);
    }
    uint64_t number = 0;
    if (target == nullptr || !parse_uint(name, number) || number == 0 || number >= 1U << 29)
      return wrong(line, "no such field");
    const auto id = static_cast<uint32_t>(number);
    std::string& out = target->add(id);
    proto::Writer writer(out);
    const std::string_view type = at.word();
    if (type == "bytes" || type == "group") {
      std::string value;
      if (!at.quoted(value) || !at.end()) return wrong(line, at.error);
      if (type == "bytes") {
        writer.bytes(id, value);
      } else {
        writer.raw_varint(proto::tag_of(id, proto::Type::Group));
        writer.raw(value);
        writer.raw_varint(proto::tag_of(id, proto::Type::EndGroup));
      }
      return {};
    }
    uint64_t bits = 0;
    if (!parse_uint(at.word(), bits) || !at.end()) return wrong(line, "expected a number");
    if (type == "varint") {
      writer.varint(id, bits);
    } else if (type == "fixed64") {
      writer.fixed64(id, bits);
    } else if (type == "fixed32" && bits <= UINT32_MAX) {
      writer.fixed32(id, static_cast<uint32_t>(bits));
    } else {
      return wrong(line, "the type is varint, fixed32, fixed64, bytes or group");
    }
    return {};
  }

  std::vector<Line> lines_;
  size_t next_ = 0;
  std::vector<std::string> malformed_;
};

}  // namespace
}  // namespace text

Result<Batch> from_text(std::string_view text) { return text::Parser(text).batch(); }

}  // namespace sonde
