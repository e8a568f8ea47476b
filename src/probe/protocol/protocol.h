// SPDX-License-Identifier: Apache-2.0
// What a protocol is to the probe: a parser of one connection that sees captured fragments of both
// directions and says which requests and responses they hold, and the names that these go by. One
// folder a protocol; the tracker and who writes telemetry know only this header. A parser pairs
// responses with requests itself, because only it knows whether the protocol answers in order. It
// does no I/O, reads no clock and never trusts a byte.
#ifndef SONDE_PROBE_PROTOCOL_PROTOCOL_H
#define SONDE_PROBE_PROTOCOL_PROTOCOL_H

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "data/attribute.h"
#include "data/convention.h"
#include "probe/finished_request.h"

namespace sonde::probe {

// Who moved a byte, when, and where it lies in its direction.
struct Stamp {
  int64_t time_ns = 0;     // Monotonic.
  int64_t arrived_ns = 0;  // Monotonic; 0 is unknown.
  uint32_t seq = 0;        // TCP sequence; 0 where not TCP.
  uint32_t tgid = 0;
  uint32_t tid = 0;
  bool blocking = false;
};

// What one receive or send moved: `bytes` is the captured head of `length` bytes.
struct Fragment {
  bool received = false;
  bool turn_start = false;
  bool gap_before = false;   // An unknown number of bytes was lost before this one.
  uint64_t lost_before = 0;  // A known number was.
  uint64_t length = 0;
  std::string_view bytes;
  Stamp stamp;
};

struct RequestHead {
  Stamp first;                 // Of the first byte.
  bool received = false;       // This end is the server.
  std::string_view operation;  // As sent: a method, a command.
  std::string_view target;     // As sent.
  std::string_view host;
  bool target_cut = false;
};

struct ResponseHead {
  int status = 0;
  Stamp first;
};

enum class Ending : uint8_t {
  Complete,    // The protocol said where the response ends, or nothing contradicts that it did.
  Unanswered,  // The connection closed before a response.
  Lost,        // What followed was not captured, so whether there was a response is unknown.
};

struct Finish {
  Ending ending = Ending::Complete;
  uint64_t request_body = 0;
  uint64_t response_body = 0;
  Stamp last;  // Of the last byte that was seen of the exchange.
};

// Serials rise by one a request within a connection. Every request is finished exactly once.
class ExchangeListener {
 public:
  virtual ~ExchangeListener() = default;
  virtual void on_request(uint64_t serial, const RequestHead& head) = 0;
  virtual void on_response(uint64_t serial, const ResponseHead& head) = 0;
  virtual void on_finish(uint64_t serial, const Finish& finish) = 0;
};

class ConnectionParser {
 public:
  virtual ~ConnectionParser() = default;
  virtual void feed(const Fragment& fragment, ExchangeListener& listener) = 0;
  // Ends what only silence ends. `now_ns` is monotonic, as the stamps are.
  virtual void tick(int64_t now_ns, ExchangeListener& listener) = 0;
  virtual void close(int64_t now_ns, ExchangeListener& listener) = 0;
  // Nothing that follows can be a request: a tunnel.
  virtual bool done() const = 0;
};

// How the tracker names the targets of a service, so that there are few of them.
enum class Routing : uint8_t {
  None,      // The protocol has named the route itself, or there is none.
  Template,  // Learn a template of the target, as /items/17 is /items/{id}.
  Known      // Use a template that was learned before: this answer does not show that there is one.
};

// Stateless; one object a protocol, which lives as long as the program.
class Protocol {
 public:
  virtual ~Protocol() = default;
  // Of its folder.
  virtual std::string_view name() const = 0;
  virtual const Convention& convention() const = 0;
  // The value of the convention's `system`.
  virtual std::string_view system() const = 0;
  virtual std::unique_ptr<ConnectionParser> make_connection() const = 0;
  // Sets operation, target and host from the head. At most kMaxTarget bytes of the target are kept.
  virtual void begin(const RequestHead& head, FinishedRequest& out) const = 0;
  // Sets the error type of an exchange that ended with an answer, and the route where it names it.
  virtual void finish(FinishedRequest& out) const = 0;
  virtual Routing routing(const FinishedRequest&) const { return Routing::None; }
  virtual std::string span_name(const FinishedRequest& request) const;
  // Attributes of a span beyond those that every exchange and every convention has. The views may
  // point into the request.
  virtual void attributes(const FinishedRequest&, std::vector<Attribute>& /*out*/) const {}
};

inline constexpr size_t kMaxTarget = 1024;

// By the number that the kernel puts into an event; nullptr when it is no known protocol.
const Protocol* protocol_of(uint8_t number);
// 0 when there is none of this name.
uint8_t protocol_number(std::string_view name);

}  // namespace sonde::probe

#endif
