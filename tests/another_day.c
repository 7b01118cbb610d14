/* For `make another-day`: sleeps that libfaketime 0.9.10 breaks.

   Told to leave the monotonic clock alone, it still counts the days ahead into sleeps until a moment of that clock, as
   Python's time.sleep asks for, and the kernel refuses them. Loaded before it, this asks the kernel itself. */

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
    return syscall(SYS_clock_nanosleep, clock, flags, wanted, left) ? errno : 0;
}
