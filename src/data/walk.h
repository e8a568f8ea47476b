// SPDX-License-Identifier: Apache-2.0
// The way down that all signals share: groups, scopes, records. A private helper of the
// views. A message that is given in several pieces is one message whose pieces are concatenated;
// hardly anybody sends that, so only that case allocates.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "data/attribute_view.h"
#include "data/function_ref.h"
#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde {

// Every piece of a singular message or string field, and whether the message parses at all.
class Singular {
 public:
  void add(std::string_view piece) {
    if (pieces_++ == 0) {
      view_ = piece;
      return;
    }
    if (pieces_ == 2) joined_.assign(view_);
    joined_.append(piece);
    view_ = joined_;
  }
  std::string_view view() const { return view_; }

 private:
  int pieces_ = 0;
  std::string_view view_;
  std::string joined_;
};

using RecordVisitor =
    FunctionRef<bool(const ResourceView&, const ScopeView&, std::string_view record)>;
// Stops with an error where the bytes, or the visitor by returning false, say they are malformed.
Result<> for_each_record(std::string_view chunk, RecordVisitor visit);

}  // namespace sonde
