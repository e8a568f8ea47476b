// SPDX-License-Identifier: Apache-2.0
// `${http://host/path}` and `--config http://host/path`: one GET, of ten seconds and 16 MiB at
// most, on a loop of its own, so that it works before the engine has one. An answer that is not 200
// is an error. https is not there yet: its scheme is refused with the schemes there are.
#pragma once

#include "config/providers.h"

namespace sonde::app {

config::Provider http_provider();

}  // namespace sonde::app
