// The system calls of the runner on a device. It is built without a Swift standard library of its own
// for the target, so that these few declarations stand for the C library's headers.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The C library's own.
double erfc(double);
double exp(double);
double sin(double);
double log(double);
double log1p(double);
double expm1(double);
double lgamma(double);
double pow(double, double);
double sqrt(double);

/// Nanoseconds of a clock that never jumps and is not slewed (CHost's).
uint64_t chost_monotonic_ns(void);
/// A thread with its own stack (CHost's). `main` must return.
typedef struct {
  uint64_t handle;
} CHostThread;
int chost_thread_start(CHostThread *thread, void *(*main)(void *), void *argument, size_t stack);
int chost_thread_join(CHostThread thread);
/// Binds the calling thread to the processors in `cpus` (CHost's).
int chost_set_affinity(const int *cpus, size_t count);

/// Gets ready: answers keep their descriptor, what runtimes print goes to standard error, a closed pipe
/// is an error, and the system kills this process when its parent dies. Returns the answers' descriptor.
int crunner_begin(void);
/// Kills this process when it is still busy after so many seconds; 0 calls it off.
void crunner_limit(unsigned seconds);
int crunner_process(void);
/// Bytes read, 0 at the end, or less than 0.
int64_t crunner_read(int descriptor, void *bytes, size_t count);
int64_t crunner_write(int descriptor, const void *bytes, size_t count);
/// A descriptor, or less than 0.
int crunner_open(const char *path, bool writes);
void crunner_close(int descriptor);
void crunner_remove(const char *path);
/// Nanoseconds that this process spent on processors.
uint64_t crunner_busy_ns(void);
/// Waits.
void crunner_sleep(uint64_t nanoseconds);
/// Asks the system to forget a file's pages, and tells how many of its pages are in memory then; 0 when it
/// can and tells.
int crunner_forget(const char *path, uint64_t *cached, uint64_t *total);
/// A number's text with 17 digits, ended by NUL.
void crunner_format(double value, char *buffer, size_t capacity);

/// Loads a shared library so that its symbols stay its own; null with the loader's words kept.
void *crunner_load(const char *path);
void *crunner_symbol(void *library, const char *name);
const char *crunner_load_error(void);
/// Copies a text that `free` releases.
char *crunner_copy(const char *text);
void crunner_free(void *pointer);
