#define _GNU_SOURCE
#include "CRunner.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int crunner_begin(void) {
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A runtime may print what it likes; only answers may stand between answers.
  int answers = dup(1);
  if (answers >= 0) dup2(2, 1);
  return answers;
}

// Swift seeds its hashing with this; the C library has it since glibc 2.36 only, and boards have older ones.
void arc4random_buf(void *bytes, size_t count) {
  unsigned char *next = bytes;
  while (count > 0) {
    ssize_t got = getrandom(next, count < 256 ? count : 256, 0);
    if (got < 0 && errno != EINTR) abort();
    if (got > 0) {
      next += got;
      count -= (size_t)got;
    }
  }
}

void crunner_limit(unsigned seconds) { alarm(seconds); }
int crunner_process(void) { return (int)getpid(); }

int64_t crunner_read(int descriptor, void *bytes, size_t count) {
  ssize_t got;
  do got = read(descriptor, bytes, count);
  while (got < 0 && errno == EINTR);
  return got;
}

int64_t crunner_write(int descriptor, const void *bytes, size_t count) {
  ssize_t put;
  do put = write(descriptor, bytes, count);
  while (put < 0 && errno == EINTR);
  return put;
}

int crunner_open(const char *path, bool writes) {
  return writes ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                : open(path, O_RDONLY | O_CLOEXEC);
}

void crunner_close(int descriptor) { close(descriptor); }
void crunner_remove(const char *path) { unlink(path); }

uint64_t crunner_busy_ns(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return 0;
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void crunner_sleep(uint64_t nanoseconds) {
  struct timespec left = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

int crunner_forget(const char *path, uint64_t *cached, uint64_t *total) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  struct stat status;
  int result = fstat(file, &status) == 0 ? 0 : errno;
  *cached = *total = 0;
  if (result == 0 && status.st_size > 0) {
    // What is not written yet cannot be forgotten.
    fdatasync(file);
    result = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = ((size_t)status.st_size + page - 1) / page;
    void *address = result == 0 ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
    unsigned char *map = malloc(pages);
    if (result == 0 && address != MAP_FAILED && map != NULL && mincore(address, (size_t)status.st_size, map) == 0) {
      for (size_t index = 0; index < pages; index++) *cached += map[index] & 1;
      *total = pages;
    } else if (result == 0) {
      result = ENOSYS;
    }
    if (address != MAP_FAILED) munmap(address, (size_t)status.st_size);
    free(map);
  }
  close(file);
  return result;
}

void crunner_format(double value, char *buffer, size_t capacity) {
  snprintf(buffer, capacity, "%.17g", value);
}

void *crunner_load(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
void *crunner_symbol(void *library, const char *name) { return dlsym(library, name); }
const char *crunner_load_error(void) { return dlerror(); }
char *crunner_copy(const char *text) { return strdup(text); }
void crunner_free(void *pointer) { free(pointer); }
