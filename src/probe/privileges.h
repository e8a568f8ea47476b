// SPDX-License-Identifier: Apache-2.0
// Gives up what only loading BPF programs needed. Linux keeps capabilities a thread, so a thread
// that drops its own leaves those of all others: each has to do it itself, and is told by a signal.
#ifndef SONDE_PROBE_PRIVILEGES_H
#define SONDE_PROBE_PRIVILEGES_H

namespace sonde::probe {

// Leaves every thread of this process CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, which reading /proc
// of other users needs, as far as it has them, and no way to gain more (PR_SET_NO_NEW_PRIVS).
// System calls of other threads that a signal interrupts may answer EINTR once. False: a thread did
// not follow within a second, or the kernel refused. Not to be called by two threads at once.
bool drop_privileges();

}  // namespace sonde::probe

#endif
