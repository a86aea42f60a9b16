// Local arrays that the kernel fills: nothing is stored in them before the call that fills them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "TestSupport.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DATAGRAM = 100000, STEP = 2048 };

// One frame each: a small frame that a later call finds committed would hide what is tested.
__attribute__((noinline)) static ssize_t fill_by_read(int file, size_t bytes) {
    char array[bytes];
    return read(file, array, bytes);
}

__attribute__((noinline)) static ssize_t fill_by_readv(int file, size_t bytes) {
    char array[bytes];
    struct iovec parts[] = {{array, bytes / 3}, {array + bytes / 3, bytes / 3}, {array + bytes / 3 * 2, bytes / 3}};
    ssize_t length = readv(file, parts, 3);
    return length == (ssize_t)(bytes / 3 * 3) ? (ssize_t)bytes : length;
}

__attribute__((noinline)) static ssize_t fill_by_recv(int file, size_t bytes) {
    char array[bytes];
    return recv(file, array, bytes, 0);
}

__attribute__((noinline)) static ssize_t fill_by_getdents(int file, size_t bytes) {
    char array[bytes];
    return syscall(SYS_getdents64, file, array, bytes);
}

__attribute__((noinline)) static ssize_t fill_by_fread(FILE *file, size_t bytes) {
    char array[bytes];
    return (ssize_t)fread(array, 1, bytes, file);
}

static int wrong(ssize_t length, size_t wanted) { return length == (ssize_t)wanted ? 0 : length < 0 ? errno : EIO; }

static int datagram_into_frame(size_t bytes) {
    static const char content[DATAGRAM];
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends)) return errno;
    size_t length = bytes < DATAGRAM ? bytes : DATAGRAM;
    int error = wrong(send(ends[0], content, length, 0), length);
    if (!error) error = wrong(fill_by_recv(ends[1], bytes), length);
    close(ends[0]);
    close(ends[1]);
    return error;
}

// As many entries as into an array that is no stack's.
static int entries_into_frame(size_t bytes) {
    static char elsewhere[1 << 20];
    int folder = open("/usr/bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno;
    long length = syscall(SYS_getdents64, folder, elsewhere, bytes);
    int error = length < 0 ? errno : lseek(folder, 0, SEEK_SET) ? errno : 0;
    if (!error) error = wrong(fill_by_getdents(folder, bytes), (size_t)length);
    close(folder);
    return error;
}

static int zeros_into_frame(ts_filling filling, size_t bytes) {
    FILE *file = fopen("/dev/zero", "re");
    if (!file) return errno;
    ssize_t length = filling == TS_FILLING_READ    ? fill_by_read(fileno(file), bytes)
                     : filling == TS_FILLING_READV ? fill_by_readv(fileno(file), bytes)
                                                   : fill_by_fread(file, bytes);
    int error = wrong(length, bytes);
    fclose(file);
    return error;
}

int ts_fill_frame(ts_filling filling, size_t bytes) {
    switch (filling) {
    case TS_FILLING_RECV: return datagram_into_frame(bytes);
    case TS_FILLING_GETDENTS: return entries_into_frame(bytes);
    case TS_FILLING_READ:
    case TS_FILLING_READV:
    case TS_FILLING_FREAD: return zeros_into_frame(filling, bytes);
    }
}

// A stack that moves relocates `top`, which points into it; the address to arrive at would lead elsewhere then.
__attribute__((noinline)) static void descend(const char *top, size_t depth, void (*body)(void *), void *context) {
    volatile char frame[STEP];
    frame[0] = frame[STEP - 1] = 1;
    if ((uintptr_t)top - (uintptr_t)frame + STEP >= depth) {
        body(context);
    } else {
        descend(top, depth, body, context);
    }
    frame[0] = 2;
}

void ts_at_depth(size_t depth, void (*body)(void *), void *context) {
    descend(__builtin_frame_address(0), depth, body, context);
}
