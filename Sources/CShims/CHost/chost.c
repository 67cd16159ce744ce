#define _GNU_SOURCE
#include "CHost.h"

#include <errno.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

void chost_return_blocks(size_t size) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, (int)size);
#else
  (void)size;
#endif
}

uint64_t chost_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t chost_wall_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_nsec;
}

int chost_set_affinity(const int *cpus, size_t count) {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t i = 0; i < count; i++) {
    if (cpus[i] < 0 || cpus[i] >= CPU_SETSIZE) return EINVAL;
    CPU_SET(cpus[i], &set);
  }
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
#else
  (void)cpus;
  (void)count;
  return ENOTSUP;
#endif
}

size_t chost_get_affinity(int *cpus, size_t capacity) {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (pthread_getaffinity_np(pthread_self(), sizeof set, &set) != 0) return 0;
  size_t count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &set)) continue;
    if (count < capacity) cpus[count] = cpu;
    count++;
  }
  return count;
#else
  (void)cpus;
  (void)capacity;
  return 0;
#endif
}

int chost_set_thread_niceness(int niceness) {
#if defined(__linux__)
  // On Linux the priority of a "process" given by a thread's id is that thread's own.
  return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), niceness) == 0 ? 0 : errno;
#else
  (void)niceness;
  return ENOTSUP;
#endif
}

int chost_die_with_parent(pid_t parent) {
#if defined(__linux__)
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  return getppid() == parent ? 0 : ESRCH;
#else
  (void)parent;
  return ENOTSUP;
#endif
}

bool chost_terminal(int fd, int *columns) {
  *columns = 0;
  if (!isatty(fd)) return false;
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) == 0) *columns = size.ws_col;
  return true;
}

uint64_t chost_physical_memory(void) {
  long pages = sysconf(_SC_PHYS_PAGES);
  long size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

int chost_processor_count(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}

int chost_spawn(
  pid_t *child, const char *path, char *const arguments[], char *const environment[],
  const CHostDescriptor *descriptors, size_t count) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  int status = posix_spawn_file_actions_init(&actions);
  if (status != 0) return status;
  status = posix_spawnattr_init(&attributes);
  if (status != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return status;
  }
  for (size_t i = 0; i < count && status == 0; i++) {
    status = posix_spawn_file_actions_adddup2(
      &actions, descriptors[i].source, descriptors[i].target);
  }
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  if (status == 0) status = posix_spawnattr_setsigmask(&attributes, &none);
  if (status == 0) status = posix_spawnattr_setsigdefault(&attributes, &all);
  if (status == 0) {
    status = posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  if (status == 0) {
    status = posix_spawn(child, path, &actions, &attributes, arguments, environment);
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

extern char **environ;
char **chost_environment(void) { return environ; }

CHostExit chost_wait(pid_t child, bool wait) {
  CHostExit result = {0, 0, 0};
  int status = 0;
  struct rusage usage;
  memset(&usage, 0, sizeof usage);
  pid_t found;
  do {
    found = wait4(child, &status, wait ? 0 : WNOHANG, &usage);
  } while (found < 0 && errno == EINTR);
  if (found == 0) return result;
  if (found != child) {
    result.state = -1;
    result.value = errno;
    return result;
  }
#if defined(__APPLE__)
  result.peak_memory = usage.ru_maxrss;
#else
  result.peak_memory = (int64_t)usage.ru_maxrss * 1024;
#endif
  if (WIFSIGNALED(status)) {
    result.state = 2;
    result.value = WTERMSIG(status);
  } else {
    result.state = 1;
    result.value = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  return result;
}

int chost_thread_start(CHostThread *thread, void *(*main)(void *), void *argument, size_t stack) {
  pthread_attr_t attributes;
  pthread_t handle;
  int status = pthread_attr_init(&attributes);
  if (status != 0) return status;
  if (stack > 0) status = pthread_attr_setstacksize(&attributes, stack);
  if (status == 0) status = pthread_create(&handle, &attributes, main, argument);
  pthread_attr_destroy(&attributes);
  if (status == 0) thread->handle = (uint64_t)(uintptr_t)handle;
  return status;
}

int chost_thread_join(CHostThread thread) {
  return pthread_join((pthread_t)(uintptr_t)thread.handle, NULL);
}

bool chost_is_being_written(const char *path) {
#if defined(__linux__)
  // A lease for reading is given only while nobody writes. Who comes to write while it is held is told by
  // a signal, which by default would end this process: one that is ignored by default is taken.
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  fcntl(file, F_SETSIG, SIGURG);
  bool written = fcntl(file, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
  close(file);
  return written;
#else
  (void)path;
  return false;
#endif
}

int chost_pipe(int *read_end, int *write_end) {
  int ends[2];
#if defined(__linux__)
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
#else
  if (pipe(ends) != 0) return errno;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

int chost_poll_read(const int *fds, size_t count, int timeout_ms, uint32_t *ready) {
  struct pollfd list[8];
  *ready = 0;
  if (count > 8) return EINVAL;
  for (size_t i = 0; i < count; i++) {
    list[i].fd = fds[i];
    list[i].events = POLLIN;
    list[i].revents = 0;
  }
  int found = poll(list, (nfds_t)count, timeout_ms);
  if (found < 0) return errno;
  for (size_t i = 0; i < count; i++) {
    if (list[i].revents != 0) *ready |= 1u << i;
  }
  return 0;
}
