// SPDX-License-Identifier: Apache-2.0
//
// A Host for tests of single components: a virtual scheduler, leases of its own, and a sink that
// keeps what it is given. The loop is made when asked for and nobody runs it but the test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/virtual_scheduler.h"
#include "net/loop.h"
#include "pipeline/component.h"

namespace sonde::pipeline {

class TestHost final : public Host {
 public:
  explicit TestHost(std::string id = "test") : id_(std::move(id)) {}
  VirtualScheduler& scheduler() override { return scheduler_; }
  net::Loop& loop() override {
    if (!loop_) loop_ = std::make_unique<net::Loop>();
    return *loop_;
  }
  std::string_view id() const override { return id_; }
  Component* extension(std::string_view id) override {
    const auto at = extensions.find(id);
    return at == extensions.end() ? nullptr : at->second;
  }
  void report_status(Status status) override { statuses.push_back(std::move(status)); }
  std::map<std::string, Component*, std::less<>> extensions;
  Component* predecessor() override { return before; }
  Component* before = nullptr;
  std::vector<Status> statuses;

 private:
  std::shared_ptr<void> lease_erased(std::string_view identity, const std::type_info&,
                                     const std::function<std::shared_ptr<void>()>& make) override {
    auto& slot = leases_[std::string(identity)];
    if (!slot) slot = make();
    return slot;
  }

  std::string id_;
  VirtualScheduler scheduler_;
  std::unique_ptr<net::Loop> loop_;
  std::map<std::string, std::shared_ptr<void>> leases_;
};

// Keeps batches and settles their acknowledgements.
class CollectingSink final : public Sink {
 public:
  void consume(Batch batch) override {
    batch.ack.deliver();
    batches.push_back(std::move(batch));
  }
  std::vector<Batch> batches;
};

}  // namespace sonde::pipeline
