// SPDX-License-Identifier: Apache-2.0
// The program. What a library throws past its own edge ends here as a message, not as a core dump.
#include <cstdio>
#include <exception>

#include "app/app.h"

int main(int argc, char** argv) {
  try {
    return sonde::app::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "sonde: %s\nThis is a mistake in sonde; please report it.\n", e.what());
    return 1;
  }
}
