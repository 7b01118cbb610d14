/* For `make another-day`: what Debian's libfaketime 0.9.10 leaves out. Loaded before it, into all that tests start.

   Sleeps: told to leave the monotonic clock alone, it still counts the days ahead into sleeps until a moment of that
   clock, as Python's time.sleep asks for, and the kernel refuses them.

   Times of files: they stay those of today. What was just written would look as old as the clock is ahead, and be removed
   as left behind. So the days are added where a time is read, and taken off where one is set. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
    return syscall(SYS_clock_nanosleep, clock, flags, wanted, left) ? errno : 0;
}

/* Seconds; FAKETIME is written as days: +400d. */
static long ahead(void) {
    const char *days = getenv("FAKETIME");
    return days ? atol(days) * 86400 : 0;
}

static int read_times(int folder, const char *path, struct stat *found, int flags) {
    if (syscall(SYS_newfstatat, folder, path, found, flags)) {
        return -1;
    }
    found->st_atim.tv_sec += ahead();
    found->st_mtim.tv_sec += ahead();
    found->st_ctim.tv_sec += ahead();
    return 0;
}

int fstatat(int folder, const char *path, struct stat *found, int flags) {
    return read_times(folder, path, found, flags);
}

int stat(const char *path, struct stat *found) { return read_times(AT_FDCWD, path, found, 0); }

int lstat(const char *path, struct stat *found) { return read_times(AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW); }

int fstat(int file, struct stat *found) { return read_times(file, "", found, AT_EMPTY_PATH); }

/* The same under the names that large files gave them. */
int fstatat64(int folder, const char *path, struct stat64 *found, int flags) {
    return read_times(folder, path, (struct stat *)found, flags);
}

int stat64(const char *path, struct stat64 *found) { return stat(path, (struct stat *)found); }

int lstat64(const char *path, struct stat64 *found) { return lstat(path, (struct stat *)found); }

int fstat64(int file, struct stat64 *found) { return fstat(file, (struct stat *)found); }

static int set_times(int folder, const char *path, const struct timespec *times, int flags) {
    struct timespec set[2];
    for (int which = 0; times && which < 2; which++) {
        set[which] = times[which];
        if (set[which].tv_nsec != UTIME_NOW && set[which].tv_nsec != UTIME_OMIT) {
            set[which].tv_sec -= ahead();
        }
    }
    return syscall(SYS_utimensat, folder, path, times ? set : NULL, flags);
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags) {
    return set_times(folder, path, times, flags);
}

int futimens(int file, const struct timespec times[2]) { return set_times(file, NULL, times, 0); }
