// SPDX-License-Identifier: Apache-2.0
// One walk over the chunk, however many pieces it becomes.
#include "pipeline/queue/split_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/memory_ledger.h"
#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde {
namespace {

using proto::Field;
using proto::Reader;
using proto::Type;
using proto::Writer;

// Room for the tag and the length of a message.
constexpr size_t kHeader = 6;
// What a piece takes beside its bytes, at least where it waits in a queue.
constexpr size_t kPiece = 256;
constexpr size_t kAtOnce = size_t{1} << 20;
constexpr Duration kComeBack = std::chrono::seconds(1);

bool is_message(const Field& field, uint32_t number) {
  return field.number == number && field.type == Type::Bytes;
}

bool is_kind(const Field& field) {
  namespace f = otlp::metric;
  return field.type == Type::Bytes &&
         (field.number == f::kGauge || field.number == f::kSum || field.number == f::kHistogram ||
          field.number == f::kExponentialHistogram || field.number == f::kSummary);
}

// Adds all fields but the messages of this number to `rest`, then calls visit(payload, raw) for
// each of those. False where the bytes do not parse or the visitor says so.
template <class Visit>
bool each_message(std::string_view body, uint32_t number, std::string& rest, Visit visit) {
  Field field;
  rest.clear();
  Reader others(body);
  while (others.next(field)) {
    if (!is_message(field, number)) rest.append(field.raw);
  }
  if (!others.ok()) return false;
  Reader reader(body);
  while (reader.next(field)) {
    if (is_message(field, number) && !visit(field.bytes, field.raw)) return false;
  }
  return true;
}

// Fields one after the other. Neighbours of the chunk are copied together, and those at the end
// only when all is copied to where it belongs.
class Fields {
 public:
  void add(std::string_view raw) {
    if (!run_.empty() && run_.data() + run_.size() == raw.data()) {
      run_ = {run_.data(), run_.size() + raw.size()};
      return;
    }
    text_.append(run_);
    run_ = raw;
  }
  std::string& open() {
    text_.append(std::exchange(run_, {}));
    return text_;
  }
  size_t size() const { return text_.size() + run_.size(); }
  void move_to(std::string& out) {
    out.append(text_).append(run_);
    clear();
  }
  void clear() {
    text_.clear();
    run_ = {};
  }

 private:
  std::string text_;
  std::string_view run_;
};

class Splitter {
 public:
  Splitter(Signal signal, PieceSize first, PieceSize each)
      : points_(signal == Signal::Metrics), most_(first), each_(each) {}

  // With more than `most` bytes in the pieces the next one is the last.
  Result<std::vector<Piece>> split(std::string_view chunk, size_t most) {
    at_once_ = most;
    if (!walk(chunk)) return malformed();
    end_piece();
    return std::move(pieces_);
  }

  // How much memory all the pieces take together, or some number above `most`.
  Result<size_t> measure(std::string_view chunk, size_t most) {
    writes_ = false;
    enough_ = most;
    const bool parsed = walk(chunk);
    if (!parsed && made_ <= enough_) return malformed();
    end_piece();
    return made_;
  }

 private:
  static std::unexpected<Error> malformed() {
    return fail(ErrorKind::Invalid, "malformed OTLP: it cannot be cut");
  }

  bool walk(std::string_view chunk) {
    return each_message(chunk, otlp::request::kGroups, rest_, [&](std::string_view group, auto) {
      const bool ok =
          each_message(group, otlp::group::kScopes, group_rest_, [&](std::string_view body, auto) {
            const bool parsed = scope(body);
            end_scope();
            return parsed;
          });
      end_group();
      return ok;
    });
  }

  bool scope(std::string_view body) {
    return each_message(body, otlp::scope_group::kRecords, scope_rest_,
                        [&](std::string_view record, std::string_view raw) {
                          if (points_) return metric(record, raw);
                          if (!fits(1, raw.size())) end_piece();
                          add(raw, 1);
                          return made_ <= enough_;
                        });
  }

  // What a piece grows by beside the record itself.
  size_t around() const {
    return (in_group_ ? 0 : group_rest_.size() + kHeader) +
           (in_scope_ ? 0 : scope_rest_.size() + kHeader);
  }
  bool fits(size_t items, size_t bytes) const {
    if (items > most_.items - items_) return false;
    if (most_.bytes == SIZE_MAX) return true;
    return size_ + rest_.size() + around() + bytes <= most_.bytes || (items_ == 0 && items == 1);
  }
  void enter() {
    size_ += around();
    in_group_ = in_scope_ = true;
  }
  void add(std::string_view raw, size_t items) {
    enter();
    if (writes_) scope_.add(raw);
    size_ += raw.size();
    items_ += items;
  }

  // The kinds of a metric are a oneof: pieces of one kind are one message, another kind replaces
  // it.
  bool metric(std::string_view body, std::string_view raw) {
    head_.clear();
    data_rest_.clear();
    kind_ = 0;
    const char* begin = nullptr;  // Where the data of its last kind begins.
    size_t items = 0;
    Field field, inner;
    Reader reader(body);
    while (reader.next(field)) {
      if (!is_kind(field)) {
        head_.append(field.raw);
        continue;
      }
      if (std::exchange(kind_, field.number) != field.number) {
        begin = field.raw.data();
        data_rest_.clear();
        items = 0;
      }
      Reader data(field.bytes);
      while (data.next(inner)) {
        if (is_message(inner, otlp::points::kPoints)) {
          ++items;
        } else {
          data_rest_.append(inner.raw);
        }
      }
      if (!data.ok()) return false;
    }
    if (!reader.ok()) return false;
    if (items == 0 || fits(items, raw.size())) {
      add(raw, items);
      return true;
    }
    Reader again(body);
    while (again.next(field)) {
      if (!is_kind(field) || field.raw.data() < begin) continue;
      Reader data(field.bytes);
      while (data.next(inner)) {
        if (!is_message(inner, otlp::points::kPoints)) continue;
        if (!point(inner.raw)) return false;
      }
    }
    end_metric();
    return true;
  }

  bool point(std::string_view raw) {
    const size_t around_point = head_.size() + data_rest_.size() + 2 * kHeader;
    if (!fits(1, raw.size() + (in_metric_ ? 0 : around_point))) end_piece();
    if (!in_metric_) size_ += around_point;
    in_metric_ = true;
    enter();
    if (writes_) data_.add(raw);
    size_ += raw.size();
    ++items_;
    return made_ <= enough_;
  }

  static void header(std::string& out, uint32_t number, size_t size) {
    Writer writer(out);
    writer.raw_varint(proto::tag_of(number, Type::Bytes));
    writer.raw_varint(size);
  }
  void end_metric() {
    if (!std::exchange(in_metric_, false) || !writes_) return;
    const size_t data = data_rest_.size() + data_.size();
    std::string& out = scope_.open();
    header(out, otlp::scope_group::kRecords, head_.size() + proto::bytes_size(kind_, data));
    out.append(head_);
    header(out, kind_, data);
    out.append(data_rest_);
    data_.move_to(out);
  }
  void end_scope() {
    if (!std::exchange(in_scope_, false) || !writes_) return;
    header(group_, otlp::group::kScopes, scope_rest_.size() + scope_.size());
    group_.append(scope_rest_);
    scope_.move_to(group_);
  }
  void end_group() {
    if (!std::exchange(in_group_, false) || !writes_) return;
    const size_t size = group_rest_.size() + group_.size();
    // Exactly as much where it is the only group: a piece may be large and wait for long.
    if (out_.empty()) out_.reserve(size + 2 * kHeader + rest_.size());
    header(out_, otlp::request::kGroups, size);
    out_.append(group_rest_).append(group_);
    group_.clear();
  }
  void end_piece() {
    end_metric();
    end_scope();
    end_group();
    if (items_ > 0) {
      made_ += size_ + rest_.size() + kPiece;
      if (writes_) pieces_.push_back({Bytes::take(std::move(out_.append(rest_))), items_});
    }
    out_ = {};
    size_ = items_ = 0;
    most_ = made_ > at_once_ ? PieceSize{} : each_;
  }

  const bool points_;
  PieceSize most_;  // Of this piece.
  const PieceSize each_;
  size_t at_once_ = SIZE_MAX;
  size_t enough_ = SIZE_MAX;
  bool writes_ = true;
  size_t items_ = 0;                                              // Of this piece,
  size_t size_ = 0;                                               // as far as it has come,
  bool in_group_ = false, in_scope_ = false, in_metric_ = false;  // in which these are open.
  std::string out_, group_;
  Fields scope_, data_;
  std::string rest_, group_rest_, scope_rest_;  // What stands beside groups, scopes, records.
  std::string head_, data_rest_;                // Of the metric in hand.
  uint32_t kind_ = 0;
  size_t made_ = 0;  // What all pieces take.
  std::vector<Piece> pieces_;
};

}  // namespace

Result<std::vector<Piece>> split_items(Signal signal, const Bytes& chunk, PieceSize first,
                                       PieceSize each) {
  return Splitter(signal, first, each).split(chunk.view(), std::max(2 * chunk.size(), kAtOnce));
}

Result<> check_cut(const Batch& batch, size_t items, PieceSize first, PieceSize each) {
  const MemoryLedger& ledger = MemoryLedger::process();
  const size_t room = ledger.room();
  const size_t budget = ledger.budget();
  // No piece is larger than the batch.
  const size_t pieces = each.bytes == SIZE_MAX ? 2 + items / each.items : items;
  const size_t bytes = batch.bytes();
  if (pieces < room / (bytes + kPiece)) return {};
  size_t total = 0;
  for (const Bytes& chunk : batch.chunks) {
    total += TRY(Splitter(batch.signal, first, each).measure(chunk.view(), budget));
    if (total > budget) {
      return fail(ErrorKind::Invalid,
                  fmt::format("a request of {} bytes would take more than the {} bytes that there "
                              "are for telemetry when it is cut, for its resources and scopes are "
                              "repeated in each part; allow larger parts or send smaller resources",
                              bytes, budget));
    }
    if (total > room) {
      return std::unexpected(
          Error{ErrorKind::Exhausted, "there is no memory now to cut this request", kComeBack});
    }
    first = each;
  }
  return {};
}

}  // namespace sonde
