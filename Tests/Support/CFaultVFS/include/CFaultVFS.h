// A file system below SQLite that fails as it is told: power is lost, the process is killed, the disk is
// full. For tests of what a store promises.
#pragma once
#include <stdint.h>

enum { FAULTVFS_NONE, FAULTVFS_POWER, FAULTVFS_KILL, FAULTVFS_FULL };

/// The status of a process whose power was lost.
enum { FAULTVFS_POWER_STATUS = 77 };

/// Puts the file system in the place of SQLite's usual one, for every store that is opened later.
///
/// Operations that change files (writes, truncations, syncs) are counted; at number `at` the fault
/// happens. Lost power: of everything that was not synced, a random choice of sectors of 512 bytes
/// has reached the disk, files that were never synced may be gone, and the process ends. Killed: the
/// process ends by SIGKILL and the system keeps what was written. Full: `at` and the `count - 1` writes
/// after it are refused. 0 when it could be done.
int faultvfs_install(uint64_t seed, int fault, int64_t at, int64_t count);
/// Operations so far.
int64_t faultvfs_operations(void);
