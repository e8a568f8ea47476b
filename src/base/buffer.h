// SPDX-License-Identifier: Apache-2.0
// Memory for message bodies: blocks of a power of two that are recycled, because giving half a
// megabyte back to the system after each message doubles the CPU time of forwarding it. A Buffer is
// filled by one owner and then becomes Bytes without a copy; its block returns to the pool when
// the last view of it dies, on whatever thread that is.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace sonde {

class Buffer {
 public:
  Buffer() = default;
  // Room for at least this many bytes, none of them written yet.
  explicit Buffer(size_t capacity);
  Buffer(Buffer&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Buffer();

  char* data() { return block_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {block_, size_}; }
  // Grows where needed, at least twofold.
  void append(std::string_view bytes);
  void reserve(size_t capacity);
  // What a buffer for so many bytes takes of the memory.
  static size_t block_size(size_t capacity);
  // Sets how many bytes are written: at most the capacity.
  void resize(size_t size);

  // What was written, immutable from here on. `keep` lives as long as the bytes do.
  Bytes take(std::shared_ptr<const void> keep = nullptr) &&;

 private:
  char* block_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// In bytes: what the ledger holds (memory_ledger.h), and what is idle in the pool for reuse.
struct BufferUse {
  size_t used = 0;
  size_t idle = 0;
};
BufferUse buffer_use();
// Gives idle blocks back to the system.
void release_idle_buffers();

}  // namespace sonde
