// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "base/check.h"
#include "base/memory_ledger.h"

namespace sonde {
namespace {

constexpr size_t kSmallest = 12;            // 4 KiB
constexpr size_t kLargest = 23;             // 8 MiB; larger blocks are not kept
constexpr size_t kKept = size_t{32} << 20;  // idle bytes, over all classes

class Pool {
 public:
  char* take(size_t capacity) {
    MemoryLedger& ledger = MemoryLedger::process();
    ledger.charge(capacity);
    const size_t c = class_of(capacity);
    if (c <= kLargest) {
      const std::lock_guard lock(mutex_);
      auto& free = free_[c];
      if (!free.empty()) {
        char* block = free.back();
        free.pop_back();
        idle_ -= capacity;
        return block;
      }
      // What idles takes room of what is wanted.
      if (idle_ > 0 && idle_ > ledger.room()) release_locked();
    }
    return static_cast<char*>(::operator new(capacity));
  }
  void give(char* block, size_t capacity) {
    MemoryLedger::process().refund(capacity);
    const size_t c = class_of(capacity);
    if (c <= kLargest) {
      const std::lock_guard lock(mutex_);
      if (idle_ + capacity <= kKept) {
        free_[c].push_back(block);
        idle_ += capacity;
        return;
      }
    }
    ::operator delete(block);
  }
  void release() {
    const std::lock_guard lock(mutex_);
    release_locked();
  }
  size_t idle() {
    const std::lock_guard lock(mutex_);
    return idle_;
  }

 private:
  void release_locked() {
    for (auto& free : free_) {
      for (char* block : free) ::operator delete(block);
      free.clear();
    }
    idle_ = 0;
  }
  static size_t class_of(size_t capacity) {
    return static_cast<size_t>(std::countr_zero(capacity));
  }
  std::mutex mutex_;
  std::array<std::vector<char*>, kLargest + 1> free_;
  size_t idle_ = 0;
};

// Never destroyed: Bytes may outlive every static object.
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

struct Block {
  Block(char* bytes, size_t size, std::shared_ptr<const void> with)
      : data(bytes), capacity(size), keep(std::move(with)) {}
  ~Block() { pool().give(data, capacity); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  char* data;
  size_t capacity;
  std::shared_ptr<const void> keep;
};

}  // namespace

size_t Buffer::block_size(size_t capacity) {
  return std::bit_ceil(std::max(capacity, size_t{1} << kSmallest));
}

Buffer::Buffer(size_t capacity) { reserve(capacity); }
Buffer::~Buffer() {
  if (block_ != nullptr) pool().give(block_, capacity_);
}

void Buffer::reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  const size_t rounded = block_size(capacity);
  char* const block = pool().take(rounded);
  if (size_ > 0) std::memcpy(block, block_, size_);
  if (block_ != nullptr) pool().give(block_, capacity_);
  block_ = block;
  capacity_ = rounded;
}

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes.size() > capacity_ - size_) reserve(std::max(size_ + bytes.size(), capacity_ * 2));
  // The bytes may lie behind what is written, in this very block.
  std::memmove(block_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void Buffer::resize(size_t size) {
  CHECK(size <= capacity_);
  size_ = size;
}

Bytes Buffer::take(std::shared_ptr<const void> keep) && {
  if (size_ == 0) return {};
  const std::string_view written = view();
  auto owner = std::make_shared<const Block>(block_, capacity_, std::move(keep));
  block_ = nullptr;
  size_ = capacity_ = 0;
  return Bytes::alias(std::move(owner), written);
}

BufferUse buffer_use() { return {MemoryLedger::process().held(), pool().idle()}; }
void release_idle_buffers() { pool().release(); }

}  // namespace sonde
