// SPDX-License-Identifier: Apache-2.0
// The app room: the command line. `sonde up` is no special path: it fills in a configuration (up.h)
// and runs it as `sonde run` would; `sonde print-config up` shows it. Messages say where, what and
// what to do, on stderr; the exit status is 2 for a mistake in the command line or configuration, 1
// for what failed while running, 0 otherwise.
#pragma once

#include <string>
#include <vector>

namespace sonde::app {

int run(std::vector<std::string> arguments);  // Without the program's name.

}  // namespace sonde::app
