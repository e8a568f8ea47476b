// SPDX-License-Identifier: Apache-2.0
// For tests: sessions without sockets, one that is told frames by hand and two that talk.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/http2/session.h"
#include "net/testing/h2_frames.h"

namespace sonde::net::http2 {

inline std::string take(Session& session) {
  session.fill();
  std::string out;
  std::vector<std::string_view> pieces(session.output().pieces());
  session.output().front(pieces);
  for (const std::string_view piece : pieces) out.append(piece);
  session.output().clear();
  return out;
}

// Keeps what comes, as text.
struct Log : Session::Events {
  void on_fields(Stream& stream, const FieldsPtr& fields, bool last) override {
    seen[stream.id] += "fields:" + std::to_string(fields->list.size()) + (last ? "! " : " ");
    if (last && whole) whole(stream);
  }
  void on_data(Stream& stream, std::string_view bytes) override { body[stream.id] += bytes; }
  void on_end(Stream& stream) override {
    seen[stream.id] += "end ";
    if (whole) whole(stream);
  }
  void on_closed(Stream& stream, Code code) override {
    seen[stream.id] += "closed:" + std::string(name_of(code));
  }
  std::map<uint32_t, std::string> seen;
  std::map<uint32_t, std::string> body;
  std::function<void(Stream&)> whole;
};

struct Server {
  explicit Server(SessionOptions options = {}) : session(options, log) {}
  // What it answers to frames of a client that has greeted.
  std::vector<SeenFrame> tell(std::string_view bytes) {
    session.receive(bytes);
    return frames_of(take(session));
  }
  void greet() { tell(std::string(kPreface) + frame(Type::Settings, 0, 0, "")); }
  Log log;
  Session session;
};

inline Code code_of(const std::vector<SeenFrame>& frames, Type type) {
  for (const auto& [head, payload] : frames) {
    if (head.type != type) continue;
    return static_cast<Code>(read_uint32(payload.data() + (type == Type::Goaway ? 4 : 0)));
  }
  return Code::NoError;
}

// Both ends, what one says going to the other, until neither has more to say.
struct Both {
  void run() {
    for (bool busy = true; busy;) {
      const std::string there = take(client);
      const std::string back = take(server);
      busy = !there.empty() || !back.empty();
      EXPECT_TRUE(server.receive(there)) << server.error();
      EXPECT_TRUE(client.receive(back)) << client.error();
    }
  }
  Log client_log, server_log;
  Session client{{.role = Role::Client, .max_header = 64 * 1024}, client_log};
  Session server{{.role = Role::Server, .max_streams = 3, .max_header = 64 * 1024}, server_log};
  HeaderBlock request{
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}, {":authority", "x"}}};
  HeaderBlock head{{{":status", "200"}}};
  HeaderBlock trailers{{{"grpc-status", "0"}}};
};

}  // namespace sonde::net::http2
