// SPDX-License-Identifier: Apache-2.0
// One direction of an HTTP/1.x connection, read from captured fragments: split anywhere, cut short,
// or with holes. It keeps one bounded line, never a body. Where the length of a body is known,
// bytes that were not captured are stepped over exactly; where it is not, the reader is lost and
// waits for its owner to resynchronise it at the start of a turn. It knows nothing of the other
// direction.
#ifndef SONDE_PROBE_PROTOCOL_HTTP1_MESSAGE_H
#define SONDE_PROBE_PROTOCOL_HTTP1_MESSAGE_H

#include <cstdint>
#include <string>
#include <string_view>

#include "probe/protocol/protocol.h"

namespace sonde::probe::http1 {

inline constexpr size_t kMaxLine = 8192;
inline constexpr size_t kMaxHeaders = 256;

// The start line METHOD SP target SP HTTP/1.x; the views point into `line`.
struct RequestLine {
  std::string_view method;
  std::string_view target;
  int minor = 0;
};
bool parse_request_line(std::string_view line, RequestLine& out);
// The first bytes of a request line that was cut before its version: only known methods pass.
bool parse_cut_request_line(std::string_view line, RequestLine& out);
// 0 when the line is no status line.
int parse_status_line(std::string_view line);
// Whether `bytes` begins, or could with more bytes begin, such a message.
bool may_be_request(std::string_view bytes);
bool may_be_response(std::string_view bytes);

// What the head said about the body that follows.
struct Head {
  Stamp first;
  bool request = false;
  // Of a request.
  std::string method;
  std::string target;
  std::string host;
  bool target_cut = false;
  bool expect_continue = false;
  // Of a response.
  int status = 0;
  int minor = 1;
  // Of both.
  bool chunked = false;
  bool has_length = false;
  bool complete = false;  // The blank line was seen.
  uint64_t length = 0;
};

class MessageReader {
 public:
  enum class State : uint8_t {
    Start,     // A start line is expected.
    Headers,   // Within the headers.
    HeadDone,  // The owner must say which body follows: body().
    Length,    // `remaining` bytes of body.
    ChunkSize,
    ChunkData,
    ChunkEnd,  // The line end after a chunk.
    Trailers,
    UntilClose,
    Done,  // The message ended; the owner calls next().
    Lost,  // Where the next message begins is unknown.
    Ignored,
  };

  explicit MessageReader(bool request) : request_(request) {}

  // Consumes bytes until the state becomes HeadDone or Done, or all are consumed; returns how many.
  size_t read(std::string_view bytes, const Stamp& stamp);
  // Steps over bytes that were not captured; `count` is how many, and what is left over after a
  // message whose length is known is reported by the return: nonzero is always with Lost.
  void skip(uint64_t count);
  void lose();
  void ignore() { state_ = State::Ignored; }
  // Chooses the body after HeadDone; `none` for HEAD, 204 and the like.
  void body(bool none);
  // Ready for the next message.
  void next();

  State state() const { return state_; }
  const Head& head() const { return head_; }
  uint64_t body_bytes() const { return body_bytes_; }
  // The size of the body as far as it moved. What the head claims counts only up to the bytes that
  // followed it, so nobody can claim more than was sent; it is needed where the end of the head was
  // not seen, and with it where the body begins.
  uint64_t body_size() const;
  // A start line was accepted and its message has not been left.
  bool in_message() const { return in_message_; }
  // The head will not become more complete: treat what is known as the head.
  bool give_up_head();
  // Bytes of a start line wait for the rest.
  bool partial() const { return state_ == State::Start && !line_.empty(); }
  const std::string& pending_line() const { return line_; }

 private:
  bool take_line(std::string_view& bytes, size_t limit);
  void start_line(std::string_view line, bool cut);
  void header_line(std::string_view line);
  void chunk_line(std::string_view line);

  bool request_;
  bool in_message_ = false;
  bool line_overflow_ = false;
  bool no_body_ = false;
  State state_ = State::Start;
  Head head_;
  Stamp line_stamp_;
  std::string line_;
  size_t header_count_ = 0;
  uint64_t remaining_ = 0;
  uint64_t body_bytes_ = 0;
  uint64_t unplaced_ = 0;  // Bytes behind the place where the reader was lost within a message.
};

}  // namespace sonde::probe::http1

#endif
