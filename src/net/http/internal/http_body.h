// SPDX-License-Identifier: Apache-2.0
// A body of Beast's parser that is read into recycled memory, and not beyond the memory budget of
// the process: where there is no room for it, reading ends with not_enough_memory.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>

#include "base/buffer.h"
#include "base/memory_ledger.h"
#include "net/internal/asio.h"

namespace sonde::net {

struct BufferBody {
  using value_type = Buffer;

  class reader {
   public:
    template <bool kRequest, class Fields>
    reader(boost::beast::http::header<kRequest, Fields>&, Buffer& body) : body_(body) {}

    void init(const boost::optional<uint64_t>& length, error_code& error) {
      error = {};
      if (length && *length > 0) make_room(static_cast<size_t>(*length), error);
    }

    template <class Buffers>
    size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      const size_t size = asio::buffer_size(buffers);
      if (size > body_.capacity() - body_.size()) {
        make_room(std::max(body_.size() + size, body_.capacity() * 2), error);
        if (error) return 0;
      }
      for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
           ++at) {
        const asio::const_buffer piece = *at;
        body_.append({static_cast<const char*>(piece.data()), piece.size()});
      }
      return size;
    }

    void finish(error_code& error) { error = {}; }

   private:
    void make_room(size_t capacity, error_code& error) {
      if (!MemoryLedger::process().has_room(Buffer::block_size(capacity))) {
        error = boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
      } else {
        body_.reserve(capacity);
      }
    }
    Buffer& body_;
  };
};

}  // namespace sonde::net
