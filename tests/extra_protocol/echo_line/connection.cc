// SPDX-License-Identifier: Apache-2.0
// The parser and the names of echo_line. Lines longer than the bound are read as cut.
#include <deque>
#include <string>

#include "probe/protocol/protocol.h"

namespace sonde::probe::echo_line {
namespace {

constexpr size_t kMaxLine = 256;
constexpr size_t kMaxPending = 64;

class Connection final : public ConnectionParser {
 public:
  void feed(const Fragment& fragment, ExchangeListener& listener) override {
    std::string& line = lines_[fragment.received ? 1 : 0];
    if (fragment.gap_before || fragment.lost_before != 0) line.clear();
    for (const char c : fragment.bytes) {
      if (c != '\n') {
        if (line.size() < kMaxLine) line += c;
        continue;
      }
      take(line, fragment, listener);
      line.clear();
    }
  }
  void tick(int64_t, ExchangeListener&) override {}
  void close(int64_t, ExchangeListener& listener) override {
    uint64_t serial = next_ - pending_.size();
    for (Finish& finish : pending_) {
      finish.ending = Ending::Unanswered;
      listener.on_finish(serial++, finish);
    }
    pending_.clear();
  }
  bool done() const override { return false; }

 private:
  void take(std::string_view line, const Fragment& fragment, ExchangeListener& listener) {
    const std::string_view verb = line.substr(0, line.find(' '));
    if (verb == "ECHO" && pending_.size() < kMaxPending) {
      RequestHead head;
      head.first = fragment.stamp;
      head.received = fragment.received;
      head.operation = verb;
      head.target = line.substr(verb.size() + (verb.size() < line.size() ? 1 : 0));
      listener.on_request(next_++, head);
      pending_.push_back({.request_body = head.target.size(), .last = fragment.stamp});
    } else if ((verb == "SAID" || verb == "FAIL") && !pending_.empty()) {
      const uint64_t serial = next_ - pending_.size();
      Finish finish = pending_.front();
      pending_.pop_front();
      listener.on_response(serial, {.status = verb == "FAIL" ? 1 : 0, .first = fragment.stamp});
      finish.response_body = line.size();
      finish.last = fragment.stamp;
      listener.on_finish(serial, finish);
    }
  }

  std::string lines_[2];
  std::deque<Finish> pending_;  // What is known of each unanswered request.
  uint64_t next_ = 1;
};

class EchoLine final : public Protocol {
 public:
  std::string_view name() const override { return "echo_line"; }
  const Convention& convention() const override { return kRpc; }
  std::string_view system() const override { return "echo_line"; }
  std::unique_ptr<ConnectionParser> make_connection() const override {
    return std::make_unique<Connection>();
  }
  void begin(const RequestHead& head, FinishedRequest& out) const override {
    out.operation = head.operation;
    out.target = head.target;
  }
  void finish(FinishedRequest& out) const override {
    out.route = "lines";
    if (out.status != 0) out.error_type = "refused";
  }
  void attributes(const FinishedRequest& request, std::vector<Attribute>& out) const override {
    out.push_back({"echo_line.text", std::string_view(request.target)});
  }
};

}  // namespace

const Protocol& protocol() {
  static const EchoLine echo_line;
  return echo_line;
}

}  // namespace sonde::probe::echo_line
