// SPDX-License-Identifier: Apache-2.0
// Addresses of host names, from the system's resolver. It blocks, for as long as half a minute
// where no name server answers: each name has a thread while it is looked up, so that a name that
// nobody knows holds up no other, and a process that ends waits for none of them. Who asks for a
// name that is being looked up gets the same answer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/internal/asio.h"
#include "net/loop.h"

namespace sonde::net {

class NameLookup {
 public:
  explicit NameLookup(Loop& loop);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  // In the order in which they are to be tried, at least one. Once.
  asio::awaitable<Result<std::vector<Tcp::endpoint>>> find(std::string host, uint16_t port);
  // Ends find() with Unavailable.
  void cancel();

  struct Asked;  // internal

 private:
  Loop& loop_;
  std::shared_ptr<asio::steady_timer> woken_;
  std::shared_ptr<Asked> asked_;
};

}  // namespace sonde::net
