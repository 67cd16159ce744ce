#include "CAllocationCount.h"

#include <stddef.h>

static _Thread_local bool counting;
static _Thread_local uint64_t count;

void allocation_count_begin(void) {
  count = 0;
  counting = true;
}

uint64_t allocation_count_end(void) {
  counting = false;
  return count;
}

#if defined(__GLIBC__)
#include <errno.h>

// Defined in the executable, these are called instead of the C library's, which stay reachable under
// their other names.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static inline void note(void) {
  if (counting) count++;
}

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  note();
  return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
  note();
  return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  note();
  *block = __libc_memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}

bool allocation_count_works(void) { return true; }
#else
bool allocation_count_works(void) { return false; }
#endif
