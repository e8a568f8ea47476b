// SPDX-License-Identifier: Apache-2.0
// How many connections a process may have is bounded by its descriptors first.
#pragma once

namespace sonde::net {

// Raises the limit of descriptors to what the system allows this process without asking (from
// systemd's 1024 to 524288). Call once, before anything listens.
void raise_descriptor_limit();

}  // namespace sonde::net
