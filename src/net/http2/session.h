// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection (RFC 9113) of either side, without its socket: bytes in, events and bytes
// out. It is as much of HTTP/2 as unary gRPC and streamed answers need: no push, no priorities, no
// upgrade. A message body passes through without a copy of it. What a peer can make it hold is
// bounded: streams, header bytes, resets, and output that the peer does not read.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "net/http2/frame.h"
#include "net/http2/header_block.h"
#include "net/http2/output.h"
#include "net/http2/stream_table.h"

namespace sonde::net::http2 {

enum class Role : uint8_t { Client, Server };

struct SessionOptions {
  Role role = Role::Server;
  uint32_t max_streams = 100;  // server: that the peer may have open
  uint32_t stream_window = kDefaultWindow;
  uint32_t connection_window = kDefaultWindow;  // at least the default
  uint32_t max_frame = kDefaultMaxFrame;        // of DATA; other frames may have 64 KiB
  size_t max_header = 16 * 1024;                // of one list of fields
};

class Session {
 public:
  // All are called within receive() or fill(). They may answer, reset and cancel.
  class Events {
   public:
    virtual ~Events() = default;
    // A head or trailers. `last`: nothing follows.
    virtual void on_fields(Stream& stream, const FieldsPtr& fields, bool last) = 0;
    virtual void on_data(Stream& stream, std::string_view bytes) = 0;
    // The DATA frame that was last ends the stream.
    virtual void on_end(Stream& stream) = 0;
    // The stream is gone after this; Code::NoError where both sides had ended it, or the peer says
    // that it needs no more of the request.
    virtual void on_closed(Stream& stream, Code code) = 0;
    // The peer asks whether we are there; the answer is on its way.
    virtual void on_ping() {}
    virtual void on_goaway(Code, std::string_view /*why*/) {}
  };

  Session(const SessionOptions& options, Events& events);

  // False when the connection is over: error() says why, and a GOAWAY is in the output.
  bool receive(std::string_view bytes);
  const std::string& error() const { return error_; }
  bool greeted() const { return greeted_; }  // the peer's settings have come
  // Nothing more will come of it: one side has said GOAWAY and no stream is left.
  bool finished() const;

  // Client: null while the peer allows no more streams, or for good after a GOAWAY or where the
  // numbers are used up (see closing()). The head goes out at once, the body as windows allow.
  Stream* open(HeaderBlock& head, Body body, void* user);
  bool can_open() const;
  bool closing() const { return goaway_sent_ || goaway_received_ || next_stream_ > kMaxStream; }

  // Server: an answer with a body and trailers, with a body, or one that its head ends.
  void respond(Stream& stream, HeaderBlock& head, Body body, HeaderBlock& trailers);
  void respond(Stream& stream, HeaderBlock& head, Body body);
  void respond(Stream& stream, HeaderBlock& head);

  // Server: an answer whose body comes in pieces, one after the other: begin_body(), then
  // add_body() when body_sent(), then end_body().
  void begin_body(Stream& stream, HeaderBlock& head);
  bool body_sent(const Stream& stream) const { return stream.more_body && stream.body.left() == 0; }
  void add_body(Stream& stream, Body body);
  // A piece that is not sent yet is lost: the stream is reset.
  void end_body(Stream& stream, HeaderBlock& trailers);

  // The peer may send no more on a stream than its window allows now, until release().
  static void hold(Stream& stream) { stream.held = true; }
  void release(Stream& stream);

  // Ends a stream early; on_closed() is called within this.
  void reset(Stream& stream, Code code);
  // No new streams of the peer; those that are open go on. Where there is time, notice() before it
  // lets those come that are on their way (RFC 9113 section 6.8).
  void goaway(Code code, std::string_view why = {});
  void notice();
  // Asks the peer whether it is there: it answers with bytes.
  void ping();
  Stream* find(uint32_t id) { return streams_.find(id); }
  size_t streams() const { return streams_.size(); }
  template <class Visit>
  void each_stream(Visit visit) {
    streams_.each(visit);
  }

  // The DATA frame that is being received: its stream and how much of its data is still to come; 0
  // where it is padded or no such frame is open.
  uint32_t data_stream() const { return frame_.stream; }
  size_t data_left() const { return in_data_ && padding_ == 0 ? left_ : 0; }

  // Puts as much of the bodies into the output as windows and its size allow.
  void fill();
  Output& output() { return out_; }
  // Now and then: a peer may reset so many more streams each second.
  void tick(int64_t now_ns);

 private:
  // Receiving (session_receive.cc).
  bool begin_frame();
  bool data_bytes(std::string_view& in);
  bool end_frame(std::string_view payload);
  bool headers_frame(std::string_view payload);
  bool header_block(uint32_t id, std::string_view block, bool last);
  bool begin_stream(uint32_t id, const FieldsPtr& fields, bool last);
  bool settings_frame(std::string_view payload);
  bool apply(Setting setting, uint32_t value);
  bool resize_windows(int64_t size);
  bool window_update(std::string_view payload);
  bool reset_frame(std::string_view payload);
  bool goaway_frame(std::string_view payload);
  bool is_idle(uint32_t id) const;
  bool ended_by_peer(Stream& stream);
  void give_credit(Stream* stream);
  bool misused(Stream& stream, Code code);
  bool spend_reset();
  bool fail(Code code, std::string_view why);

  void write(Type type, uint8_t flags, uint32_t stream, std::string_view payload);
  void write_headers(uint32_t stream, HeaderBlock& head, bool last);
  void write_uint32(Type type, uint32_t stream, uint32_t value);
  void write_settings();
  void write_goaway(uint32_t last, Code code, std::string_view why);
  void queue(Stream& stream);
  void end_local(Stream& stream);
  void close(Stream& stream, Code code);

  const SessionOptions options_;
  Events& events_;
  Output out_;
  HeaderDecoder decoder_;
  HeaderEncoder encoder_;
  StreamTable streams_;
  std::deque<uint32_t> sending_;  // streams with something to send and a window for it
  std::string error_;

  size_t preface_left_ = 0;  // server: of the client's
  std::string head_;         // of a frame, where a read ended within it
  std::string payload_;      // of a frame that is no DATA, the same
  FrameHead frame_;
  bool in_frame_ = false;
  bool in_data_ = false;
  bool pad_known_ = false;
  size_t left_ = 0;     // of the frame's data, without its padding
  size_t padding_ = 0;  // still to come; until it is known, its own length of 1
  std::string block_;   // of headers that go on in CONTINUATION frames
  uint32_t block_stream_ = 0;
  bool block_last_ = false;
  uint32_t continuations_ = 0;

  int64_t send_window_ = kDefaultWindow;
  int64_t receive_window_ = kDefaultWindow;
  int64_t peer_stream_window_ = kDefaultWindow;
  uint32_t peer_max_frame_ = kDefaultMaxFrame;
  uint32_t peer_max_streams_ = 100;  // until it says otherwise, as other clients assume
  uint32_t next_stream_ = 1;         // client
  uint32_t last_stream_ = 0;         // server: the largest that the peer has opened,
  uint32_t last_taken_ = 0;          // and the largest that was begun: not after our GOAWAY
  int64_t resets_left_;
  int64_t ticked_ns_ = 0;
  bool greeted_ = false;
  bool goaway_sent_ = false;
  bool goaway_received_ = false;
};

}  // namespace sonde::net::http2
