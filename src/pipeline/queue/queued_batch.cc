// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/queued_batch.h"

#include <cstring>
#include <memory>

#include "data/wire.h"

namespace sonde::pipeline {
namespace {

constexpr uint32_t kVersion = 1;
// Fields of the head, which is a protobuf message behind its version and its length.
constexpr uint32_t kItems = 1;
constexpr uint32_t kMetadata = 2;
constexpr uint32_t kPeer = 3;
constexpr uint32_t kName = 1;
constexpr uint32_t kValue = 2;
constexpr size_t kPrefix = 2 * sizeof(uint32_t);

std::unexpected<Error> unreadable() {
  return fail(ErrorKind::Invalid, "a batch of the persistent queue does not parse");
}

std::pair<std::string, std::string> pair_of(std::string_view bytes) {
  std::pair<std::string, std::string> out;
  proto::Reader reader(bytes);
  proto::Field field;
  while (reader.next(field)) {
    if (field.type != proto::Type::Bytes) continue;
    if (field.number == kName) out.first = std::string(field.bytes);
    if (field.number == kValue) out.second = std::string(field.bytes);
  }
  return out;
}

}  // namespace

std::string encode_queued_head(const Batch& batch) {
  std::string head(kPrefix, '\0');
  proto::Writer writer(head);
  writer.varint(kItems, batch.items());
  if (batch.context) {
    for (const auto& [name, value] : batch.context->metadata) {
      std::string pair;
      proto::Writer(pair).bytes(kName, name);
      proto::Writer(pair).bytes(kValue, value);
      writer.bytes(kMetadata, pair);
    }
    writer.bytes(kPeer, batch.context->peer);
  }
  const auto length = static_cast<uint32_t>(head.size() - kPrefix);
  std::memcpy(head.data(), &kVersion, sizeof kVersion);
  std::memcpy(head.data() + sizeof kVersion, &length, sizeof length);
  return head;
}

Result<Batch> decode_queued(Signal signal, const Bytes& record) {
  if (record.size() < kPrefix) return unreadable();
  uint32_t version = 0;
  uint32_t length = 0;
  std::memcpy(&version, record.data(), sizeof version);
  std::memcpy(&length, record.data() + sizeof version, sizeof length);
  if (version != kVersion || length > record.size() - kPrefix) return unreadable();
  Batch batch(signal, {});
  std::shared_ptr<RequestContext> context;
  proto::Reader reader(record.view().substr(kPrefix, length));
  proto::Field field;
  while (reader.next(field)) {
    if (field.number == kItems && field.type == proto::Type::Varint) {
      batch.set_items(field.value);
    } else if (field.type == proto::Type::Bytes) {
      if (!context) context = std::make_shared<RequestContext>();
      if (field.number == kMetadata) context->metadata.push_back(pair_of(field.bytes));
      if (field.number == kPeer) context->peer = std::string(field.bytes);
    }
  }
  if (!reader.ok()) return unreadable();
  batch.context = std::move(context);
  if (Bytes chunk = record.slice(kPrefix + length); !chunk.empty()) {
    batch.chunks.push_back(std::move(chunk));
  }
  return batch;
}

}  // namespace sonde::pipeline
