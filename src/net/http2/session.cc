// SPDX-License-Identifier: Apache-2.0
// What a session sends.
#include "net/http2/session.h"

#include <algorithm>
#include <utility>

namespace sonde::net::http2 {
namespace {

constexpr size_t kMaxWrite = 512 * 1024;  // of output before bodies wait
constexpr int64_t kResetsAtOnce = 1000;   // CVE-2023-44487: streams that are begun to be reset
constexpr int64_t kResetsPerSecond = 33;

void append_uint32(std::string& out, uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift);
}

void append_setting(std::string& out, Setting setting, uint32_t value) {
  out += static_cast<char>(static_cast<uint16_t>(setting) >> 8);
  out += static_cast<char>(setting);
  append_uint32(out, value);
}

}  // namespace

Session::Session(const SessionOptions& options, Events& events)
    : options_(options),
      events_(events),
      decoder_(options.max_header),
      resets_left_(kResetsAtOnce) {
  if (options_.role == Role::Server) {
    preface_left_ = kPreface.size();
  } else {
    out_.copy(kPreface);
  }
  write_settings();
}

void Session::write_settings() {
  std::string settings;
  if (options_.role == Role::Server) {
    append_setting(settings, Setting::MaxConcurrentStreams, options_.max_streams);
  } else {
    append_setting(settings, Setting::EnablePush, 0);
  }
  append_setting(settings, Setting::InitialWindowSize, options_.stream_window);
  append_setting(settings, Setting::MaxFrameSize, options_.max_frame);
  append_setting(settings, Setting::MaxHeaderListSize, static_cast<uint32_t>(options_.max_header));
  write(Type::Settings, 0, 0, settings);
  if (options_.connection_window > kDefaultWindow) {
    write_uint32(Type::WindowUpdate, 0, options_.connection_window - kDefaultWindow);
    receive_window_ = options_.connection_window;
  }
}

void Session::write(Type type, uint8_t flags, uint32_t stream, std::string_view payload) {
  const auto head = write_frame_head({.length = static_cast<uint32_t>(payload.size()),
                                      .type = type,
                                      .flags = flags,
                                      .stream = stream});
  out_.copy({head.data(), head.size()});
  if (!payload.empty()) out_.copy(payload);
}

// In as many frames as the peer's limit makes of it (RFC 9113 section 4.3).
void Session::write_headers(uint32_t stream, HeaderBlock& head, bool last) {
  std::string_view block = encoder_.encode(head);
  Type type = Type::Headers;
  uint8_t flags = last ? kEndStream : uint8_t{0};
  while (block.size() > peer_max_frame_) {
    write(type, flags, stream, block.substr(0, peer_max_frame_));
    block.remove_prefix(peer_max_frame_);
    type = Type::Continuation;
    flags = 0;
  }
  write(type, flags | kEndHeaders, stream, block);
}

void Session::write_uint32(Type type, uint32_t stream, uint32_t value) {
  std::string payload;
  append_uint32(payload, value);
  write(type, 0, stream, payload);
}

bool Session::can_open() const { return !closing() && streams_.size() < peer_max_streams_; }

Stream* Session::open(HeaderBlock& head, Body body, void* user) {
  if (!can_open()) return nullptr;
  const uint32_t id = std::exchange(next_stream_, next_stream_ + 2);
  Stream& stream = streams_.insert(id);
  stream.user = user;
  stream.send_window = peer_stream_window_;
  stream.receive_window = options_.stream_window;
  write_headers(id, head, false);
  stream.body = std::move(body);
  stream.has_body = true;
  queue(stream);
  return &stream;
}

void Session::respond(Stream& stream, HeaderBlock& head, Body body, HeaderBlock& trailers) {
  if (stream.local_ended || stream.has_body) return;
  stream.trailers = &trailers;
  respond(stream, head, std::move(body));
}

void Session::respond(Stream& stream, HeaderBlock& head, Body body) {
  if (stream.local_ended || stream.has_body) return;
  write_headers(stream.id, head, false);
  stream.body = std::move(body);
  stream.has_body = true;
  queue(stream);
}

void Session::respond(Stream& stream, HeaderBlock& head) {
  if (stream.local_ended || stream.has_body) return;
  write_headers(stream.id, head, true);
  end_local(stream);
}

void Session::begin_body(Stream& stream, HeaderBlock& head) {
  if (stream.local_ended || stream.has_body) return;
  write_headers(stream.id, head, false);
  stream.has_body = stream.more_body = true;
}

void Session::add_body(Stream& stream, Body body) {
  if (!body_sent(stream)) return;
  stream.body = std::move(body);
  queue(stream);
}

void Session::end_body(Stream& stream, HeaderBlock& trailers) {
  if (!stream.more_body) return;
  if (!body_sent(stream)) return reset(stream, Code::Cancel);
  write_headers(stream.id, trailers, true);
  stream.has_body = stream.more_body = false;
  end_local(stream);
}

void Session::queue(Stream& stream) {
  if (!std::exchange(stream.queued, true)) sending_.push_back(stream.id);
}

void Session::fill() {
  while (!sending_.empty() && out_.size() < kMaxWrite) {
    Stream* const found = find(sending_.front());
    if (found == nullptr) {
      sending_.pop_front();
      continue;
    }
    Stream& stream = *found;
    const size_t left = stream.body.left();
    if (left > 0 && send_window_ <= 0) return;
    if (left > 0 && stream.send_window <= 0) {  // queued again by a WINDOW_UPDATE
      stream.queued = false;
      sending_.pop_front();
      continue;
    }
    const auto room = static_cast<size_t>(
        std::max<int64_t>(0, std::min({send_window_, stream.send_window, int64_t{peer_max_frame_},
                                       static_cast<int64_t>(kMaxWrite)})));
    const size_t size = std::min(left, room);
    const bool whole = size == left;
    const bool last = whole && stream.trailers == nullptr && !stream.more_body;
    if (size > 0 || last) {
      const auto head = write_frame_head({.length = static_cast<uint32_t>(size),
                                          .type = Type::Data,
                                          .flags = last ? kEndStream : uint8_t{0},
                                          .stream = stream.id});
      out_.copy({head.data(), head.size()});
      stream.body.move_to(out_, size);
      send_window_ -= static_cast<int64_t>(size);
      stream.send_window -= static_cast<int64_t>(size);
    }
    if (!whole) continue;
    sending_.pop_front();
    stream.queued = false;
    stream.body = {};
    if (stream.more_body) continue;
    stream.has_body = false;
    if (stream.trailers != nullptr) {
      write_headers(stream.id, *stream.trailers, true);
    }
    end_local(stream);
  }
}

void Session::end_local(Stream& stream) {
  stream.local_ended = true;
  if (stream.remote_ended) return close(stream, Code::NoError);
  // An answer before the end of the request: the peer may stop sending (RFC 9113 section 8.1).
  if (options_.role == Role::Server) reset(stream, Code::NoError);
}

void Session::release(Stream& stream) {
  stream.held = false;
  if (!stream.remote_ended) give_credit(&stream);
}

void Session::reset(Stream& stream, Code code) {
  write_uint32(Type::Reset, stream.id, static_cast<uint32_t>(code));
  close(stream, code);
}

void Session::close(Stream& stream, Code code) {
  events_.on_closed(stream, code);
  streams_.erase(stream);
}

void Session::write_goaway(uint32_t last, Code code, std::string_view why) {
  std::string payload;
  append_uint32(payload, last);
  append_uint32(payload, static_cast<uint32_t>(code));
  payload += why;
  write(Type::Goaway, 0, 0, payload);
}

void Session::goaway(Code code, std::string_view why) {
  goaway_sent_ = true;
  write_goaway(last_taken_, code, why);
}

void Session::notice() { write_goaway(kMaxStream, Code::NoError, {}); }

void Session::ping() { write(Type::Ping, 0, 0, std::string_view("\0\0\0\0\0\0\0\0", 8)); }

bool Session::finished() const {
  return (goaway_sent_ || goaway_received_) && streams_.size() == 0;
}

void Session::tick(int64_t now_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t seconds = (now_ns - ticked_ns_) / kSecond;
  if (seconds <= 0) return;
  ticked_ns_ = now_ns;
  resets_left_ = seconds > kResetsAtOnce / kResetsPerSecond
                     ? kResetsAtOnce
                     : std::min(resets_left_ + seconds * kResetsPerSecond, kResetsAtOnce);
}

}  // namespace sonde::net::http2
