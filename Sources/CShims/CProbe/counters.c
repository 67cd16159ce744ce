#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "include/CProbe.h"
#if defined(__linux__)
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#endif

int cprobe_counter_open(CProbeEvent event, int *fd) {
  *fd = -1;
#if defined(__linux__)
  static const struct {
    uint32_t type;
    uint64_t config;
  } events[] = {
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
  };
  if ((size_t)event >= sizeof events / sizeof events[0]) return EINVAL;
  struct perf_event_attr wish;
  memset(&wish, 0, sizeof wish);
  wish.size = sizeof wish;
  wish.type = events[event].type;
  wish.config = events[event].config;
  wish.disabled = 1;
  wish.inherit = 1;
  // What the kernel does is not for every user to see; user code is.
  wish.exclude_kernel = event < CProbeTaskClock;
  wish.exclude_hv = 1;
  wish.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  long made = syscall(SYS_perf_event_open, &wish, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (made < 0) {
    if (event < CProbeTaskClock || (errno != EACCES && errno != EPERM)) return errno;
    wish.exclude_kernel = 1;
    made = syscall(SYS_perf_event_open, &wish, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (made < 0) return errno;
  }
  *fd = (int)made;
  return 0;
#else
  (void)event;
  return ENOTSUP;
#endif
}

CProbeReason cprobe_counter_reason(int status) {
  switch (status) {
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP: return CProbeNoCounter;
    case EACCES:
    case EPERM: return CProbeNotAllowed;
    case ENOSYS: return CProbeNotBuilt;
    default: return CProbeOtherReason;
  }
}

int cprobe_counter_switch(int fd, bool on) {
#if defined(__linux__)
  int wish = on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;
  return ioctl(fd, (unsigned long)wish, 0) == 0 ? 0 : errno;
#else
  (void)fd;
  (void)on;
  return ENOTSUP;
#endif
}

int cprobe_counter_read(int fd, uint64_t *value, uint64_t *enabled, uint64_t *running) {
  uint64_t figures[3] = {0, 0, 0};
  ssize_t count = read(fd, figures, sizeof figures);
  if (count < 0) return errno;
  if (count != (ssize_t)sizeof figures) return EIO;
  *value = figures[0];
  *enabled = figures[1];
  *running = figures[2];
  return 0;
}

void cprobe_counter_close(int fd) {
  if (fd >= 0) close(fd);
}
