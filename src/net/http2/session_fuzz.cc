// SPDX-License-Identifier: Apache-2.0
// Feeds bytes to a session of either side, whole and cut in two: both must tell their owner the
// same, and answer the same.
#include <cstdint>
#include <string>
#include <vector>

#include "net/http2/session.h"

namespace {

using namespace sonde::net::http2;

struct Owner : Session::Events {
  explicit Owner(Role role)
      : side(role), session({.role = role, .max_streams = 4, .max_header = 256}, *this) {
    if (role == Role::Server) return;
    for (int i = 0; i < 3; ++i) session.open(head, {"a ", sonde::Bytes::copy("body")}, nullptr);
  }
  void on_fields(Stream& stream, const FieldsPtr& fields, bool last) override {
    log += 'f' + std::to_string(stream.id);
    for (const auto& [name, value] : fields->list) log += name + value;
    if (last) answer(stream);
  }
  void on_data(Stream& stream, std::string_view bytes) override {
    log += 'd' + std::to_string(stream.id);
    body += bytes;
  }
  void on_end(Stream& stream) override { answer(stream); }
  void on_closed(Stream& stream, Code) override { log += 'c' + std::to_string(stream.id); }
  void answer(Stream& stream) {
    log += 'e' + std::to_string(stream.id);
    if (side == Role::Client) return;
    if (stream.id % 4 == 1) session.respond(stream, head);
    if (stream.id % 4 == 3) session.respond(stream, head, {"an ", {}}, head);
  }
  std::string said() {
    session.fill();
    std::string out;
    std::vector<std::string_view> pieces(session.output().pieces());
    session.output().front(pieces);
    for (const std::string_view piece : pieces) out.append(piece);
    return out;
  }
  const Role side;
  std::string log;
  std::string body;
  HeaderBlock head{{{":status", "200"}, {"grpc-status", "0"}}};
  Session session;
};

void play(Role role, std::string_view bytes, size_t cut) {
  Owner whole(role);
  const bool ok = whole.session.receive(bytes);
  Owner pieces(role);
  const bool same =
      pieces.session.receive(bytes.substr(0, cut)) && pieces.session.receive(bytes.substr(cut));
  if (ok != same || whole.session.error() != pieces.session.error()) __builtin_trap();
  if (whole.body != pieces.body || whole.said() != pieces.said()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  const size_t cut = static_cast<uint8_t>(bytes.front()) % bytes.size();
  play(Role::Server, std::string(kPreface) + std::string(bytes.substr(1)), 24 + cut);
  play(Role::Client, bytes.substr(1), std::min(cut, bytes.size() - 1));
  return 0;
}
