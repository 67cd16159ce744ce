#define _GNU_SOURCE
#include "CRunner.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

uint64_t crunner_busy_ns(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return 0;
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void crunner_format(double value, char *buffer, size_t capacity) {
  snprintf(buffer, capacity, "%.17g", value);
}

void *crunner_load(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
void *crunner_symbol(void *library, const char *name) { return dlsym(library, name); }
const char *crunner_load_error(void) { return dlerror(); }
char *crunner_copy(const char *text) { return strdup(text); }
void crunner_free(void *pointer) { free(pointer); }
