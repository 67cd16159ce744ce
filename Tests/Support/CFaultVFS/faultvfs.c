#include "CFaultVFS.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512 };

/// A change of a file that may not have reached the disk.
typedef struct {
  int64_t offset, size, size_before;
  int is_truncation;
  char *before;  // what was there, as far as the file went
  int64_t before_size;
  char *after;
} Change;

/// What is known of one file by its path, however often it is open.
typedef struct Entry {
  struct Entry *next;
  char *path;
  int is_new;  // never synced since it was made
  Change *changes;
  int64_t count, capacity;
} Entry;

typedef struct {
  sqlite3_file base;
  Entry *entry;  // NULL for files that do not outlive the process
  sqlite3_file real[];
} File;

static sqlite3_vfs vfs;
static sqlite3_vfs *usual;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Entry *entries;
static uint64_t random_state;
static int wanted_fault;
static int64_t wanted_at, wanted_count, operations;

static uint64_t random_bits(void) {
  uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static sqlite3_file *real(sqlite3_file *file) { return ((File *)file)->real; }

static Entry *entry_of(const char *path) {
  for (Entry *entry = entries; entry != NULL; entry = entry->next) {
    if (strcmp(entry->path, path) == 0) return entry;
  }
  Entry *entry = calloc(1, sizeof *entry);
  entry->path = strdup(path);
  entry->next = entries;
  entries = entry;
  return entry;
}

static void forget(Entry *entry) {
  for (int64_t i = 0; i < entry->count; i++) {
    free(entry->changes[i].before);
    free(entry->changes[i].after);
  }
  entry->count = 0;
}

static void write_all(int file, const char *bytes, int64_t size, int64_t offset) {
  while (size > 0) {
    ssize_t written = pwrite(file, bytes, (size_t)size, offset);
    if (written <= 0) return;
    bytes += written;
    size -= written;
    offset += written;
  }
}

/// Leaves of a file what was synced, and a random choice of the rest.
static void lose(Entry *entry) {
  if (entry->is_new && random_bits() % 2 == 0) {
    unlink(entry->path);
    return;
  }
  int file = open(entry->path, O_RDWR);
  if (file < 0) return;
  for (int64_t i = entry->count - 1; i >= 0; i--) {
    Change *change = &entry->changes[i];
    if (change->before_size > 0) write_all(file, change->before, change->before_size, change->offset);
    if (ftruncate(file, change->size_before) != 0) break;
  }
  for (int64_t i = 0; i < entry->count; i++) {
    Change *change = &entry->changes[i];
    if (change->is_truncation) {
      if (random_bits() % 2 == 0 && ftruncate(file, change->offset) != 0) break;
      continue;
    }
    // A sector reaches the disk whole or not at all, in any order.
    int64_t done = 0;
    while (done < change->size) {
      int64_t end = ((change->offset + done) / SECTOR + 1) * SECTOR - change->offset;
      if (end > change->size) end = change->size;
      if (random_bits() % 2 == 0) {
        write_all(file, change->after + done, end - done, change->offset + done);
      }
      done = end;
    }
  }
  close(file);
}

static void lose_power(void) {
  for (Entry *entry = entries; entry != NULL; entry = entry->next) {
    lose(entry);
    // Memory that processes shared is gone with the power.
    char *name = malloc(strlen(entry->path) + 5);
    strcpy(name, entry->path);
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, "-wal") == 0) name[length - 4] = 0;
    strcat(name, "-shm");
    unlink(name);
    free(name);
  }
  _exit(FAULTVFS_POWER_STATUS);
}

/// Counts an operation; tells whether it is to be refused for want of room.
static int step(int is_write) {
  operations++;
  if (wanted_fault == FAULTVFS_FULL) {
    return is_write && operations >= wanted_at && operations < wanted_at + wanted_count;
  }
  if (operations != wanted_at) return 0;
  if (wanted_fault == FAULTVFS_KILL) kill(getpid(), SIGKILL);
  if (wanted_fault == FAULTVFS_POWER) lose_power();
  return 0;
}

static Change *add_change(File *file, int64_t offset, int64_t size) {
  Entry *entry = file->entry;
  if (entry->count == entry->capacity) {
    entry->capacity = entry->capacity ? entry->capacity * 2 : 64;
    entry->changes = realloc(entry->changes, (size_t)entry->capacity * sizeof(Change));
  }
  Change *change = &entry->changes[entry->count++];
  memset(change, 0, sizeof *change);
  change->offset = offset;
  change->size = size;
  file->real->pMethods->xFileSize(file->real, (sqlite3_int64 *)&change->size_before);
  int64_t there = change->size_before - offset;
  change->before_size = there < 0 ? 0 : size >= 0 && there > size ? size : there;
  if (change->before_size > 0) {
    change->before = calloc(1, (size_t)change->before_size);
    file->real->pMethods->xRead(file->real, change->before, (int)change->before_size, offset);
  }
  return change;
}

static int x_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset) {
  File *file = (File *)base;
  if (file->entry == NULL) return file->real->pMethods->xWrite(file->real, bytes, size, offset);
  pthread_mutex_lock(&mutex);
  // The change counts before the fault: a part of it may have reached the disk.
  Change *change = add_change(file, offset, size);
  change->after = malloc((size_t)size);
  memcpy(change->after, bytes, (size_t)size);
  int is_full = step(1);
  int status = is_full ? SQLITE_FULL : file->real->pMethods->xWrite(file->real, bytes, size, offset);
  pthread_mutex_unlock(&mutex);
  return status;
}

static int x_truncate(sqlite3_file *base, sqlite3_int64 size) {
  File *file = (File *)base;
  if (file->entry == NULL) return file->real->pMethods->xTruncate(file->real, size);
  pthread_mutex_lock(&mutex);
  add_change(file, size, -1)->is_truncation = 1;
  step(0);
  int status = file->real->pMethods->xTruncate(file->real, size);
  pthread_mutex_unlock(&mutex);
  return status;
}

static int x_sync(sqlite3_file *base, int flags) {
  (void)flags;
  File *file = (File *)base;
  if (file->entry == NULL) return SQLITE_OK;
  pthread_mutex_lock(&mutex);
  step(0);
  // What is synced here only has to outlive this process.
  forget(file->entry);
  file->entry->is_new = 0;
  pthread_mutex_unlock(&mutex);
  return SQLITE_OK;
}

static int x_close(sqlite3_file *base) {
  File *file = (File *)base;
  return file->real->pMethods ? file->real->pMethods->xClose(file->real) : SQLITE_OK;
}
static int x_read(sqlite3_file *f, void *b, int n, sqlite3_int64 o) {
  return real(f)->pMethods->xRead(real(f), b, n, o);
}
static int x_size(sqlite3_file *f, sqlite3_int64 *size) { return real(f)->pMethods->xFileSize(real(f), size); }
static int x_lock(sqlite3_file *f, int level) { return real(f)->pMethods->xLock(real(f), level); }
static int x_unlock(sqlite3_file *f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
static int x_reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int x_control(sqlite3_file *f, int op, void *arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
static int x_sector(sqlite3_file *f) {
  (void)f;
  return SECTOR;
}
// Nothing is promised about the order or wholeness of writes.
static int x_traits(sqlite3_file *f) {
  (void)f;
  return 0;
}
static int x_shm_map(sqlite3_file *f, int p, int n, int e, void volatile **out) {
  return real(f)->pMethods->xShmMap(real(f), p, n, e, out);
}
static int x_shm_lock(sqlite3_file *f, int o, int n, int flags) {
  return real(f)->pMethods->xShmLock(real(f), o, n, flags);
}
static void x_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int x_shm_unmap(sqlite3_file *f, int d) { return real(f)->pMethods->xShmUnmap(real(f), d); }

static const sqlite3_io_methods methods = {
  2, x_close, x_read, x_write, x_truncate, x_sync, x_size, x_lock, x_unlock, x_reserved, x_control,
  x_sector, x_traits, x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL, NULL,
};

static int x_open(sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *base, int flags, int *out) {
  (void)self;
  File *file = (File *)base;
  memset(file, 0, sizeof *file);
  int is_there = name != NULL && access(name, F_OK) == 0;
  int status = usual->xOpen(usual, name, file->real, flags, out);
  if (status != SQLITE_OK) return status;
  if (name != NULL && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) {
    pthread_mutex_lock(&mutex);
    file->entry = entry_of(name);
    if (!is_there) {
      forget(file->entry);
      file->entry->is_new = 1;
    }
    pthread_mutex_unlock(&mutex);
  }
  base->pMethods = &methods;
  return SQLITE_OK;
}

static int x_delete(sqlite3_vfs *self, const char *name, int sync) {
  (void)self;
  pthread_mutex_lock(&mutex);
  forget(entry_of(name));
  pthread_mutex_unlock(&mutex);
  return usual->xDelete(usual, name, sync);
}

int faultvfs_install(uint64_t seed, int fault, int64_t at, int64_t count) {
  usual = sqlite3_vfs_find(NULL);
  if (usual == NULL) return 1;
  random_state = seed;
  wanted_fault = fault;
  wanted_at = at;
  wanted_count = count;
  vfs = *usual;
  vfs.zName = "assay-faults";
  vfs.pNext = NULL;
  vfs.szOsFile = (int)sizeof(File) + usual->szOsFile;
  vfs.xOpen = x_open;
  vfs.xDelete = x_delete;
  return sqlite3_vfs_register(&vfs, 1);
}

int64_t faultvfs_operations(void) { return operations; }
