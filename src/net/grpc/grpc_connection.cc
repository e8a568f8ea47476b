// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/internal/grpc_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "net/compression/compression.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

constexpr size_t kReadSize = 64 * 1024;
constexpr size_t kMaxTrailer = 8 * 1024;  // of one value that is kept

// One for the thread: a connection reads into it and has handed everything on before it waits.
char* read_buffer() {
  thread_local std::unique_ptr<char[]> buffer(new char[kReadSize]);
  return buffer.get();
}

GrpcCall& call_of(const http2::Stream& stream) { return *static_cast<GrpcCall*>(stream.user); }

Result<std::string> outcome_of(GrpcCall& call, http2::Code code) {
  if (call.broken) return std::unexpected(*call.broken);
  if (call.trailers.status || code == http2::Code::NoError) {
    if (auto status = grpc_outcome(call.trailers); !status) return std::unexpected(status.error());
    return call.reader.finish(call.trailers.encoding);
  }
  const bool retryable = code == http2::Code::Cancel || code == http2::Code::EnhanceYourCalm ||
                         code == http2::Code::RefusedStream;
  return fail(retryable ? ErrorKind::Unavailable : ErrorKind::Invalid,
              fmt::format("the peer reset the call: {}", http2::name_of(code)));
}

}  // namespace

void GrpcConnection::on_fields(Stream& stream, const http2::FieldsPtr& fields, bool) {
  GrpcTrailers& t = call_of(stream).trailers;
  for (const auto& [name, value] : fields->list) {
    const std::string_view text = std::string_view(value).substr(0, kMaxTrailer);
    if (name == ":status") {
      t.http_status = 0;
      for (const char c : text.substr(0, 3)) t.http_status = t.http_status * 10 + (c - '0');
    } else if (name == "grpc-status") {
      t.status = std::string(text);
    } else if (name == "grpc-encoding") {
      t.encoding = std::string(text);
    } else if (name == "grpc-message") {
      t.message = std::string(text);
    } else if (name == "grpc-retry-pushback-ms") {
      t.pushback = std::string(text);
    } else if (name == "grpc-status-details-bin") {
      t.details = std::string(text);
    }
  }
}

void GrpcConnection::on_data(Stream& stream, std::string_view bytes) {
  GrpcCall& call = call_of(stream);
  // The body of an answer that is not gRPC, such as a proxy's error page, says nothing to us.
  if (call.broken || call.trailers.http_status != 200) return;
  auto fed = call.reader.feed(bytes);
  if (fed) return;
  call.broken = std::move(fed.error());
  session_->reset(stream, http2::Code::Cancel);
}

void GrpcConnection::on_closed(Stream& stream, http2::Code code) {
  closed_.push_back({std::move(call_of(stream).held), code});
}

GrpcConnection::GrpcConnection(GrpcClient::Impl& owner)
    : owner_(owner.weak_from_this()),
      url_(*owner.url),
      authority_(owner.options.authority.empty() ? url_.authority() : owner.options.authority),
      user_agent_(owner.options.user_agent),
      timeout_header_(owner.timeout_header),
      connect_timeout_(owner.options.timeout),
      metadata_(owner.options.headers),
      loop_(owner.loop),
      tls_(owner.options.tls),
      proxy_(owner.options.proxy),
      dial_(owner.loop) {}

GrpcConnection::~GrpcConnection() {
  stop_pings();
  let_go();
}

// The calls that have a stream.
std::vector<GrpcCallPtr> GrpcConnection::let_go() {
  std::vector<GrpcCallPtr> calls;
  if (!session_) return calls;
  session_->each_stream([&](Stream& stream) {
    if (stream.user == nullptr) return;
    if (call_of(stream).held) calls.push_back(std::move(call_of(stream).held));
    stream.user = nullptr;  // Nothing else keeps the call.
  });
  return calls;
}

http2::HeaderBlock& GrpcConnection::head_of(const GrpcMethod& method) {
  for (auto& [known, head] : heads_) {
    if (known == &method) return head;
  }
  Headers fields = {{":method", "POST"},
                    {":scheme", tls_ ? "https" : "http"},
                    {":path", url_.path + method.path},
                    {":authority", authority_},
                    {"te", "trailers"},
                    {"content-type", "application/grpc"},
                    {"grpc-timeout", timeout_header_}};
  if (!user_agent_.empty()) fields.push_back({"user-agent", user_agent_});
  if (!method.encoding.empty()) {
    fields.push_back({"grpc-encoding", method.encoding});
    fields.push_back({"grpc-accept-encoding", std::string(accepted_encodings(Carrier::Grpc))});
  }
  fields.insert(fields.end(), metadata_.begin(), metadata_.end());
  return heads_.emplace_back(&method, http2::HeaderBlock{std::move(fields)}).second;
}

asio::awaitable<void> GrpcConnection::run(std::shared_ptr<GrpcConnection> self) {
  GrpcConnection& c = *self;
  const TimerId timer = c.loop_.after(c.connect_timeout_, [weak = c.weak_from_this()] {
    if (const auto late = weak.lock()) late->dial_.abandon();
  });
  auto made = co_await c.dial_.connect(c.url_.address, c.connect_timeout_, c.tls_, c.proxy_);
  c.loop_.cancel(timer);
  if (!made) {
    if (!c.dead_) c.abort(std::move(made.error().message));
    co_return c.end();
  }
  if (c.dead_) co_return c.end();
  c.transport_ = std::move(*made);
  http2::Session::Events& events = c;
  c.session_.emplace(http2::SessionOptions{.role = http2::Role::Client}, events);
  c.flush();
  while (!c.dead_) {
    if (const auto error = co_await c.transport_->wait_readable(); error || c.dead_) {
      if (!c.dead_) c.lost(error);
      break;
    }
    char* const in = read_buffer();
    const auto [error, n] = c.transport_->read(asio::buffer(in, kReadSize));
    if (error == asio::error::would_block || error == asio::error::try_again) continue;
    if (error) {
      c.lost(error);
      break;
    }
    c.received_ += n;
    if (c.pinged_) c.heard();
    const bool ok = c.session_->receive({in, n});
    c.flush();  // Where the session is over, a GOAWAY says why.
    if (!ok && !c.dead_) c.abort(c.session_->error());
    c.settle();
  }
  c.end();
}

void GrpcConnection::submit(const GrpcCallPtr& call) {
  call->connection = weak_from_this();
  call->received_before = received_;
  waiting_.push_back(call);
  if (session_) flush_soon();
}

// As many calls as the peer allows at once.
void GrpcConnection::start_waiting() {
  while (!waiting_.empty() && session_->can_open()) {
    const GrpcCallPtr call = std::move(waiting_.front());
    waiting_.pop_front();
    if (call->finished) continue;
    http2::Body body{grpc_prefix(call->message.size(), !call->method->encoding.empty()),
                     call->message};
    http2::HeaderBlock* head = &head_of(*call->method);
    http2::HeaderBlock own;
    if (!call->metadata.empty()) {
      own.fields = head->fields;
      own.fields.insert(own.fields.end(), call->metadata.begin(), call->metadata.end());
      head = &own;
    }
    call->stream = session_->open(*head, std::move(body), call.get())->id;
    call->held = call;
    if (ping_timer_ == 0) {
      if (const auto owner = owner_.lock()) watch_silence(owner->options.ping_after);
    }
  }
}

bool GrpcConnection::cancel(const GrpcCallPtr& call) {
  if (std::erase(waiting_, call) > 0) return true;
  if (dead_ || !session_) return false;
  Stream* const stream = session_->find(call->stream);
  if (stream == nullptr) return false;
  session_->reset(*stream, http2::Code::Cancel);
  flush();
  settle();
  return true;
}

// Several calls within one turn of the loop become one write.
void GrpcConnection::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flush_posted_ = false;
    self->flush();
    self->settle();
  });
}

void GrpcConnection::flush() {
  if (dead_ || !session_) return;
  start_waiting();
  if (writing_) return;
  const http2::Flushed flushed = http2::flush(*session_, *transport_);
  if (flushed.error) return lost(flushed.error);
  if (flushed.blocked) {
    writing_ = true;
    asio::co_spawn(loop_.impl().io, write_rest(shared_from_this()), asio::detached);
    return;
  }
  if (session_->finished()) {
    abort(session_->greeted() ? "the peer ended the connection" : "the peer does not speak HTTP/2");
  }
}

asio::awaitable<void> GrpcConnection::write_rest(std::shared_ptr<GrpcConnection> self) {
  GrpcConnection& c = *self;
  // Taken out: what the session says meanwhile must not move what is being written.
  const auto error =
      co_await http2::write_all(std::exchange(c.session_->output(), {}), *c.transport_);
  c.writing_ = false;
  if (error && !c.dead_) c.lost(error);
  c.flush();
  c.settle();
}

// Finishes what the callbacks collected. A user's callback may close the client, which only marks
// this connection dead; `self` keeps it in memory.
void GrpcConnection::settle() {
  const auto self = shared_from_this();
  const auto owner = owner_.lock();
  if (!owner) return;
  // After a GOAWAY nothing more goes out here.
  if (session_ && session_->closing()) {
    for (const auto& call : std::exchange(waiting_, {})) owner->retry(call, why_);
  }
  while (!closed_.empty()) {
    const auto closed = std::exchange(closed_, {});
    for (const auto& [call, code] : closed) {
      if (code == http2::Code::RefusedStream && !call->trailers.status) {
        owner->retry(call, "the peer refused the call");
      } else {
        owner->finish(call, outcome_of(*call, code));
      }
    }
  }
}

void GrpcConnection::lost(error_code error) {
  const bool closed = error == asio::error::eof;
  abort(fmt::format("lost the connection to {}: {}", url_.address.to_string(),
                    closed ? "closed by the peer" : error.message()));
}

void GrpcConnection::abort(std::string why) {
  if (std::exchange(dead_, true)) return;
  why_ = std::move(why);
  stop_pings();
  dial_.abandon();
  if (transport_) transport_->close();
}

void GrpcConnection::end() {
  dead_ = true;
  stop_pings();
  dial_.abandon();
  if (transport_) transport_->close();
  settle();
  const auto owner = owner_.lock();
  if (!owner) return;
  if (owner->connection.get() == this) owner->connection.reset();
  const bool connected = session_.has_value();
  for (const auto& call : std::exchange(waiting_, {})) {
    if (connected) {
      owner->retry(call, why_);
    } else {
      owner->finish(call, fail(ErrorKind::Unavailable, why_));
    }
  }
  for (const auto& call : let_go()) owner->finish(call, fail(ErrorKind::Unavailable, why_));
}

}  // namespace sonde::net
