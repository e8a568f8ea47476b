// SPDX-License-Identifier: Apache-2.0
// The line and body states of one direction of HTTP/1.x; see message.h. Every number that a peer
// sends is checked for overflow, and every line is bounded.
#include "probe/protocol/http1/message.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/ascii.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "probe/protocol/http1/methods.h"

namespace sonde::probe::http1 {
namespace {

constexpr size_t kMaxMethod = 24;
#define SONDE_HTTP1_GROUP(letter, methods) methods
#define SONDE_HTTP1_METHOD(text) text,
constexpr std::string_view kMethods[] = {
    SONDE_HTTP1_METHODS(SONDE_HTTP1_GROUP, SONDE_HTTP1_METHOD)};
#undef SONDE_HTTP1_GROUP
#undef SONDE_HTTP1_METHOD

bool method_char(char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; }
bool target_char(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u != 0x7f;
}
bool contains_ignoring_case(std::string_view text, std::string_view needle) {
  for (size_t i = 0; i + needle.size() <= text.size(); ++i) {
    if (equals_ignoring_case(text.substr(i, needle.size()), needle)) return true;
  }
  return false;
}
size_t method_end(std::string_view line) {
  size_t i = 0;
  while (i < line.size() && i <= kMaxMethod && method_char(line[i])) ++i;
  return i;
}

bool plausible_target(std::string_view method, std::string_view target) {
  if (target.empty()) return false;
  if (!std::all_of(target.begin(), target.end(), target_char)) return false;
  if (method == "CONNECT") return target.find(':') != std::string_view::npos;
  if (target.front() == '/') return true;
  if (target == "*") return method == "OPTIONS";
  return target.find("://") != std::string_view::npos;
}

bool parse_number(std::string_view text, unsigned base, uint64_t& out) {
  if (text.empty()) return false;
  uint64_t value = 0;
  for (char c : text) {
    const auto digit = static_cast<unsigned>(hex_digit(c));  // -1 is above every base.
    if (digit >= base) return false;
    if (value > (std::numeric_limits<uint64_t>::max() - digit) / base) return false;
    value = value * base + digit;
  }
  out = value;
  return true;
}

}  // namespace

bool parse_request_line(std::string_view line, RequestLine& out) {
  const size_t end = method_end(line);
  if (end == 0 || end > kMaxMethod || end >= line.size() || line[end] != ' ') return false;
  out.method = line.substr(0, end);
  line.remove_prefix(end + 1);
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  out.target = line.substr(0, space);
  const std::string_view version = line.substr(space + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
  out.minor = version.back() - '0';
  return plausible_target(out.method, out.target);
}

bool parse_cut_request_line(std::string_view line, RequestLine& out) {
  const size_t end = method_end(line);
  if (end >= line.size() || line[end] != ' ') return false;
  out.method = line.substr(0, end);
  if (std::ranges::find(kMethods, out.method) == std::end(kMethods)) return false;
  out.target = line.substr(end + 1);
  out.minor = 1;
  return plausible_target(out.method, out.target);
}

int parse_status_line(std::string_view line) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.")) return 0;
  if ((line[7] != '0' && line[7] != '1') || line[8] != ' ') return 0;
  if (line.size() > 12 && line[12] != ' ') return 0;
  uint64_t status = 0;
  if (!parse_number(line.substr(9, 3), 10, status)) return 0;
  return status >= 100 && status <= 599 ? static_cast<int>(status) : 0;
}

bool may_be_request(std::string_view bytes) {
  while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) bytes.remove_prefix(1);
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  const size_t end = method_end(line);
  if (end == line.size()) return end <= kMaxMethod && line.size() == bytes.size();
  if (end == 0 || end > kMaxMethod || line[end] != ' ') return false;
  if (line.size() < bytes.size()) {
    RequestLine parsed;
    return parse_request_line(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line,
                              parsed);
  }
  return end + 1 == line.size() || target_char(line[end + 1]);
}

bool may_be_response(std::string_view bytes) {
  constexpr std::string_view kVersion = "HTTP/1.";
  if (bytes.size() < kVersion.size()) return kVersion.starts_with(bytes);
  return bytes.starts_with(kVersion);
}

size_t MessageReader::read(std::string_view bytes, const Stamp& stamp) {
  const size_t size = bytes.size();
  while (!bytes.empty()) {
    switch (state_) {
      case State::HeadDone:
      case State::Done:
        return size - bytes.size();
      case State::Lost:
        unplaced_ += bytes.size();
        return size;
      case State::Ignored:
        return size;
      case State::UntilClose:
        body_bytes_ += bytes.size();
        return size;
      case State::Start: {
        if (line_.empty()) {
          if (bytes.front() == '\r' || bytes.front() == '\n') {
            bytes.remove_prefix(1);
            break;
          }
          line_stamp_ = stamp;
          line_stamp_.seq += static_cast<uint32_t>(stamp.seq == 0 ? 0 : size - bytes.size());
        }
        if (take_line(bytes, kMaxLine)) {
          const std::string line = std::move(line_);
          line_.clear();
          start_line(line, false);
        } else if (request_ ? !may_be_request(line_) : !may_be_response(line_)) {
          lose();
        } else if (line_.size() >= kMaxLine) {
          give_up_head();
        }
        break;
      }
      case State::Headers:
        if (take_line(bytes, kMaxLine)) {
          const std::string line = std::move(line_);
          line_.clear();
          header_line(line);
        }
        break;
      case State::ChunkSize:
      case State::Trailers:
      case State::ChunkEnd:
        if (take_line(bytes, kMaxLine)) {
          const std::string line = std::move(line_);
          line_.clear();
          if (state_ == State::ChunkSize) {
            chunk_line(line);
          } else if (state_ == State::ChunkEnd) {
            state_ = line.empty() ? State::ChunkSize : State::Lost;
          } else if (line.empty()) {
            state_ = State::Done;
          } else if (++header_count_ > kMaxHeaders) {
            lose();
          }
        }
        break;
      case State::Length:
      case State::ChunkData: {
        const auto step = static_cast<size_t>(std::min<uint64_t>(remaining_, bytes.size()));
        remaining_ -= step;
        body_bytes_ += step;
        bytes.remove_prefix(step);
        if (remaining_ == 0) state_ = state_ == State::Length ? State::Done : State::ChunkEnd;
        break;
      }
    }
  }
  return size;
}

void MessageReader::skip(uint64_t count) {
  if (count == 0) return;
  switch (state_) {
    case State::Ignored:
      return;
    case State::Lost:
      unplaced_ += count;
      return;
    case State::UntilClose:
      body_bytes_ += count;
      return;
    case State::Length:
    case State::ChunkData:
      if (count <= remaining_) {
        remaining_ -= count;
        body_bytes_ += count;
        if (remaining_ == 0) state_ = state_ == State::Length ? State::Done : State::ChunkEnd;
        return;
      }
      body_bytes_ += remaining_;
      break;
    case State::Start:
      if (line_.empty() || !give_up_head()) break;
      unplaced_ = count;
      return;
    case State::Headers:
      give_up_head();
      unplaced_ = count;
      return;
    default:
      break;
  }
  lose();
}

bool MessageReader::give_up_head() {
  if (state_ == State::Start && !line_.empty()) {
    const std::string line = std::move(line_);
    line_.clear();
    start_line(line, true);
  }
  if (state_ != State::Headers) return false;
  // A length that was seen still tells nothing, because where the head ended is unknown.
  line_.clear();
  state_ = State::HeadDone;
  return true;
}

void MessageReader::lose() {
  line_.clear();
  line_overflow_ = false;
  state_ = State::Lost;
}

uint64_t MessageReader::body_size() const {
  if (no_body_) return 0;
  if (!head_.has_length || head_.chunked) return body_bytes_;
  return std::min(head_.length, body_bytes_ + unplaced_);
}

void MessageReader::body(bool none) {
  header_count_ = 0;
  no_body_ = none;
  if (!head_.complete) {
    state_ = State::Lost;
  } else if (none) {
    state_ = State::Done;
  } else if (head_.chunked) {
    state_ = State::ChunkSize;
  } else if (head_.has_length) {
    remaining_ = head_.length;
    state_ = remaining_ == 0 ? State::Done : State::Length;
  } else {
    state_ = request_ ? State::Done : State::UntilClose;
  }
}

void MessageReader::next() {
  state_ = State::Start;
  in_message_ = false;
  line_overflow_ = false;
  line_.clear();
  body_bytes_ = 0;
  unplaced_ = 0;
  no_body_ = false;
  remaining_ = 0;
  header_count_ = 0;
}

bool MessageReader::take_line(std::string_view& bytes, size_t limit) {
  const size_t end = bytes.find('\n');
  const std::string_view piece = bytes.substr(0, end);
  const size_t room = limit - std::min(limit, line_.size());
  if (piece.size() > room) line_overflow_ = true;
  line_.append(piece.substr(0, room));
  bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  if (end == std::string_view::npos) return false;
  if (line_.ends_with('\r')) line_.pop_back();
  return true;
}

void MessageReader::start_line(std::string_view line, bool cut) {
  cut = cut || line_overflow_;
  line_overflow_ = false;
  Head head;
  head.first = line_stamp_;
  head.request = request_;
  if (request_) {
    RequestLine parsed;
    if (!(cut ? parse_cut_request_line(line, parsed) : parse_request_line(line, parsed))) {
      lose();
      return;
    }
    head.method = parsed.method;
    head.target = parsed.target;
    head.target_cut = cut;
    head.minor = parsed.minor;
  } else {
    head.status = parse_status_line(line);
    if (head.status == 0) {
      lose();
      return;
    }
    head.minor = line[7] - '0';
  }
  head_ = std::move(head);
  in_message_ = true;
  body_bytes_ = 0;
  unplaced_ = 0;
  no_body_ = false;
  header_count_ = 0;
  state_ = State::Headers;
}

void MessageReader::header_line(std::string_view line) {
  if (line.empty() && !line_overflow_) {
    head_.complete = true;
    state_ = State::HeadDone;
    return;
  }
  line_overflow_ = false;
  // The rest of an endless head is not read, so where the body begins is unknown.
  if (++header_count_ > kMaxHeaders) {
    state_ = State::HeadDone;
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (equals_ignoring_case(name, "content-length")) {
    uint64_t length = 0;
    if (parse_number(value, 10, length)) {
      head_.length = length;
      head_.has_length = true;
    }
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    head_.chunked = head_.chunked || contains_ignoring_case(value, "chunked");
  } else if (equals_ignoring_case(name, "host")) {
    head_.host = cut_utf8(value, 255);
  } else if (equals_ignoring_case(name, "expect")) {
    head_.expect_continue = contains_ignoring_case(value, "100-continue");
  }
}

void MessageReader::chunk_line(std::string_view line) {
  line_overflow_ = false;
  uint64_t size = 0;
  if (!parse_number(trimmed(line.substr(0, line.find(';'))), 16, size)) {
    lose();
    return;
  }
  remaining_ = size;
  state_ = size == 0 ? State::Trailers : State::ChunkData;
}

}  // namespace sonde::probe::http1
