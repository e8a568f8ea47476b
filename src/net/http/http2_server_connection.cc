// SPDX-License-Identifier: Apache-2.0
#include "net/http/internal/http2_server_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

constexpr uint32_t kMaxStreams = 100;
constexpr uint32_t kStreamWindow = 1 << 20;
constexpr uint32_t kConnectionWindow = 16 << 20;
constexpr size_t kReadSize = 64 * 1024;
constexpr size_t kMostUnsent = 1 << 20;  // of answers, before further requests wait
constexpr size_t kAlwaysRequests = 4;    // of a connection, however little memory there is
const Refusal kNoMemory{429, "the memory limit is reached, try again later", true};

char* read_buffer() {
  thread_local std::unique_ptr<char[]> buffer(new char[kReadSize]);
  return buffer.get();
}

// What a content-length says; nothing where it is no number.
std::optional<size_t> length_of(std::string_view said) {
  size_t length = 0;
  const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), length);
  if (error != std::errc() || end != said.data() + said.size()) return std::nullopt;
  return length;
}

// Names are in lower case here, and those of one connection of HTTP/1.1 are not allowed.
void add_fields(Headers& out, const Headers& in) {
  for (const Header& header : in) {
    std::string name = lower(header.name);
    const bool of_connection = name == "connection" || name == "keep-alive" ||
                               name == "transfer-encoding" || name == "upgrade";
    if (name.empty() || of_connection || !is_clean(header.value)) continue;
    out.push_back({std::move(name), header.value});
  }
}

}  // namespace

Http2ServerConnection::Http2ServerConnection(std::shared_ptr<HttpServer::Impl> core,
                                             HttpConnection& door,
                                             std::unique_ptr<Transport> transport)
    : core_(std::move(core)),
      door_(door),
      transport_(std::move(transport)),
      idle_since_ns_(core_->loop.clock().monotonic_ns()),
      session_({.role = http2::Role::Server,
                .max_streams = kMaxStreams,
                .stream_window = kStreamWindow,
                .connection_window = kConnectionWindow,
                .max_frame = http2::kDefaultMaxFrame,
                .max_header = core_->options.max_header},
               *this) {}

std::optional<Refusal> Http2ServerConnection::begin(Call& call, const http2::Fields& fields) const {
  if (fields.too_large) return Refusal{431, "the request header is too large"};
  Request& request = call.request;
  std::string_view target;
  for (const auto& [name, value] : fields.list) {
    if (name == ":method") {
      request.method = value;
    } else if (name == ":path") {
      target = value;
    } else if (name == ":authority") {
      request.headers.push_back({"host", value});
    } else if (!name.starts_with(':')) {
      request.headers.push_back({name, value});
    }
  }
  // Of a few bytes, as HPACK writes them.
  size_t bytes = sizeof(Call) + target.size();
  for (const Header& field : request.headers) {
    bytes += sizeof(Header) + field.name.size() + field.value.size();
  }
  call.charge = MemoryCharge(bytes);
  if (session_.streams() > kAlwaysRequests && MemoryLedger::process().room() == 0) return kNoMemory;
  request.peer = transport_->peer();
  if (auto refusal = take_target(target, request)) return refusal;
  const std::string_view said = request.header("content-length");
  const auto length = length_of(said);
  if (!said.empty() && !length) return Refusal{400, "the content-length is no number"};
  if (length.value_or(0) > core_->options.max_body)
    return Refusal{413, "the request body is too large"};
  return std::nullopt;
}

std::optional<Response> Http2ServerConnection::admit(Call& call) const {
  const auto said = length_of(call.request.header("content-length"));
  const size_t length = said.value_or(0);
  if (core_->options.admit) {
    Admitted admitted = core_->options.admit(call.request, said);
    if (!admitted) return std::move(admitted.error());
    call.request.admission = std::move(*admitted);
  }
  if (length > 0 && !make_room(call.body, length)) return response_of(kNoMemory);
  return std::nullopt;
}

void Http2ServerConnection::identify(Stream& stream, bool last) {
  Call& call = call_of(stream);
  auto found = door_.who_sent(call.request,
                              [weak = weak_from_this(), id = stream.id](Identified identified) {
                                if (const auto self = weak.lock())
                                  self->identified(id, std::move(identified));
                              });
  if (!found) {
    call.unknown = true;
    return http2::Session::hold(stream);
  }
  if (!*found) return respond(stream, std::move(found->error()));
  call.request.sender = std::move(**found);
  if (last) return;
  if (auto refused = admit(call)) respond(stream, std::move(*refused));
}

void Http2ServerConnection::identified(uint32_t id, Identified identified) {
  Stream* const stream = session_.find(id);
  if (stream == nullptr || dead_ || !call_of(*stream).unknown || call_of(*stream).answered) return;
  Call& call = call_of(*stream);
  call.unknown = false;
  if (!identified) {
    respond(*stream, std::move(identified.error()));
    return flush_soon();
  }
  call.request.sender = std::move(*identified);
  if (auto refused = call.ended && call.body.size() == 0 ? std::nullopt : admit(call)) {
    respond(*stream, std::move(*refused));
    return flush_soon();
  }
  session_.release(*stream);
  if (call.ended) hand_on(*stream);
  give_out();
  flush_soon();
}

bool Http2ServerConnection::make_room(Buffer& body, size_t capacity) {
  if (!MemoryLedger::process().has_room(Buffer::block_size(capacity))) return false;
  body.reserve(capacity);
  return true;
}

void Http2ServerConnection::on_fields(Stream& stream, const http2::FieldsPtr& fields, bool last) {
  if (stream.user == nullptr) {
    auto& call = *(calls_[stream.id] = std::make_unique<Call>());
    stream.user = &call;
    call.deadline_ns = core_->loop.clock().monotonic_ns() + core_->options.body_timeout.count();
    if (const auto refusal = begin(call, *fields)) return refuse(stream, *refusal);
    const uint32_t id = stream.id;
    identify(stream, last);
    const Stream* const still = session_.find(id);  // A refusal may have ended it.
    if (still == nullptr || call.answered) return;
  }
  if (last) on_end(stream);
}

void Http2ServerConnection::on_data(Stream& stream, std::string_view bytes) {
  Call& call = call_of(stream);
  if (call.answered) return;
  if (bytes.size() > core_->options.max_body - call.body.size()) {
    return refuse(stream, {413, "the request body is too large"});
  }
  const size_t size = call.body.size() + bytes.size();
  if (size > call.body.capacity() &&
      !make_room(call.body, std::max(size, call.body.capacity() * 2))) {
    return refuse(stream, kNoMemory);
  }
  call.body.append(bytes);
}

void Http2ServerConnection::on_end(Stream& stream) {
  Call& call = call_of(stream);
  if (call.answered) return;
  // RFC 9113 section 8.1.1.
  const std::string_view said = call.request.header("content-length");
  if (!said.empty() && length_of(said) != call.body.size()) {
    return refuse(stream, {400, "the body is not as long as its content-length says"});
  }
  call.ended = true;
  if (!call.unknown) hand_on(stream);
}

void Http2ServerConnection::hand_on(const Stream& stream) {
  call_of(stream).deadline_ns = INT64_MAX;
  ready_.push_back(stream.id);
}

void Http2ServerConnection::on_closed(Stream& stream, http2::Code) {
  calls_.erase(stream.id);
  if (calls_.empty()) idle_since_ns_ = core_->loop.clock().monotonic_ns();
}

void Http2ServerConnection::refuse(Stream& stream, const Refusal& refusal) {
  respond(stream, response_of(refusal));
}

void Http2ServerConnection::respond(Stream& stream, Response response) {
  Call& call = call_of(stream);
  call.answered = true;
  call.body = {};
  call.request.admission.end();
  if (!call.permission)
    door_.annotate(response, call.request.header("origin"), call.request.method);
  http2::HeaderBlock head{{{":status", fmt::format("{}", response.status)},
                           {"date", http_date(core_->loop.clock().unix_ns())}}};
  if (!response.content_type.empty()) {
    head.fields.push_back({"content-type", response.content_type});
  }
  add_fields(head.fields, response.headers);
  const bool bodyless = response.status == 204 || response.status == 304;
  if (!bodyless) {
    head.fields.push_back({"content-length", fmt::format("{}", response.body.size())});
  }
  const bool empty = bodyless || call.request.head || response.body.empty();
  // It may be long until the peer takes the answer.
  call.request = {};
  call.charge = {};
  if (empty) {
    return session_.respond(stream, head);
  }
  Bytes body = Bytes::take(std::move(response.body));
  if (response.held) {
    const auto both = std::make_shared<const std::pair<Bytes, std::shared_ptr<const void>>>(
        body, std::move(response.held));
    body = Bytes::alias(both, both->first.view());
  }
  session_.respond(stream, head, {{}, std::move(body)});
}

void Http2ServerConnection::answer(uint64_t id, Response response) {
  Stream* const stream = session_.find(static_cast<uint32_t>(id));
  if (stream == nullptr || dead_ || call_of(*stream).answered) return;
  respond(*stream, std::move(response));
  flush_soon();
}

size_t Http2ServerConnection::unsent() {
  size_t bytes = session_.output().size();
  session_.each_stream([&](const Stream& stream) { bytes += stream.body.left(); });
  return bytes;
}

// Requests are given out after the session has returned: a handler may answer at once. Those of a
// peer that does not take its answers wait.
void Http2ServerConnection::give_out() {
  while (!ready_.empty() && unsent() < kMostUnsent) {
    const uint32_t id = ready_.front();
    ready_.pop_front();
    const Stream* const stream = session_.find(id);
    if (stream == nullptr || dead_) continue;
    Call& call = call_of(*stream);
    if (call.answered) continue;
    // The handler may answer at once, which ends the call: what the answer needs stays with it.
    Request request = std::move(call.request);
    request.body = std::move(call.body).take();
    call.request = {};
    call.request.method = request.method;
    call.request.head = request.head;
    if (core_->options.cors)
      call.request.headers = {{"origin", std::string(request.header("origin"))}};
    if (auto permission = door_.preflight(request)) {
      call.permission = true;
      answer(id, std::move(*permission));
    } else {
      door_.handle(request, id);
    }
  }
}

// Several answers within one turn of the loop become one write.
void Http2ServerConnection::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  core_->loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->flush_posted_ = false;
      self->give_out();
      self->flush();
    }
  });
}

void Http2ServerConnection::flush() {
  if (writing_ || dead_) return;
  const http2::Flushed flushed = http2::flush(session_, *transport_);
  if (flushed.error) return close();
  if (flushed.blocked) {
    writing_ = true;
    blocked_since_ns_ = core_->loop.clock().monotonic_ns();
    asio::co_spawn(core_->loop.impl().io, write_rest(shared_from_this()), asio::detached);
    return;
  }
  if (!ready_.empty() && unsent() < kMostUnsent) flush_soon();
  if (session_.finished()) close();
}

asio::awaitable<void> Http2ServerConnection::write_rest(
    std::shared_ptr<Http2ServerConnection> self) {
  Http2ServerConnection& c = *self;
  // Taken out: what the session says meanwhile must not move what is being written.
  const auto error =
      co_await http2::write_all(std::exchange(c.session_.output(), {}), *c.transport_);
  c.writing_ = false;
  c.blocked_since_ns_ = 0;
  if (error) {
    c.close();
  } else {
    c.flush();
  }
}

asio::awaitable<void> Http2ServerConnection::serve(std::shared_ptr<Http2ServerConnection> self,
                                                   std::string first) {
  Http2ServerConnection& c = *self;
  std::string_view bytes = first;
  while (!c.dead_) {
    const bool ok = c.session_.receive(bytes);
    c.give_out();
    c.flush();  // Where the session is over, a GOAWAY says why.
    if (!ok || c.dead_) break;
    if (const auto error = co_await c.transport_->wait_readable(); error || c.dead_) break;
    const auto [error, n] = c.transport_->read(asio::buffer(read_buffer(), kReadSize));
    if (error && error != asio::error::would_block && error != asio::error::try_again) break;
    bytes = {read_buffer(), n};
  }
  c.close();
}

void Http2ServerConnection::tick(int64_t now_ns) {
  if (dead_) return;
  const HttpServerOptions& limits = core_->options;
  session_.tick(now_ns);
  if (std::exchange(retiring_, false)) {
    session_.goaway(http2::Code::NoError);
    flush_soon();
  }
  if (blocked_since_ns_ != 0 && now_ns - blocked_since_ns_ > limits.write_timeout.count()) {
    return close();
  }
  if (stalled(now_ns)) return close();
  // A peer that does not greet has as long as one that does not finish a header.
  const Duration idle = session_.greeted() ? limits.idle_timeout : limits.header_timeout;
  if (calls_.empty() && now_ns - idle_since_ns_ > idle.count()) {
    session_.goaway(http2::Code::NoError);
    return flush();
  }
  std::vector<uint32_t> late;
  for (const auto& [id, call] : calls_) {
    if (!call->answered && now_ns > call->deadline_ns) late.push_back(id);
  }
  for (const uint32_t id : late) {
    if (Stream* const stream = session_.find(id)) {
      refuse(*stream, {408, "the request did not arrive in time"});
    }
  }
  if (!late.empty()) flush_soon();
}

// The socket takes what is written, but the peer opens no window for the rest.
bool Http2ServerConnection::stalled(int64_t now_ns) {
  const size_t left = unsent();
  if (left != std::exchange(stalled_at_, left)) stalled_since_ns_ = now_ns;
  return left > 0 && now_ns - stalled_since_ns_ > core_->options.write_timeout.count();
}

// In two steps (RFC 9113 section 6.8): a notice first, and at the next tick, when requests that
// were on their way have come, which was the last.
void Http2ServerConnection::drain() {
  if (dead_) return;
  retiring_ = true;
  session_.notice();
  flush_soon();
}

void Http2ServerConnection::close() {
  if (std::exchange(dead_, true)) return;
  transport_->close();
}

}  // namespace sonde::net
