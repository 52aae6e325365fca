/* Bytes as a file that has a path, without a disk. */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static inline int make_file(const void *data, size_t size)
{
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    CHECK(file >= 0);
    CHECK(size == 0 || write(file, data, size) == (ssize_t)size);
    CHECK(lseek(file, 0, SEEK_SET) == 0);
    return file;
}

/* Good until the next call. */
static inline const char *path_of(int file)
{
    static char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return path;
}

#endif
