#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "include/CProbe.h"

int cprobe_free_space(const char *path, uint64_t *bytes) {
  struct statvfs space;
  *bytes = 0;
  if (statvfs(path, &space) != 0) return errno;
  *bytes = (uint64_t)space.f_bavail * (uint64_t)space.f_frsize;
  return 0;
}

int cprobe_remove_folder(const char *path) { return rmdir(path) == 0 ? 0 : errno; }

int cprobe_drop_cached(const char *path) {
#if defined(__linux__)
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  // Pages that are not on the disk yet cannot be dropped.
  int status = fsync(fd) == 0 ? 0 : errno;
  int dropped = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
  return dropped != 0 ? dropped : status == EROFS || status == EINVAL ? 0 : status;
#else
  (void)path;
  return ENOTSUP;
#endif
}

int cprobe_cached_pages(const char *path, uint64_t *cached, uint64_t *total) {
  *cached = *total = 0;
#if defined(__linux__)
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  struct stat info;
  if (fstat(fd, &info) != 0) {
    int status = errno;
    close(fd);
    return status;
  }
  if (info.st_size <= 0) {
    close(fd);
    return 0;
  }
  size_t size = (size_t)info.st_size;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t count = (size + page - 1) / page;
  // Mapping reads nothing: only touching a page does.
  void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (map == MAP_FAILED) return errno;
  unsigned char *states = malloc(count);
  int status = states ? (mincore(map, size, states) == 0 ? 0 : errno) : ENOMEM;
  if (status == 0) {
    *total = count;
    for (size_t i = 0; i < count; i++) *cached += states[i] & 1;
  }
  free(states);
  munmap(map, size);
  return status;
#else
  (void)path;
  return ENOTSUP;
#endif
}
