// SPDX-License-Identifier: Apache-2.0
#include "base/admission.h"

namespace sonde {

constinit std::atomic<uint64_t> GateEpoch::epoch_{0};

Result<Admission> Admission::ask(std::shared_ptr<const Gates> gates, const Need& need,
                                 MemoryPromise promise) {
  Admission admission;
  admission.gates_ = std::move(gates);
  admission.promise_ = std::move(promise);
  TRY(admission.change(need));
  return admission;
}

Result<> Admission::change(const Need& to) {
  if (!gates_) return {};
  for (size_t i = 0; i < gates_->size(); ++i) {
    auto changed = (*gates_)[i]->change(need_, to);
    if (changed) continue;
    for (size_t j = 0; j < gates_->size(); ++j) {
      (void)(*gates_)[j]->change(j < i ? to : need_, {});
    }
    gates_.reset();
    need_ = {};
    return changed;
  }
  need_ = to;
  return {};
}

void Admission::end() {
  (void)change({});
  gates_.reset();
  redeem_memory();
}

}  // namespace sonde
