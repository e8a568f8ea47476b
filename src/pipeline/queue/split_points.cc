// SPDX-License-Identifier: Apache-2.0
// Cuts a chunk of metrics between data points, in one walk over it. What cannot be cut (resources,
// scopes, what a metric says besides its points) is repeated in each piece that needs it.
#include <algorithm>
#include <string>
#include <utility>

#include "data/otlp_fields.h"
#include "data/wire.h"
#include "pipeline/queue/split_items.h"

namespace sonde {
namespace {

using proto::Field;
using proto::Reader;
using proto::Type;
using proto::Writer;

bool is_kind(const Field& field) {
  namespace f = otlp::metric;
  return field.type == Type::Bytes &&
         (field.number == f::kGauge || field.number == f::kSum || field.number == f::kHistogram ||
          field.number == f::kExponentialHistogram || field.number == f::kSummary);
}

// Calls visit(payload, raw) for each message of this number and adds all other fields to `rest`
// first. False where the bytes do not parse.
template <class Visit>
bool each(std::string_view body, uint32_t number, std::string& rest, Visit visit) {
  const auto wanted = [&](const Field& field) {
    return field.number == number && field.type == Type::Bytes;
  };
  Field field;
  rest.clear();
  Reader others(body);
  while (others.next(field)) {
    if (!wanted(field)) rest.append(field.raw);
  }
  if (!others.ok()) return false;
  Reader reader(body);
  while (reader.next(field)) {
    if (wanted(field) && !visit(field.bytes, field.raw)) return false;
  }
  return true;
}

class PointSplitter {
 public:
  PointSplitter(size_t first, size_t size) : most_(first), size_(size) {}

  bool split(std::string_view chunk) {
    return each(chunk, otlp::request::kGroups, rest_, [&](std::string_view group, auto) {
      const bool ok =
          each(group, otlp::group::kScopes, group_rest_, [&](std::string_view scope, auto) {
            const bool parsed = each(
                scope, otlp::scope_group::kRecords, scope_rest_,
                [&](std::string_view body, std::string_view raw) { return metric(body, raw); });
            end_scope();
            return parsed;
          });
      end_group();
      return ok;
    });
  }
  std::vector<Piece> take() {
    end_piece();
    return std::move(pieces_);
  }

 private:
  // The kinds of a metric are a oneof: pieces of one kind are one message, another kind replaces
  // it.
  bool metric(std::string_view body, std::string_view raw) {
    head_.clear();
    points_.clear();
    data_rest_.clear();
    uint32_t kind = 0;
    Reader reader(body);
    Field field;
    while (reader.next(field)) {
      if (!is_kind(field)) {
        head_.append(field.raw);
        continue;
      }
      if (std::exchange(kind, field.number) != field.number) {
        points_.clear();
        data_rest_.clear();
      }
      Reader data(field.bytes);
      Field inner;
      while (data.next(inner)) {
        if (inner.number == otlp::points::kPoints && inner.type == Type::Bytes) {
          points_.push_back(inner.raw);
        } else {
          data_rest_.append(inner.raw);
        }
      }
      if (!data.ok()) return false;
    }
    if (!reader.ok()) return false;
    if (!points_.empty() && items_ == most_) end_piece();
    if (points_.size() <= most_ - items_) {
      scope_.append(raw);
      items_ += points_.size();
      return true;
    }
    for (size_t at = 0; at < points_.size();) {
      if (items_ == most_) end_piece();
      const size_t end = at + std::min(points_.size() - at, most_ - items_);
      items_ += end - at;
      std::string data = data_rest_;
      for (; at < end; ++at) data.append(points_[at]);
      std::string part = head_;
      Writer(part).bytes(kind, data);
      Writer(scope_).bytes(otlp::scope_group::kRecords, part);
    }
    return true;
  }

  void end_scope() { close(scope_, scope_rest_, group_, otlp::group::kScopes); }
  void end_group() { close(group_, group_rest_, out_, otlp::request::kGroups); }
  static void close(std::string& inner, const std::string& rest, std::string& outer,
                    uint32_t number) {
    if (inner.empty()) return;
    inner.insert(0, rest);
    Writer(outer).bytes(number, inner);
    inner.clear();
  }
  void end_piece() {
    end_scope();
    end_group();
    if (items_ > 0) pieces_.push_back({Bytes::take(out_ + rest_), items_});
    out_.clear();
    items_ = 0;
    if (!pieces_.empty()) most_ = size_;
  }

  size_t most_;  // of this piece
  const size_t size_;
  size_t items_ = 0;
  std::string out_, group_, scope_;             // of this piece, as far as it is written
  std::string rest_, group_rest_, scope_rest_;  // what stands beside those
  std::string head_, data_rest_;                // of the metric in hand
  std::vector<std::string_view> points_;
  std::vector<Piece> pieces_;
};

}  // namespace

Result<std::vector<Piece>> split_points(const Bytes& chunk, size_t first, size_t size) {
  PointSplitter splitter(first, size);
  if (!splitter.split(chunk.view())) {
    return fail(ErrorKind::Invalid, "malformed OTLP: it cannot be cut");
  }
  return splitter.take();
}

}  // namespace sonde
