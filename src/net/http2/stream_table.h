// SPDX-License-Identifier: Apache-2.0
// The open streams of a connection by their number. Streams stay where they are until they are
// erased, and their memory is used again: a connection opens and closes very many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "net/http2/output.h"

namespace sonde::net::http2 {

struct HeaderBlock;

struct Stream {
  uint32_t id = 0;
  void* user = nullptr;        // what the owner of the session keeps with it
  int64_t send_window = 0;     // below 0 where the peer has made its windows smaller
  int64_t receive_window = 0;  // what the peer may still send
  Body body;                   // what is left to send
  HeaderBlock* trailers = nullptr;
  bool has_body = false;      // `body` is still to be ended
  bool more_body = false;     // what comes after it is not known yet
  bool queued = false;        // waits for its turn to send
  bool held = false;          // its window is not opened again: see Session::hold()
  bool head_came = false;     // client: the final response head
  bool local_ended = false;   // we have sent everything
  bool remote_ended = false;  // the peer has
};

class StreamTable {
 public:
  StreamTable() : index_(16, 0) {}

  Stream* find(uint32_t id) {
    for (size_t at = home(id);; at = next(at)) {
      if (index_[at] == 0) return nullptr;
      Stream& stream = slots_[index_[at] - 1];
      if (stream.id == id) return &stream;
    }
  }
  // One that is not there yet.
  Stream& insert(uint32_t id) {
    if ((size_ + 1) * 2 > index_.size()) grow();
    if (free_.empty()) {
      slots_.emplace_back();
      free_.push_back(static_cast<uint32_t>(slots_.size()));
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    Stream& stream = slots_[slot - 1];
    stream.id = id;
    place(slot);
    ++size_;
    return stream;
  }
  void erase(Stream& stream) {
    size_t hole = home(stream.id);
    while (slots_[index_[hole] - 1].id != stream.id) hole = next(hole);
    free_.push_back(index_[hole]);
    index_[hole] = 0;
    // What was pushed past the hole by a collision moves back into it.
    for (size_t at = next(hole); index_[at] != 0; at = next(at)) {
      const size_t wanted = home(slots_[index_[at] - 1].id);
      if (((at - wanted) & mask()) < ((at - hole) & mask())) continue;
      index_[hole] = index_[at];
      index_[at] = 0;
      hole = at;
    }
    stream = {};
    --size_;
  }
  size_t size() const { return size_; }

  template <class Visit>
  void each(Visit visit) {
    for (Stream& stream : slots_) {
      if (stream.id != 0) visit(stream);
    }
  }

 private:
  size_t mask() const { return index_.size() - 1; }
  // Numbers of one side differ by two.
  size_t home(uint32_t id) const { return (id >> 1) & mask(); }
  size_t next(size_t at) const { return (at + 1) & mask(); }
  void place(uint32_t slot) {
    size_t at = home(slots_[slot - 1].id);
    while (index_[at] != 0) at = next(at);
    index_[at] = slot;
  }
  void grow() {
    index_.assign(index_.size() * 2, 0);
    for (uint32_t slot = 1; slot <= slots_.size(); ++slot) {
      if (slots_[slot - 1].id != 0) place(slot);
    }
  }

  std::deque<Stream> slots_;
  std::vector<uint32_t> free_;   // numbers of slots, from 1
  std::vector<uint32_t> index_;  // the same, 0 where there is none; a power of two of them
  size_t size_ = 0;
};

}  // namespace sonde::net::http2
