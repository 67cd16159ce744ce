// What the system tells about a measurement and what the machine can do at best: the page cache, the
// processor's counters, free space, and the loops that a roofline is measured with. Functions return
// 0 or an errno value unless they say otherwise.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bytes that an ordinary user may still write where `path` lies.
int cprobe_free_space(const char *path, uint64_t *bytes);

/// Removes an empty folder, or a control group without processes.
int cprobe_remove_folder(const char *path);

/// Writes a file's changes to the disk and asks the system to forget its pages.
int cprobe_drop_cached(const char *path);
/// How many pages of a file the system holds in memory.
int cprobe_cached_pages(const char *path, uint64_t *cached, uint64_t *total);

/// Events that a counter counts.
typedef enum {
  CProbeCycles = 0,
  CProbeInstructions = 1,
  CProbeCacheReferences = 2,
  CProbeCacheMisses = 3,
  CProbeBranchMisses = 4,
  CProbeTaskClock = 5,
  CProbeContextSwitches = 6,
  CProbeMigrations = 7,
  CProbePageFaults = 8,
} CProbeEvent;

/// Opens a counter of this process's user code, and of the threads that it starts from now on;
/// it stands still until it is told to count.
int cprobe_counter_open(CProbeEvent event, int *fd);
/// Why a counter could not be opened.
typedef enum {
  CProbeNoCounter = 0,
  CProbeNotAllowed = 1,
  CProbeNotBuilt = 2,
  CProbeOtherReason = 3,
} CProbeReason;
CProbeReason cprobe_counter_reason(int status);
/// Lets a counter count (`on`) or stand still.
int cprobe_counter_switch(int fd, bool on);
/// Reads a counter: its value, and how long it was wanted and really counted, nanoseconds.
int cprobe_counter_read(int fd, uint64_t *value, uint64_t *enabled, uint64_t *running);
/// Closes a counter.
void cprobe_counter_close(int fd);

/// A loop of a roofline.
typedef enum {
  /// Single-precision multiply-adds on registers.
  CProbeMultiplyAdd32 = 0,
  /// Multiply-adds of 8-bit integers into 32-bit sums on registers.
  CProbeMultiplyAdd8 = 1,
  /// Copies one array to another; bytes read and bytes written both count.
  CProbeCopy = 2,
} CProbeLoop;

/// The instructions that a loop uses here, such as `avx512`; null when there are none.
const char *cprobe_loop_set(CProbeLoop loop);
/// Runs a loop on `threads` threads at once.
///
/// `bytes` is what both arrays of one thread take together (for the copy). `rate` becomes
/// multiply-adds or bytes per second of all threads together.
int cprobe_loop_run(
  CProbeLoop loop, int threads, size_t bytes, uint64_t nanoseconds, double *rate);
