// SPDX-License-Identifier: Apache-2.0
// The pass of edit.h. The output is only begun at the first change. Until then, and between
// changes, `done_` tells up to where the source was copied, and clean ranges are copied in one go
// with whatever clean bytes follow them. The header of a group or scope is written when something
// in it changes, with room for a length of as many bytes as before; close() puts the length in and
// moves the body in the rare case that it takes more or fewer.
#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "data/count.h"
#include "data/edit.h"
#include "data/hop.h"
#include "data/walk.h"

namespace sonde {

using proto::Field;
using proto::Reader;
using proto::Type;

namespace {

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::Invalid, "malformed OTLP: " + std::string(what) +
                                      " does not parse; the sender's encoder is at fault");
}

constexpr size_t kClosed = SIZE_MAX;
// What a chunk may become: so much, or so many times what it was. An editor may give a long value
// to each of millions of empty items.
constexpr size_t kMuch = size_t{256} << 20;
constexpr size_t kTimes = 16;

std::unexpected<Error> too_large(size_t size, size_t most) {
  return fail(ErrorKind::Invalid, "a request of " + std::to_string(size) +
                                      " bytes would become larger than " + std::to_string(most) +
                                      " by what is added to each of its items");
}

}  // namespace

class Rewriter::Walk {
 public:
  Result<Rewritten> run(Signal signal, const Bytes& chunk, Editor& editor);

 private:
  enum class Verdict : uint8_t { Keep, Drop, Malformed, TooLarge };
  // A group or a scope group that is being walked.
  struct Frame {
    std::string_view field;  // In the source, with its tag.
    std::string_view body;
    uint32_t number;      // Of the field.
    MessageEdit* header;  // Its Resource or InstrumentationScope.
    uint32_t header_number;
    std::string_view header_field;  // In the source; empty where there is none.
    size_t begin = kClosed;         // In out_: the tag. kClosed: nothing was written.
    size_t body_begin = 0;
    size_t header_begin = 0;
    size_t header_size = 0;
    uint64_t version = 0;  // Of the header as it was written, or as it came.
    std::string tidy;      // A copy of the body, where that is out of order.
  };

  Result<bool> group(const Field& field);
  Result<bool> scope(const Field& field);
  Verdict record(std::string_view field, std::string_view body);
  Result<> enter(Frame& frame, const Field& field, uint32_t number, uint32_t header_number,
                 uint32_t children, uint32_t attributes);
  void open(Frame& frame);
  void open_all() {
    open(group_);
    open(scope_);
  }
  void leave(Frame& frame);
  void drop(Frame& frame);
  void close(Frame& frame);
  void put_header(Frame& frame);

  void room(size_t size) {
    if (out_.size() - size_ < size) grow(size);
  }
  void grow(size_t size);
  size_t most() const { return std::max(kMuch, kTimes * source_size_); }
  void copy_until(const char* end) {
    const auto size = static_cast<size_t>(end - done_);
    if (size == 0) return;
    room(size);
    std::memcpy(out_.data() + size_, done_, size);
    size_ += size;
    done_ = end;
  }

  Signal signal_ = Signal::Traces;
  Editor* editor_ = nullptr;
  Editor::Depth depth_ = Editor::Depth::Items;
  uint32_t item_attributes_ = 0;
  size_t source_size_ = 0;
  std::string out_;  // As large as there is room; size_ bytes of it are written.
  size_t size_ = 0;
  bool started_ = false;
  const char* done_ = nullptr;
  size_t dropped_ = 0;
  Frame group_;
  Frame scope_;
  MessageEdit resource_edit_;
  MessageEdit scope_edit_;
  MessageEdit item_;
  Owners owners_{ResourceEdit(resource_edit_), ScopeEdit(scope_edit_)};
};

void Rewriter::Walk::grow(size_t size) {
  // The first time, what a few attributes more an item would take; then in steps.
  const size_t least = started_ ? out_.size() + out_.size() / 2 : source_size_ + source_size_ / 8;
  const size_t target = std::max(size_ + size, least + 64);
  out_.resize_and_overwrite(target, [](char*, size_t count) { return count; });
  started_ = true;
}

// Finds the header of a group, which nearly always is one field before the first child. Where it
// comes in pieces or late, which is legal, the walk goes on in a copy of the body in which it is
// one field and comes first.
Result<> Rewriter::Walk::enter(Frame& frame, const Field& field, uint32_t number,
                               uint32_t header_number, uint32_t children, uint32_t attributes) {
  frame.field = field.raw;
  frame.body = field.bytes;
  frame.number = number;
  frame.header_number = header_number;
  frame.header_field = {};
  frame.begin = kClosed;
  Singular header;
  bool late = false;
  bool child = false;
  int pieces = 0;
  const auto see = [&](std::string_view, std::string_view) { return child = true; };
  const auto look = [&](const Field& other) {
    if (other.number != header_number || other.type != Type::Bytes) return;
    header.add(other.bytes);
    frame.header_field = other.raw;
    late = late || child;
    ++pieces;
  };
  if (!proto::hop(field.bytes, children, see, look)) return malformed("a group");
  std::string_view body = header.view();
  if (late || pieces > 1) {
    frame.tidy.clear();
    proto::Writer writer(frame.tidy);
    writer.bytes(header_number, body);
    const size_t size = frame.tidy.size();
    Reader again(field.bytes);
    Field inner;
    while (again.next(inner))
      if (inner.number != header_number || inner.type != Type::Bytes) writer.raw(inner.raw);
    frame.body = frame.tidy;
    frame.header_field = frame.body.substr(0, size);
    body = frame.header_field.substr(size - body.size());
  }
  frame.header->open(body, attributes);
  frame.version = frame.header->version();
  return {};
}

void Rewriter::Walk::put_header(Frame& frame) {
  frame.header_begin = size_;
  frame.version = frame.header->version();
  const size_t inner = frame.header->encoded_size();
  frame.header_size = proto::bytes_size(frame.header_number, inner);
  room(frame.header_size);
  char* at = proto::put_header(out_.data() + size_, frame.header_number, inner);
  frame.header->encode(at);
  size_ += frame.header_size;
}

void Rewriter::Walk::open(Frame& frame) {
  if (frame.begin != kClosed) return;
  copy_until(frame.field.data());
  frame.begin = size_;
  const size_t length = proto::varint_size(frame.body.size());
  room(1 + length);
  out_[size_] = static_cast<char>(proto::tag_of(frame.number, Type::Bytes));
  size_ += 1 + length;
  frame.body_begin = size_;
  done_ = frame.body.data();
  if (!frame.header_field.empty()) {
    copy_until(frame.header_field.data());
    if (frame.header->changed()) {
      put_header(frame);
      done_ = frame.header_field.data() + frame.header_field.size();
    } else {
      frame.header_begin = size_;
      frame.header_size = frame.header_field.size();
      copy_until(done_ + frame.header_size);
    }
  } else if (frame.header->changed()) {
    put_header(frame);
  } else {
    frame.header_begin = size_;
    frame.header_size = 0;
  }
}

void Rewriter::Walk::leave(Frame& frame) {
  if (frame.header->changed()) open(frame);
  if (frame.begin != kClosed) close(frame);
}

void Rewriter::Walk::close(Frame& frame) {
  copy_until(frame.body.data() + frame.body.size());
  done_ = frame.field.data() + frame.field.size();
  if (frame.header->version() != frame.version) {
    // An item changed what it belongs to after that was written.
    const size_t old_end = frame.header_begin + frame.header_size;
    const size_t size = proto::bytes_size(frame.header_number, frame.header->encoded_size());
    const size_t rest = size_ - old_end;
    room(size);
    std::memmove(out_.data() + frame.header_begin + size, out_.data() + old_end, rest);
    size_ = frame.header_begin;
    put_header(frame);
    size_ += rest;
  }
  const size_t length_begin = frame.begin + 1;
  const size_t size = size_ - frame.body_begin;
  const size_t had = frame.body_begin - length_begin;
  const size_t need = proto::varint_size(size);
  if (need != had) {
    room(need);
    std::memmove(out_.data() + length_begin + need, out_.data() + frame.body_begin, size);
    size_ = length_begin + need + size;
  }
  proto::put_varint(out_.data() + length_begin, size);
}

// What was written of it goes again.
void Rewriter::Walk::drop(Frame& frame) {
  if (frame.begin == kClosed)
    copy_until(frame.field.data());
  else
    size_ = frame.begin;
  started_ = true;
  done_ = frame.field.data() + frame.field.size();
}

Rewriter::Walk::Verdict Rewriter::Walk::record(std::string_view field, std::string_view body) {
  item_.open(body, item_attributes_);
  bool keep = true;
  bool recount = false;
  switch (signal_) {
    case Signal::Traces: {
      SpanEdit span(item_);
      keep = editor_->span(span, owners_);
      break;
    }
    case Signal::Logs: {
      LogEdit log(item_);
      keep = editor_->log(log, owners_);
      break;
    }
    case Signal::Metrics: {
      MetricEdit metric(item_);
      keep = editor_->metric(metric, owners_) && !metric.emptied();
      recount = metric.dropped_points();
      break;
    }
    case Signal::Profiles:
      break;  // No editor looks into them: their attributes lie in a dictionary.
  }
  if (!item_.valid()) return item_.overgrown() ? Verdict::TooLarge : Verdict::Malformed;
  if (keep && !item_.changed()) return Verdict::Keep;
  open_all();
  copy_until(field.data());
  done_ = field.data() + field.size();
  if (!keep || recount) {
    const auto count = count_items_of_record(signal_, body);
    if (!count) return Verdict::Malformed;
    dropped_ += *count;
  }
  if (!keep) return Verdict::Drop;
  const size_t size = item_.encoded_size();
  const size_t whole = proto::bytes_size(otlp::scope_group::kRecords, size);
  if (whole > most() - std::min(size_, most())) return Verdict::TooLarge;
  room(whole);
  char* const begin = proto::put_header(out_.data() + size_, otlp::scope_group::kRecords, size);
  char* const end = item_.encode(begin);
  DCHECK(end == out_.data() + size_ + whole, "the sizes of an edited message do not add up");
  size_ += whole;
  if (recount)
    dropped_ -=
        count_items_of_record(signal_, {begin, static_cast<size_t>(end - begin)}).value_or(0);
  return Verdict::Keep;
}

Result<bool> Rewriter::Walk::scope(const Field& field) {
  Frame& frame = scope_;
  TRY(enter(frame, field, otlp::group::kScopes, otlp::scope_group::kScope,
            otlp::scope_group::kRecords, otlp::scope::kAttributes));
  bool keep = editor_->scope(owners_.scope, owners_.resource);
  bool fell = false;
  if (!keep) {
    dropped_ += TRY(count_items_of_scope(signal_, field.bytes));
  } else if (depth_ == Editor::Depth::Items) {
    size_t kept = 0;
    bool grew = false;
    const auto visit = [&](std::string_view whole, std::string_view body) {
      const Verdict verdict = record(whole, body);
      kept += verdict == Verdict::Keep ? 1 : 0;
      fell = fell || verdict == Verdict::Drop;
      grew = verdict == Verdict::TooLarge;
      return verdict == Verdict::Keep || verdict == Verdict::Drop;
    };
    if (!proto::hop(frame.body, otlp::scope_group::kRecords, visit, [](const Field&) {}))
      return grew ? too_large(source_size_, most()) : malformed("an item");
    keep = kept > 0 || !fell;
  }
  if (!scope_edit_.valid()) return malformed("a scope");
  if (keep) {
    if (scope_edit_.changed()) open(group_);
    leave(frame);
    return true;
  }
  open(group_);
  drop(frame);
  return false;
}

Result<bool> Rewriter::Walk::group(const Field& field) {
  Frame& frame = group_;
  TRY(enter(frame, field, otlp::request::kGroups, otlp::group::kResource, otlp::group::kScopes,
            otlp::resource::kAttributes));
  bool keep = editor_->resource(owners_.resource);
  bool fell = false;
  if (!keep) {
    dropped_ += TRY(count_items_of_group(signal_, field.bytes));
  } else if (depth_ >= Editor::Depth::Scopes) {
    size_t kept = 0;
    Reader reader(frame.body);
    Field inner;
    while (reader.next(inner)) {
      if (inner.type != Type::Bytes || inner.number != otlp::group::kScopes) continue;
      if (TRY(scope(inner)))
        ++kept;
      else
        fell = true;
    }
    keep = kept > 0 || !fell;
  }
  if (!resource_edit_.valid()) return malformed("a resource");
  if (keep) {
    leave(frame);
    return true;
  }
  drop(frame);
  return false;
}

Result<Rewritten> Rewriter::Walk::run(Signal signal, const Bytes& chunk, Editor& editor) {
  if (chunk.size() > INT32_MAX) return fail(ErrorKind::Exhausted, "a chunk is larger than 2 GiB");
  signal_ = signal;
  editor_ = &editor;
  depth_ = editor.depth();
  item_attributes_ = signal == Signal::Traces ? otlp::span::kAttributes
                     : signal == Signal::Logs ? otlp::log::kAttributes
                                              : otlp::metric::kMetadata;
  group_.header = &resource_edit_;
  scope_.header = &scope_edit_;
  source_size_ = chunk.size();
  out_.clear();
  size_ = dropped_ = 0;
  started_ = false;
  done_ = chunk.data();
  Reader reader(chunk.view());
  Field field;
  while (reader.next(field))
    if (field.type == Type::Bytes && field.number == otlp::request::kGroups) TRY(group(field));
  if (!reader.ok()) return malformed("the request");
  if (!started_) return Rewritten{chunk, 0, false};
  copy_until(chunk.data() + chunk.size());
  out_.resize(size_);
  // Little is left of much: the rest of the memory must not wait in a queue.
  if (size_ < out_.capacity() / 2) out_.shrink_to_fit();
  return Rewritten{Bytes::take(std::exchange(out_, {})), dropped_, true};
}

Rewriter::Rewriter() : walk_(std::make_unique<Walk>()) {}
Rewriter::~Rewriter() = default;
Rewriter::Rewriter(Rewriter&&) noexcept = default;
Rewriter& Rewriter::operator=(Rewriter&&) noexcept = default;

Result<Rewritten> Rewriter::rewrite(Signal signal, const Bytes& chunk, Editor& editor) {
  return walk_->run(signal, chunk, editor);
}

}  // namespace sonde
