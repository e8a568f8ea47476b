// SPDX-License-Identifier: Apache-2.0
// What every processor that changes or drops items does around its editor: run it over each chunk,
// pass on what stays with the same acknowledgement and context, hand through untouched what nothing
// changed, and refuse what does not parse. A batch of which nothing stays was delivered: dropping
// it was asked for.
#pragma once

#include <string>
#include <string_view>

#include "data/edit.h"
#include "pipeline/component.h"

namespace sonde::pipeline {

class EditingProcessor : public Component, protected Editor {
 public:
  EditingProcessor(std::string_view id, Outputs outputs) : id_(id), outputs_(outputs) {}
  void consume(Batch batch) final;
  void gates(Signal signal, Gates& out) final { outputs_.gates(signal, out); }

 protected:
  // Called once a batch, with how many items were dropped from it.
  virtual void count_dropped(Signal, size_t) {}
  // Of the request in hand; null where nothing is known of it.
  const RequestContext* context() const { return context_; }
  const std::string& id() const { return id_; }
  const Outputs& outputs() const { return outputs_; }

 private:
  const std::string id_;
  const Outputs outputs_;
  Rewriter rewriter_;
  const RequestContext* context_ = nullptr;
};

}  // namespace sonde::pipeline
