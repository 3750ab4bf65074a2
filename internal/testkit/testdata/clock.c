// A clock that is off by CLOCK_OFF seconds, for one program (LD_PRELOAD). It asks the
// kernel itself: what asks the next library is asked by an allocator before it can.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef CLOCK_OFF
#error "CLOCK_OFF is not given"
#endif

int clock_gettime(clockid_t id, struct timespec *t) {
  int failed = (int)syscall(SYS_clock_gettime, id, t);
  if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += CLOCK_OFF;
  return failed;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
  struct timespec s;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &s)) return -1;
  t->tv_sec = s.tv_sec;
  t->tv_usec = s.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec s;
  if (clock_gettime(CLOCK_REALTIME, &s)) return -1;
  if (out) *out = s.tv_sec;
  return s.tv_sec;
}
