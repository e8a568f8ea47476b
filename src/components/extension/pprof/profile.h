// SPDX-License-Identifier: Apache-2.0
// A profile in the form that pprof reads (profile.proto of github.com/google/pprof), not yet
// compressed: same stacks joined, functions named as far as symbols are there.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "components/extension/pprof/sampler.h"
#include "components/extension/pprof/symbols.h"

namespace sonde::pprof {

using ReadSymbols = std::function<SymbolTable(const std::string& file)>;

std::string encode_profile(const Samples& samples, std::span<const Mapping> mappings,
                           const ReadSymbols& read, int64_t started_unix_ns, Duration took);

}  // namespace sonde::pprof
