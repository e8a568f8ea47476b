// SPDX-License-Identifier: Apache-2.0
// The program. What a library throws past its own edge ends here as a message, not as a core dump.
#include <malloc.h>

#include <cstdio>
#include <exception>

#include "app/app.h"
#include "net/socket/descriptors.h"

int main(int argc, char** argv) {
  // Giving memory back to the system after each batch and asking for it again with the next costs
  // page faults that are a good part of what forwarding a batch costs.
  mallopt(M_MMAP_THRESHOLD, 8 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  try {
    sonde::net::raise_descriptor_limit();
    return sonde::app::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "sonde: %s\nThis is a mistake in sonde; please report it.\n", e.what());
    return 1;
  }
}
