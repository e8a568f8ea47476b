// SPDX-License-Identifier: Apache-2.0
#include "sink.h"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "data/wire.h"
#include "data_set.h"

namespace sonde::bench {
namespace {

bool inflate_into(std::string_view body, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  out.resize(std::max(out.capacity(), body.size() * 8));
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream.total_out == out.size()) out.resize(out.size() * 2);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + stream.total_out);
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    result = inflate(&stream, Z_NO_FLUSH);
    if (result == Z_BUF_ERROR && stream.avail_out == 0) result = Z_OK;
  }
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return result == Z_STREAM_END;
}

// The first field of this number that is a message or a string.
std::string_view first(std::string_view message, uint32_t number) {
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    if (field.number == number && field.type == proto::Type::Bytes) return field.bytes;
  }
  return {};
}

// The number of the request that a resource came in: its first attribute.
std::optional<uint64_t> number_of(std::string_view resource_and_items) {
  const std::string_view attribute = first(first(resource_and_items, 1), 1);
  if (first(attribute, 1) != kNumberKey) return std::nullopt;
  proto::Reader value(first(attribute, 2));
  proto::Field field;
  if (!value.next(field) || field.number != 3) return std::nullopt;
  return field.value;
}

Signal signal_of(std::string_view path) {
  if (path.find(".logs.") != std::string_view::npos) return Signal::Logs;
  return path.find(".metrics.") != std::string_view::npos ? Signal::Metrics : Signal::Traces;
}

}  // namespace

Result<std::unique_ptr<Sink>> Sink::listen(net::Loop& loop, const std::string& address,
                                           double items_per_second, Arrived arrived,
                                           std::function<void()> taken) {
  std::unique_ptr<Sink> sink(
      new Sink(loop, items_per_second, std::move(arrived), std::move(taken)));
  sink->server_ = TRY(net::GrpcServer::listen(
      loop, address,
      [at = sink.get()](net::GrpcRequest request, net::GrpcResponder responder) {
        at->take(std::move(request), std::move(responder));
      },
      {.max_message = size_t{1} << 30}));
  return sink;
}

void Sink::take(net::GrpcRequest request, net::GrpcResponder responder) {
  count_.requests++;
  count_.bytes += request.message.size();
  std::string_view body = request.message.view();
  if (!request.encoding.empty()) {
    if (!inflate_into(body, inflated_)) {
      count_.malformed++;
      return responder.fail({.code = net::GrpcCode::InvalidArgument,
                             .message = "the message is not gzip",
                             .details = {}});
    }
    body = inflated_;
  }
  const uint64_t items = count_records(signal_of(request.path), body);
  count_.items += items;
  proto::Reader reader(body);
  proto::Field field;
  while (reader.next(field)) {
    if (const auto number = number_of(field.bytes)) arrived_(*number);
  }
  taken_();
  if (rate_ <= 0) return responder.respond({});
  const int64_t now = loop_.clock().monotonic_ns();
  busy_until_ns_ = std::max(busy_until_ns_, now) +
                   static_cast<int64_t>(static_cast<double>(items) * 1e9 / rate_);
  ++unanswered_;
  loop_.after(Duration(busy_until_ns_ - now), [this, answer = std::move(responder)]() mutable {
    answer.respond({});
    --unanswered_;
  });
}

}  // namespace sonde::bench
