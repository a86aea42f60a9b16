/// An allocator that is part of the executable and holds a lock while it works.
#ifndef FAULTLINE_LOCKING_ALLOCATOR_H
#define FAULTLINE_LOCKING_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

/// Recursion without an end, with a call of `malloc` and `free` at each level.
uint64_t la_allocate_forever(size_t size);

/// How often the lock was taken.
uint64_t la_locks(void);

#endif
