// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: the clock on the wall is so many seconds ahead as the file SONDE_CLOCK_JUMP says,
// an int64 that a test writes. Other clocks are left alone, as they are when somebody sets the time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t* shift;

static int64_t seconds(void) {
  if (!shift) {
    const char* const path = getenv("SONDE_CLOCK_JUMP");
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    void* const at = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED) return 0;
    shift = at;
  }
  return *shift;
}

int clock_gettime(clockid_t id, struct timespec* out) {
  const int result = (int)syscall(SYS_clock_gettime, id, out);
  if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) out->tv_sec += seconds();
  return result;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  const int result = (int)syscall(SYS_gettimeofday, out, zone);
  if (result == 0 && out) out->tv_sec += seconds();
  return result;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
