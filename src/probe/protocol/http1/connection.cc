// SPDX-License-Identifier: Apache-2.0
// Pairing and resynchronisation of HTTP/1.x; see connection.h. The two readers know one direction
// each, so every rule that needs both (HEAD, 1xx, tunnels, turns) is here.
#include "probe/protocol/http1/connection.h"

#include <algorithm>
#include <utility>

namespace sonde::probe::http1 {

using State = MessageReader::State;

void Connection::feed(const Fragment& fragment, ExchangeListener& listener) {
  if (done_ || fragment.length == 0) return;
  const bool turn = !any_ || fragment.turn_start || last_received_ != fragment.received;
  any_ = true;
  last_received_ = fragment.received;
  if (!role_known_ && !find_role(fragment, turn)) return;
  if (fragment.received == requests_received_) {
    // The request of what is held may be in the hole: then this is another.
    if (fragment.gap_before || fragment.lost_before != 0) release(listener);
    feed_request(fragment, turn, listener);
    if (!pending_.empty()) release(listener);
  } else if (overtakes_its_request(fragment)) {
    hold(fragment, turn, listener);
  } else {
    feed_response(fragment, turn, listener);
  }
}

bool Connection::overtakes_its_request(const Fragment& fragment) const {
  if (!held_.empty()) return true;
  return fragment.received && !fragment.gap_before && fragment.lost_before == 0 &&
         pending_.empty() && response_.state() == State::Start && !response_.partial() &&
         request_.state() == State::Start && !request_.partial();
}

void Connection::hold(const Fragment& fragment, bool turn, ExchangeListener& listener) {
  held_bytes_ += fragment.bytes.size();
  held_.push_back({fragment, std::string(fragment.bytes), turn});
  if (held_.size() > kMaxHeldFragments || held_bytes_ > kMaxHeldBytes) release(listener);
}

void Connection::release(ExchangeListener& listener) {
  if (held_.empty()) return;
  held_bytes_ = 0;
  for (Held& held : std::exchange(held_, {})) {
    if (done_) return;
    held.fragment.bytes = held.bytes;
    feed_response(held.fragment, held.turn, listener);
  }
}

bool Connection::find_role(const Fragment& fragment, bool turn) {
  if (!turn || fragment.bytes.empty()) return false;
  // A lone "H" fits both; a request is tried first and taken back when it proves to be none.
  if (may_be_request(fragment.bytes)) {
    requests_received_ = fragment.received;
  } else if (may_be_response(fragment.bytes)) {
    requests_received_ = !fragment.received;
    role_certain_ = true;
  } else {
    return false;
  }
  role_known_ = true;
  request_.next();
  response_.next();
  return true;
}

void Connection::feed_request(const Fragment& fragment, bool turn, ExchangeListener& listener) {
  if (fragment.gap_before) {
    request_.give_up_head();
    after_request_step(listener);
    request_.lose();
  }
  request_.skip(fragment.lost_before);
  while (after_request_step(listener)) {
  }
  if (turn) {
    at_turn_ = true;
    const size_t line_end = fragment.bytes.find('\n');
    const bool whole = line_end != std::string_view::npos && may_be_request(fragment.bytes);
    if (request_.state() == State::Lost) {
      if (may_be_request(fragment.bytes)) {
        end_request();
        request_.next();
      }
    } else if (request_.in_message() && request_.head().expect_continue &&
               request_.body_bytes() == 0 && pending_.empty() && whole) {
      // The final response came and the body that waited for it did not: it never will.
      end_request();
      request_.next();
    }
  }
  std::string_view bytes = fragment.bytes;
  const uint64_t hidden = fragment.length - std::min<uint64_t>(fragment.length, bytes.size());
  while (!bytes.empty()) {
    Stamp stamp = fragment.stamp;
    if (stamp.seq != 0) stamp.seq += static_cast<uint32_t>(fragment.bytes.size() - bytes.size());
    const size_t used = request_.read(bytes, stamp);
    bytes.remove_prefix(used);
    bool stepped = false;
    while (after_request_step(listener)) stepped = true;
    if (!stepped && used == 0) break;
  }
  request_.skip(hidden);
  while (after_request_step(listener)) {
  }
  if (request_.state() == State::Lost && !role_certain_) role_known_ = false;
}

bool Connection::after_request_step(ExchangeListener& listener) {
  if (request_.state() == State::HeadDone) {
    emit_request(listener);
    request_.body(false);
    return true;
  }
  if (request_.state() == State::Done) {
    end_request();
    at_turn_ = false;
    request_.next();
    return true;
  }
  return false;
}

void Connection::end_request() {
  if (request_open_ && !pending_.empty()) pending_.back().request_body = request_.body_size();
  request_open_ = false;
}

// The answers come in order, so that of the request that waits the longest is the next one.
void Connection::give_up_front(ExchangeListener& listener) {
  const Pending& front = pending_.front();
  if (front.responded) {
    orphan_ = true;
  } else if (skipped_.size() < kMaxSkipped) {
    skipped_.push_back({.head_method = front.head_method, .connect = front.connect});
  } else {
    astray_ = true;
    response_.lose();
  }
  finish_front(front.responded ? Ending::Complete : Ending::Lost, listener);
}

void Connection::emit_request(ExchangeListener& listener) {
  // What is owed from before a hole in the responses cannot be paired any more; the new turn is a
  // place where counting can begin again.
  if (orphan_ && at_turn_ && response_.in_message()) response_.lose();
  if (at_turn_ && response_.state() == State::Lost) settle(listener);
  role_certain_ = true;
  if (pending_.size() >= kMaxPending) give_up_front(listener);
  const Head& head = request_.head();
  Pending pending;
  pending.serial = next_serial_++;
  pending.head_method = head.method == "HEAD";
  pending.connect = head.method == "CONNECT";
  pending.last = head.first;
  pending_.push_back(pending);
  request_open_ = true;
  RequestHead out;
  out.first = head.first;
  out.received = requests_received_;
  out.operation = head.method;
  out.target = head.target;
  out.host = head.host;
  out.target_cut = head.target_cut;
  listener.on_request(pending.serial, out);
}

void Connection::settle(ExchangeListener& listener) {
  while (!pending_.empty()) {
    finish_front(pending_.front().responded ? Ending::Complete : Ending::Lost, listener);
  }
  orphan_ = false;
  astray_ = false;
  skipped_.clear();
  response_.next();
}

void Connection::feed_response(const Fragment& fragment, bool turn, ExchangeListener& listener) {
  role_certain_ = role_certain_ || !request_.partial();
  if (turn && pending_.empty()) {
    // A response to a head that was not read to its end (431, 408): what is known must do.
    if (request_.state() == State::Headers) {
      request_.give_up_head();
      after_request_step(listener);
    } else if (request_.partial()) {
      request_.lose();
    }
  }
  if (fragment.gap_before) {
    response_.give_up_head();
    while (after_response_step(listener, fragment.stamp)) {
    }
    response_.lose();
  }
  response_.skip(fragment.lost_before);
  while (!done_ && after_response_step(listener, fragment.stamp)) {
  }
  if (turn && !astray_ && response_.state() == State::Lost && may_be_response(fragment.bytes) &&
      (pending_.empty() || !pending_.front().responded)) {
    skipped_.clear();
    response_.next();
  }
  std::string_view bytes = fragment.bytes;
  const uint64_t hidden = fragment.length - std::min<uint64_t>(fragment.length, bytes.size());
  while (!bytes.empty() && !done_) {
    Stamp stamp = fragment.stamp;
    if (stamp.seq != 0) stamp.seq += static_cast<uint32_t>(fragment.bytes.size() - bytes.size());
    if (!pending_.empty()) {
      pending_.front().last = fragment.stamp;
      pending_.front().moved = true;
    }
    const size_t used = response_.read(bytes, stamp);
    bytes.remove_prefix(used);
    bool stepped = false;
    while (!done_ && after_response_step(listener, fragment.stamp)) stepped = true;
    if (!stepped && used == 0) break;
  }
  if (done_) return;
  if (hidden != 0 && !pending_.empty()) {
    pending_.front().last = fragment.stamp;
    pending_.front().moved = true;
  }
  response_.skip(hidden);
  while (!done_ && after_response_step(listener, fragment.stamp)) {
  }
}

Connection::Pending* Connection::awaiting() {
  return pending_.empty() || pending_.front().responded ? nullptr : &pending_.front();
}

bool Connection::after_response_step(ExchangeListener& listener, const Stamp& stamp) {
  if (response_.state() == State::HeadDone) {
    const Head& head = response_.head();
    if (head.status / 100 == 1 && head.status != 101) {
      response_.body(true);
      return true;
    }
    Pending* pending = skipped_.empty() ? awaiting() : nullptr;
    orphan_ = pending == nullptr;
    bool none = head.status == 204 || head.status == 304;
    bool tunnel = head.status == 101;
    if (!skipped_.empty()) {
      none = none || skipped_.front().head_method;
      tunnel = tunnel || (skipped_.front().connect && head.status / 100 == 2);
      skipped_.pop_front();
    }
    if (pending != nullptr) {
      pending->responded = true;
      pending->moved = true;
      pending->last = stamp;
      none = none || pending->head_method;
      tunnel = tunnel || (pending->connect && head.status / 100 == 2);
      listener.on_response(pending->serial, ResponseHead{head.status, head.first});
    }
    if (tunnel) {
      if (pending != nullptr) finish_front(Ending::Complete, listener);
      while (!pending_.empty()) finish_front(Ending::Lost, listener);
      done_ = true;
      request_.ignore();
      response_.ignore();
      return false;
    }
    response_.body(none);
    return true;
  }
  if (response_.state() == State::Done) {
    const bool interim = response_.head().status / 100 == 1;
    if (!interim && !orphan_ && !pending_.empty() && pending_.front().responded) {
      finish_front(Ending::Complete, listener);
    }
    orphan_ = false;
    response_.next();
    return true;
  }
  return false;
}

void Connection::finish_front(Ending ending, ExchangeListener& listener) {
  const Pending pending = pending_.front();
  Finish finish;
  finish.ending = ending;
  finish.request_body = pending.request_body;
  if (pending_.size() == 1 && request_open_ && request_.in_message()) {
    finish.request_body = request_.body_size();
  }
  if (pending.responded) finish.response_body = response_.body_size();
  finish.last = pending.last;
  if (pending_.size() == 1) request_open_ = false;
  pending_.pop_front();
  listener.on_finish(pending.serial, finish);
}

void Connection::tick(int64_t now_ns, ExchangeListener& listener) {
  if (pending_.empty() || response_.state() != State::Lost) return;
  const Pending& front = pending_.front();
  if (!front.moved || now_ns - front.last.time_ns < kSilenceNs) return;
  finish_front(front.responded ? Ending::Complete : Ending::Lost, listener);
}

void Connection::close(int64_t now_ns, ExchangeListener& listener) {
  if (done_) return;
  release(listener);
  if (role_known_ && request_.state() == State::Headers) {
    request_.give_up_head();
    after_request_step(listener);
  }
  while (!pending_.empty()) {
    Pending& front = pending_.front();
    Ending ending = Ending::Complete;
    if (!front.responded) {
      ending = front.moved && response_.state() == State::Lost ? Ending::Lost : Ending::Unanswered;
      if (ending == Ending::Unanswered) front.last.time_ns = std::max(now_ns, front.last.time_ns);
    }
    finish_front(ending, listener);
  }
  done_ = true;
  request_.ignore();
  response_.ignore();
}

}  // namespace sonde::probe::http1
