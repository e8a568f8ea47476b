// SPDX-License-Identifier: Apache-2.0
// What a session makes of the bytes that come.
#include <algorithm>

#include "net/http2/session.h"

namespace sonde::net::http2 {
namespace {

constexpr size_t kMaxBlock = 64 * 1024;     // of headers, as they are on the wire
constexpr uint32_t kMaxContinuations = 8;   // CVE-2024-28182: of one block
constexpr size_t kMaxUnread = 1024 * 1024;  // of output while the peer does not read

}  // namespace

// A whole connection is at fault (RFC 9113 section 5.4.1).
bool Session::fail(Code code, std::string_view why) {
  if (error_.empty()) {
    error_ = why;
    goaway(code);
  }
  return false;
}

bool Session::receive(std::string_view in) {
  if (!error_.empty()) return false;
  if (preface_left_ > 0) {
    const std::string_view expected = kPreface.substr(kPreface.size() - preface_left_);
    const size_t size = std::min(in.size(), expected.size());
    if (in.substr(0, size) != expected.substr(0, size)) {
      return fail(Code::ProtocolError, "the peer does not speak HTTP/2");
    }
    preface_left_ -= size;
    in.remove_prefix(size);
  }
  while (!in.empty()) {
    if (!in_frame_) {
      const char* head = in.data();
      if (!head_.empty() || in.size() < kFrameHead) {
        const size_t size = std::min(in.size(), kFrameHead - head_.size());
        head_.append(in.substr(0, size));
        in.remove_prefix(size);
        if (head_.size() < kFrameHead) return true;
        head = head_.data();
      } else {
        in.remove_prefix(kFrameHead);
      }
      frame_ = read_frame_head(head);
      head_.clear();
      if (!begin_frame()) return false;
    }
    if (in_data_) {
      if (!data_bytes(in)) return false;
      continue;
    }
    const size_t size = std::min<size_t>(in.size(), frame_.length - payload_.size());
    const std::string_view piece = in.substr(0, size);
    in.remove_prefix(size);
    if (payload_.empty() && size == frame_.length) {
      in_frame_ = false;
      if (!end_frame(piece)) return false;
      continue;
    }
    payload_.append(piece);
    if (payload_.size() < frame_.length) return true;
    in_frame_ = false;
    const std::string whole = std::exchange(payload_, {});
    if (!end_frame(whole)) return false;
  }
  if (out_.size() > kMaxUnread) return fail(Code::EnhanceYourCalm, "the peer does not read");
  return true;
}

bool Session::begin_frame() {
  if (!greeted_ && (frame_.type != Type::Settings || frame_.has(kAck))) {
    return fail(Code::ProtocolError, "the peer does not speak HTTP/2");
  }
  if ((block_stream_ != 0) != (frame_.type == Type::Continuation) ||
      (block_stream_ != 0 && frame_.stream != block_stream_)) {
    return fail(Code::ProtocolError, "headers are not continued where they should be");
  }
  const bool data = frame_.type == Type::Data;
  if (frame_.length > (data ? options_.max_frame : std::max<size_t>(kMaxBlock, kDefaultMaxFrame))) {
    return fail(Code::FrameSizeError, "a frame is too large");
  }
  in_frame_ = true;
  in_data_ = data;
  if (!data) return true;
  if (frame_.stream == 0 || is_idle(frame_.stream)) {
    return fail(Code::ProtocolError, "data without a stream");
  }
  receive_window_ -= frame_.length;
  if (receive_window_ < 0) return fail(Code::FlowControlError, "more data than its window allows");
  left_ = frame_.length;
  padding_ = 0;
  if (frame_.has(kPadded)) {
    if (left_ == 0) return fail(Code::FrameSizeError, "a padded frame without its padding");
    padding_ = 1;
    pad_known_ = false;
    --left_;
  }
  if (Stream* const stream = find(frame_.stream)) {
    stream->receive_window -= frame_.length;
    if (stream->remote_ended) {
      if (!misused(*stream, Code::StreamClosed)) return false;
    } else if (stream->receive_window < 0) {
      if (!misused(*stream, Code::FlowControlError)) return false;
    }
  }
  if (frame_.length > 0) return true;
  std::string_view none;
  return data_bytes(none);
}

// As much of a DATA frame as there is.
bool Session::data_bytes(std::string_view& in) {
  if (padding_ > 0 && !pad_known_) {
    if (in.empty()) return true;
    padding_ = static_cast<uint8_t>(in.front());
    pad_known_ = true;
    in.remove_prefix(1);
    if (padding_ > left_) return fail(Code::ProtocolError, "more padding than frame");
    left_ -= padding_;
  }
  const std::string_view bytes = in.substr(0, std::min(in.size(), left_));
  in.remove_prefix(bytes.size());
  left_ -= bytes.size();
  if (!bytes.empty()) {
    if (Stream* const stream = find(frame_.stream); stream && !stream->remote_ended) {
      events_.on_data(*stream, bytes);
    }
  }
  const size_t padding = left_ > 0 ? 0 : std::min(in.size(), padding_);
  in.remove_prefix(padding);
  padding_ -= padding;
  if (left_ > 0 || padding_ > 0) return true;
  in_frame_ = in_data_ = false;
  Stream* const stream = find(frame_.stream);
  if (stream == nullptr || stream->remote_ended) {
    give_credit(nullptr);
    return true;
  }
  give_credit(frame_.has(kEndStream) ? nullptr : stream);
  if (!frame_.has(kEndStream)) return true;
  events_.on_end(*stream);
  Stream* const still = find(frame_.stream);
  return still == nullptr || ended_by_peer(*still);
}

// What was received is handed on at once: windows only pace, and are opened by halves.
void Session::give_credit(Stream* stream) {
  if (const int64_t used = options_.connection_window - receive_window_;
      used > options_.connection_window / 2) {
    write_uint32(Type::WindowUpdate, 0, static_cast<uint32_t>(used));
    receive_window_ += used;
  }
  if (stream == nullptr || stream->held) return;
  if (const int64_t used = options_.stream_window - stream->receive_window;
      used > options_.stream_window / 2) {
    write_uint32(Type::WindowUpdate, stream->id, static_cast<uint32_t>(used));
    stream->receive_window += used;
  }
}

bool Session::ended_by_peer(Stream& stream) {
  stream.remote_ended = true;
  if (stream.local_ended) {
    close(stream, Code::NoError);
  } else if (options_.role == Role::Client) {
    // The answer is whole: what is left of the request is of no use to the peer.
    write_uint32(Type::Reset, stream.id, static_cast<uint32_t>(Code::Cancel));
    close(stream, Code::NoError);
  }
  return true;
}

bool Session::is_idle(uint32_t id) const {
  if (options_.role == Role::Client) return id >= next_stream_ || id % 2 == 0;
  return id > last_stream_ || id % 2 == 0;
}

// The peer resets streams, or makes us reset them, at will.
bool Session::spend_reset() {
  if (options_.role == Role::Client || --resets_left_ >= 0) return true;
  return fail(Code::EnhanceYourCalm, "too many streams were reset");
}

// One stream is at fault (RFC 9113 section 5.4.2).
bool Session::misused(Stream& stream, Code code) {
  reset(stream, code);
  return spend_reset();
}

bool Session::end_frame(std::string_view payload) {
  switch (frame_.type) {
    case Type::Headers:
      return headers_frame(payload);
    case Type::Continuation:
      if (block_.size() + payload.size() > kMaxBlock || ++continuations_ > kMaxContinuations) {
        return fail(Code::EnhanceYourCalm, "headers are too large");
      }
      block_.append(payload);
      if (!frame_.has(kEndHeaders)) return true;
      return header_block(std::exchange(block_stream_, 0), std::exchange(block_, {}), block_last_);
    case Type::Priority:
      if (frame_.stream == 0) return fail(Code::ProtocolError, "a priority without a stream");
      if (payload.size() == 5) return true;
      if (Stream* const stream = find(frame_.stream)) return misused(*stream, Code::FrameSizeError);
      return fail(Code::FrameSizeError, "a priority of a wrong size");
    case Type::Reset:
      return reset_frame(payload);
    case Type::Settings:
      return settings_frame(payload);
    case Type::PushPromise:
      return fail(Code::ProtocolError, "a push that nobody wanted");
    case Type::Ping:
      if (frame_.stream != 0) return fail(Code::ProtocolError, "a ping with a stream");
      if (payload.size() != 8) return fail(Code::FrameSizeError, "a ping of a wrong size");
      if (frame_.has(kAck)) return true;
      write(Type::Ping, kAck, 0, payload);
      events_.on_ping();
      return true;
    case Type::Goaway:
      return goaway_frame(payload);
    case Type::WindowUpdate:
      return window_update(payload);
    case Type::Data:
      break;
  }
  return true;  // Unknown types are to be ignored (RFC 9113 section 5.5).
}

bool Session::headers_frame(std::string_view payload) {
  if (frame_.stream == 0 || frame_.stream % 2 == 0) {
    return fail(Code::ProtocolError, "headers without a stream");
  }
  size_t padding = 0;
  if (frame_.has(kPadded)) {
    if (payload.empty()) return fail(Code::FrameSizeError, "a padded frame without its padding");
    padding = static_cast<uint8_t>(payload.front());
    payload.remove_prefix(1);
  }
  if (frame_.has(kPriority)) {
    if (payload.size() < 5) return fail(Code::FrameSizeError, "headers of a wrong size");
    payload.remove_prefix(5);
  }
  if (padding > payload.size()) return fail(Code::ProtocolError, "more padding than frame");
  payload.remove_suffix(padding);
  if (frame_.has(kEndHeaders)) {
    return header_block(frame_.stream, payload, frame_.has(kEndStream));
  }
  block_ = payload;
  block_stream_ = frame_.stream;
  block_last_ = frame_.has(kEndStream);
  continuations_ = 0;
  return true;
}

bool Session::header_block(uint32_t id, std::string_view block, bool last) {
  const FieldsPtr fields = decoder_.decode(block);
  if (!fields) return fail(Code::CompressionError, "a header block that is no HPACK");
  Stream* stream = find(id);
  if (stream == nullptr) {
    if (options_.role == Role::Server && id > last_stream_) return begin_stream(id, fields, last);
    if (is_idle(id)) return fail(Code::ProtocolError, "headers of a stream that was not opened");
    return true;  // Of a stream that we have reset.
  }
  if (stream->remote_ended) return misused(*stream, Code::StreamClosed);
  const bool trailers = options_.role == Role::Server || stream->head_came;
  if (trailers ? !last || !fields->trailers : !fields->response) {
    return misused(*stream, Code::ProtocolError);
  }
  if (!trailers) stream->head_came = !fields->interim;
  if (!trailers && !stream->head_came) {
    return last ? misused(*stream, Code::ProtocolError) : true;  // 100 and its kin
  }
  events_.on_fields(*stream, fields, last);
  stream = find(id);
  return !last || stream == nullptr || ended_by_peer(*stream);
}

bool Session::begin_stream(uint32_t id, const FieldsPtr& fields, bool last) {
  last_stream_ = id;
  if (goaway_sent_) return true;  // It said that this is not processed.
  last_taken_ = id;
  Code refused = Code::NoError;
  if (streams_.size() >= options_.max_streams) refused = Code::RefusedStream;
  if (!fields->request) refused = Code::ProtocolError;
  if (refused != Code::NoError) {
    write_uint32(Type::Reset, id, static_cast<uint32_t>(refused));
    return spend_reset();
  }
  Stream& stream = streams_.insert(id);
  stream.send_window = peer_stream_window_;
  stream.receive_window = options_.stream_window;
  events_.on_fields(stream, fields, last);
  Stream* const still = find(id);
  return !last || still == nullptr || ended_by_peer(*still);
}

bool Session::settings_frame(std::string_view payload) {
  if (frame_.stream != 0) return fail(Code::ProtocolError, "settings with a stream");
  if (payload.size() % 6 != 0 || (frame_.has(kAck) && !payload.empty())) {
    return fail(Code::FrameSizeError, "settings of a wrong size");
  }
  if (frame_.has(kAck)) return true;
  greeted_ = true;
  int64_t window = peer_stream_window_;
  for (; !payload.empty(); payload.remove_prefix(6)) {
    const auto setting = static_cast<Setting>(static_cast<uint8_t>(payload[0]) << 8 |
                                              static_cast<uint8_t>(payload[1]));
    const uint32_t value = read_uint32(payload.data() + 2);
    if (!apply(setting, value)) return false;
    if (setting == Setting::InitialWindowSize) window = value;
  }
  write(Type::Settings, kAck, 0, {});
  // Once for a frame: all streams change with it, and a frame could ask for it ten thousand times.
  return window == peer_stream_window_ || resize_windows(window);
}

// Of the streams that are open as well, and below 0 where need be (RFC 9113 section 6.9.2).
bool Session::resize_windows(int64_t size) {
  const int64_t change = size - std::exchange(peer_stream_window_, size);
  bool ok = true;
  streams_.each([&](Stream& stream) {
    stream.send_window += change;
    ok = ok && stream.send_window <= kMaxWindow;
    if (stream.has_body && stream.send_window > 0) queue(stream);
  });
  return ok || fail(Code::FlowControlError, "a window that is too large");
}

bool Session::apply(Setting setting, uint32_t value) {
  switch (setting) {
    case Setting::HeaderTableSize:
      encoder_.limit_table(value);
      return true;
    case Setting::EnablePush:
      return value <= 1 || fail(Code::ProtocolError, "a setting with a wrong value");
    case Setting::MaxConcurrentStreams:
      peer_max_streams_ = value;
      return true;
    case Setting::InitialWindowSize:
      return value <= kMaxWindow || fail(Code::FlowControlError, "a window that is too large");
    case Setting::MaxFrameSize:
      if (value < kDefaultMaxFrame || value > 0xffffff) {
        return fail(Code::ProtocolError, "a setting with a wrong value");
      }
      peer_max_frame_ = value;
      return true;
    case Setting::MaxHeaderListSize:
      break;
  }
  return true;  // Unknown ones are to be ignored.
}

bool Session::window_update(std::string_view payload) {
  if (payload.size() != 4) return fail(Code::FrameSizeError, "a window update of a wrong size");
  const int64_t increment = read_uint32(payload.data()) & kMaxWindow;
  if (frame_.stream == 0) {
    if (increment == 0) return fail(Code::ProtocolError, "a window update of nothing");
    send_window_ += increment;
    return send_window_ <= kMaxWindow || fail(Code::FlowControlError, "a window that is too large");
  }
  if (is_idle(frame_.stream)) return fail(Code::ProtocolError, "a window of no stream");
  Stream* const stream = find(frame_.stream);
  if (stream == nullptr) return true;
  if (increment == 0) return misused(*stream, Code::ProtocolError);
  stream->send_window += increment;
  if (stream->send_window > kMaxWindow) return misused(*stream, Code::FlowControlError);
  if (stream->has_body && stream->send_window > 0) queue(*stream);
  return true;
}

bool Session::reset_frame(std::string_view payload) {
  if (payload.size() != 4) return fail(Code::FrameSizeError, "a reset of a wrong size");
  if (frame_.stream == 0 || is_idle(frame_.stream)) {
    return fail(Code::ProtocolError, "a reset without a stream");
  }
  Stream* const stream = find(frame_.stream);
  if (stream == nullptr) return true;
  close(*stream, static_cast<Code>(read_uint32(payload.data())));
  return spend_reset();
}

bool Session::goaway_frame(std::string_view payload) {
  if (frame_.stream != 0) return fail(Code::ProtocolError, "a farewell with a stream");
  if (payload.size() < 8) return fail(Code::FrameSizeError, "a farewell of a wrong size");
  goaway_received_ = true;
  events_.on_goaway(static_cast<Code>(read_uint32(payload.data() + 4)), payload.substr(8));
  if (options_.role == Role::Server) return true;
  const uint32_t last = read_uint32(payload.data()) & kMaxStream;
  streams_.each([&](Stream& stream) {
    if (stream.id > last) close(stream, Code::RefusedStream);  // It was not processed.
  });
  return true;
}

}  // namespace sonde::net::http2
