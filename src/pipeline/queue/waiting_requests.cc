// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/waiting_requests.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace sonde::pipeline {
namespace {

constexpr uint64_t kLoadedBytes = uint64_t{32} << 20;

std::vector<std::string> lower_all(std::vector<std::string> words) {
  for (std::string& word : words) word = lower(word);
  return words;
}

}  // namespace

WaitingRequests::WaitingRequests(const QueueSettings& settings)
    : batch_(settings.enabled && settings.batch ? &*settings.batch : nullptr),
      in_bytes_(batch_ && settings.batch_counts() == "bytes"),
      keys_(batch_ ? lower_all(batch_->partition.metadata_keys) : std::vector<std::string>()),
      only_(lines_[""]) {}

WaitingRequests::Line& WaitingRequests::line_of(const QueuedRequest& request) {
  if (keys_.empty()) return only_;
  auto context = std::make_shared<RequestContext>();
  std::string key;
  for (const std::string& name : keys_) {
    size_t values = 0;
    if (request.batch.context) {
      for (const auto& pair : request.batch.context->metadata) {
        if (pair.first != name) continue;
        context->metadata.push_back(pair);
        // With their lengths, so that no value can look like the end of another.
        key += std::to_string(pair.second.size()) + ":" + pair.second;
        ++values;
      }
    }
    key += "#" + std::to_string(values) + ";";
  }
  Line& line = lines_[key];
  if (line.key.empty()) {
    line.key = key;
    line.context = std::move(context);
  }
  return line;
}

void WaitingRequests::push(QueuedRequest request) {
  Line& line = line_of(request);
  line.size += size_of(request);
  ++count_;
  if (request.room.on_disk() && !request.unloaded) {
    if (loaded_bytes_ + request.bytes > kLoadedBytes) {
      request.batch = Batch(request.batch.signal, {});
      request.unloaded = true;
    } else {
      loaded_bytes_ += request.bytes;
    }
  }
  if (!request.unloaded) bytes_ += request.bytes;
  line.requests.push_back(std::move(request));
}

QueuedRequest WaitingRequests::pop(Line& line) {
  QueuedRequest request = std::move(line.requests.front());
  line.requests.pop_front();
  line.size -= size_of(request);
  --count_;
  if (request.unloaded) return request;
  bytes_ -= request.bytes;
  if (request.room.on_disk()) loaded_bytes_ -= request.bytes;
  return request;
}

void WaitingRequests::push_front(Line& line, QueuedRequest request) {
  line.size += size_of(request);
  ++count_;
  if (!request.unloaded) {
    bytes_ += request.bytes;
    if (request.room.on_disk()) loaded_bytes_ += request.bytes;
  }
  line.requests.push_front(std::move(request));
}

void WaitingRequests::leave(Line& line) {
  if (&line == &only_ || !line.requests.empty()) return;
  const std::string key = line.key;
  lines_.erase(key);
}

WaitingRequests::Line* WaitingRequests::ready(int64_t now_ns, bool flush, Duration& wait) {
  wait = {};
  if (!batch_) return only_.requests.empty() ? nullptr : &only_;
  Line* found = nullptr;
  for (auto& [key, line] : lines_) {
    if (line.requests.empty()) continue;
    const int64_t since = line.requests.front().queued_ns;
    const Duration left = batch_->flush_timeout - Duration(now_ns - since);
    if (flush || line.size >= batch_->min_size || left <= Duration{}) {
      if (!found || since < found->requests.front().queued_ns) found = &line;
    } else if (wait == Duration{} || left < wait) {
      wait = left;
    }
  }
  return found;
}

void WaitingRequests::clear() {
  for (auto& [key, line] : lines_) {
    line.requests.clear();
    line.size = 0;
  }
  count_ = 0;
  bytes_ = loaded_bytes_ = 0;
}

}  // namespace sonde::pipeline
