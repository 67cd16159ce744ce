// The few calls of the operating system that Swift's own modules do not show, or show differently
// on each system. Every function is small, allocates nothing unless it says so, and returns 0 or an
// errno value unless it says otherwise.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Nanoseconds of a clock that never jumps and is not slewed.
uint64_t chost_monotonic_ns(void);
/// Nanoseconds since 1970 (UTC).
int64_t chost_wall_ns(void);
/// Lets freed blocks of `size` bytes and more go back to the system, where the C library can be told so.
void chost_return_blocks(size_t size);

/// Binds the calling thread to the processors in `cpus`.
int chost_set_affinity(const int *cpus, size_t count);
/// The processors that the calling thread may use; returns how many, of which at most `capacity`
/// are written.
size_t chost_get_affinity(int *cpus, size_t capacity);
/// Sets the calling thread's niceness.
int chost_set_thread_niceness(int niceness);
/// Asks for SIGKILL when the parent dies; fails with ESRCH when it is dead already.
int chost_die_with_parent(pid_t parent);
/// Whether `fd` is a terminal; `columns` becomes its width, or 0 when it does not tell.
bool chost_terminal(int fd, int *columns);
/// Total physical memory in bytes; 0 when unknown.
uint64_t chost_physical_memory(void);
/// Processors online.
int chost_processor_count(void);

/// One descriptor that a child gets under the number `target`.
typedef struct {
  int source;
  int target;
} CHostDescriptor;

/// Starts `path` with those descriptors and no other (all of ours are close-on-exec), with default
/// signal handling.
int chost_spawn(
  pid_t *child, const char *path, char *const arguments[], char *const environment[],
  const CHostDescriptor *descriptors, size_t count);

/// The variables of this process, ended by null.
char **chost_environment(void);

/// How a child ended.
typedef struct {
  int32_t state;  // 0 running, 1 exited, 2 killed by a signal, -1 unknown
  int32_t value;  // exit status or signal
  int64_t peak_memory;  // bytes, of the child alone
} CHostExit;

/// Looks (or waits, when `wait`) for the end of a child.
CHostExit chost_wait(pid_t child, bool wait);

/// A thread with its own stack, outside every pool. `main` must return.
typedef struct {
  uint64_t handle;
} CHostThread;
int chost_thread_start(CHostThread *thread, void *(*main)(void *), void *argument, size_t stack);
int chost_thread_join(CHostThread thread);

/// Whether a process, this one or another, has a file open for writing; false where the system or the
/// file system does not tell.
bool chost_is_being_written(const char *path);

/// A pipe whose ends are close-on-exec.
int chost_pipe(int *read_end, int *write_end);
/// Waits until one of `fds` can be read or is closed; bit i of `ready` tells of fds[i]. At most 8.
int chost_poll_read(const int *fds, size_t count, int timeout_ms, uint32_t *ready);
