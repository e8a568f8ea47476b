// SPDX-License-Identifier: Apache-2.0
// Both directions of an HTTP/1.x connection: finds out which one carries requests, pairs responses
// with requests in order, and decides when an exchange has ended. It never guesses a request:
// a valid start line at a place where one can stand is counted, anything else is stepped over.
#ifndef SONDE_PROBE_PROTOCOL_HTTP1_CONNECTION_H
#define SONDE_PROBE_PROTOCOL_HTTP1_CONNECTION_H

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "probe/protocol/http1/message.h"
#include "probe/protocol/protocol.h"

namespace sonde::probe::http1 {

inline constexpr size_t kMaxPending = 256;
// Of requests that were given up because more waited, whose answers are still to be stepped over.
inline constexpr size_t kMaxSkipped = 16384;
inline constexpr int64_t kSilenceNs = 200'000'000;
// Of answers that came before their request; what is more is read as it came.
inline constexpr size_t kMaxHeldFragments = 64;
inline constexpr size_t kMaxHeldBytes = 16384;

class Connection final : public ConnectionParser {
 public:
  void feed(const Fragment& fragment, ExchangeListener& listener) override;
  void tick(int64_t now_ns, ExchangeListener& listener) override;
  void close(int64_t now_ns, ExchangeListener& listener) override;
  bool done() const override { return done_; }

 private:
  struct Pending {
    uint64_t serial = 0;
    bool head_method = false;
    bool connect = false;
    bool responded = false;
    bool moved = false;  // Response bytes followed, readable or not.
    uint64_t request_body = 0;
    Stamp last;
  };

  // What of a request that was given up must be known to read its answer.
  struct Skipped {
    bool head_method = false;
    bool connect = false;
  };

  struct Held {
    Fragment fragment;
    std::string bytes;
    bool turn = false;
  };

  // A send is told when it has ended, so where one thread writes and another reads, the answer may
  // be told first. Only a client sees that: who reads a request before it answers has been told.
  bool overtakes_its_request(const Fragment& fragment) const;
  void hold(const Fragment& fragment, bool turn, ExchangeListener& listener);
  void release(ExchangeListener& listener);
  bool find_role(const Fragment& fragment, bool turn);
  void feed_request(const Fragment& fragment, bool turn, ExchangeListener& listener);
  void feed_response(const Fragment& fragment, bool turn, ExchangeListener& listener);
  // What a reader stopped for; true when reading may go on.
  bool after_request_step(ExchangeListener& listener);
  bool after_response_step(ExchangeListener& listener, const Stamp& stamp);
  // The request that is being read ends here, as far as its body was seen.
  void end_request();
  void emit_request(ExchangeListener& listener);
  void give_up_front(ExchangeListener& listener);
  void settle(ExchangeListener& listener);
  void finish_front(Ending ending, ExchangeListener& listener);
  Pending* awaiting();

  bool role_known_ = false;
  bool role_certain_ = false;
  bool requests_received_ = false;
  bool any_ = false;
  bool last_received_ = false;
  bool done_ = false;
  bool at_turn_ = false;       // The request that is being read began a turn.
  bool orphan_ = false;        // The response that is being read answers nothing that was seen.
  bool astray_ = false;        // Too many were given up: no answer can be paired.
  bool request_open_ = false;  // pending_.back() is still being read.
  uint64_t next_serial_ = 1;
  MessageReader request_{true};
  MessageReader response_{false};
  std::deque<Pending> pending_;
  std::deque<Skipped> skipped_;  // Before all that is pending.
  std::vector<Held> held_;
  size_t held_bytes_ = 0;
};

}  // namespace sonde::probe::http1

#endif
