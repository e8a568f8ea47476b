// SPDX-License-Identifier: Apache-2.0
// A host on a real loop, for tests of components that talk over sockets. Not part of the library.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "pipeline/component.h"

namespace sonde::pipeline {

// The scheduler is the loop itself: an acknowledgement is posted to where the sockets are served.
class LoopHost final : public Host {
 public:
  explicit LoopHost(std::string id) : id_(std::move(id)) {}
  Scheduler& scheduler() override { return loop_; }
  net::Loop& loop() override { return loop_; }
  std::string_view id() const override { return id_; }
  Component* extension(std::string_view id) override {
    const auto at = extensions.find(id);
    return at == extensions.end() ? nullptr : at->second;
  }
  std::map<std::string, Component*, std::less<>> extensions;

 private:
  std::shared_ptr<void> lease_erased(std::string_view, const std::type_info&,
                                     const std::function<std::shared_ptr<void>()>& make) override {
    return make();
  }
  std::string id_;
  net::Loop loop_;
};

}  // namespace sonde::pipeline
