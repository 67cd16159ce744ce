// The part of libmicrohttpd 0.9.71 and later that is in use, declared by us and resolved at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CMHD_NO = 0, CMHD_YES = 1 };
enum { CMHD_HEADERS = 1, CMHD_QUERY = 8 };
enum { CMHD_MUST_COPY = 2 };

/// Called for each request: once with its head, again for each piece of its body, then with none left.
typedef int32_t (*CMHDHandler)(
  void *context, void *connection, const char *path, const char *method, const char *version,
  const char *piece, size_t *piece_size, void **request);
/// Called when a request is over, however it ended.
typedef void (*CMHDCompleted)(void *context, void *connection, void **request, int32_t how);
/// Called for each header or argument.
typedef int32_t (*CMHDPair)(void *context, int32_t kind, const char *name, const char *value);
/// Gives the next bytes of a body: their number, 0 for none now, -1 for the end.
typedef ssize_t (*CMHDReader)(void *context, uint64_t position, char *buffer, size_t capacity);
/// Lets go of a reader's context.
typedef void (*CMHDFree)(void *context);

#define CMHD_FUNCTIONS(X) \
  X(void, MHD_stop_daemon, (void *daemon)) \
  X(int32_t, MHD_queue_response, (void *connection, uint32_t status, void *response)) \
  X(void *, MHD_create_response_from_buffer, (size_t size, void *bytes, int32_t mode)) \
  X(void *, MHD_create_response_from_callback, \
    (uint64_t size, size_t block, CMHDReader reader, void *context, CMHDFree free)) \
  X(int32_t, MHD_add_response_header, (void *response, const char *name, const char *value)) \
  X(void, MHD_destroy_response, (void *response)) \
  X(void, MHD_suspend_connection, (void *connection)) \
  X(void, MHD_resume_connection, (void *connection)) \
  X(int32_t, MHD_get_connection_values, \
    (void *connection, int32_t kind, CMHDPair each, void *context)) \
  X(const char *, MHD_get_version, (void))

#define CMHD_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  CMHD_FUNCTIONS(CMHD_FIELD)
  // These two take a varying number of arguments; `cmhd_start` and `cmhd_port` call them.
  void *MHD_start_daemon;
  void *MHD_get_daemon_info;
} CMHDTable;

#define CMHD_NAME(result, name, arguments) #name "\0"
static inline const char *cmhd_names(void) {
  return CMHD_FUNCTIONS(CMHD_NAME) "MHD_start_daemon\0" "MHD_get_daemon_info\0";
}

/// How a server runs.
typedef struct {
  /// A numeric address, of version 4 or 6.
  const char *address;
  uint16_t port;
  uint32_t threads;
  /// Connections at a time.
  uint32_t connections;
  /// Seconds after which a silent connection is closed.
  uint32_t timeout;
  /// Bytes for the head of a request.
  size_t memory;
} CMHDOptions;

/// Starts a server; null when it cannot, and then `error` is an errno value or 0.
void *cmhd_start(
  const CMHDTable *table, const CMHDOptions *options, CMHDHandler handler, CMHDCompleted completed,
  void *context, int32_t *error);

/// The port that a server listens on.
uint16_t cmhd_port(const CMHDTable *table, void *daemon);

/// The system's words for an errno value.
const char *cmhd_words(int32_t error);
