// SPDX-License-Identifier: Apache-2.0
// An immutable run of bytes whose storage is shared and counted: copying one copies a pointer, and
// a slice keeps the whole storage alive. It is what crosses a queue, a branch or a shard. It is no
// builder: build a std::string, then take it.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/memory_ledger.h"

namespace sonde {

class Bytes {
 public:
  Bytes() = default;
  static Bytes copy(std::string_view bytes) { return take(std::string(bytes)); }
  static Bytes take(std::string bytes) {
    if (bytes.empty()) return {};
    auto storage = std::make_shared<const Charged>(std::move(bytes));
    const std::string_view view = storage->text;
    return Bytes(std::move(storage), view);
  }
  // A view of storage that someone else made; `owner` keeps it alive.
  static Bytes alias(std::shared_ptr<const void> owner, std::string_view view) {
    return Bytes(std::move(owner), view);
  }

  std::string_view view() const { return view_; }
  const char* data() const { return view_.data(); }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

  // Clamped to what there is.
  Bytes slice(size_t offset, size_t length = std::string_view::npos) const {
    if (offset >= view_.size()) return {};
    return Bytes(owner_, view_.substr(offset, length));
  }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view_ == b.view_; }

 private:
  struct Charged {
    explicit Charged(std::string bytes) : text(std::move(bytes)) {
      MemoryLedger::process().charge(text.capacity());
    }
    ~Charged() { MemoryLedger::process().refund(text.capacity()); }
    Charged(const Charged&) = delete;
    Charged& operator=(const Charged&) = delete;
    const std::string text;
  };
  Bytes(std::shared_ptr<const void> owner, std::string_view view)
      : owner_(std::move(owner)), view_(view) {}

  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace sonde
