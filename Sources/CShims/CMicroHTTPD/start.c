#include "CMicroHTTPD.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

// Numbers of libmicrohttpd's interface (microhttpd.h); they are part of its ABI.
enum {
  USE_INTERNAL_POLLING_THREAD = 8,
  USE_IPV6 = 16,
  USE_ITC = 1024,
  ALLOW_SUSPEND_RESUME = 8192,
  USE_AUTO = 65536,
};
enum {
  OPTION_END = 0,
  OPTION_CONNECTION_MEMORY_LIMIT = 1,
  OPTION_CONNECTION_LIMIT = 2,
  OPTION_CONNECTION_TIMEOUT = 3,
  OPTION_NOTIFY_COMPLETED = 4,
  OPTION_SOCK_ADDR = 6,
  OPTION_THREAD_POOL_SIZE = 14,
  OPTION_STRICT_FOR_CLIENT = 29,
};
enum { INFO_BIND_PORT = 6 };

void *cmhd_start(
  const CMHDTable *table, const CMHDOptions *options, CMHDHandler handler, CMHDCompleted completed,
  void *context, int32_t *error) {
  void *(*start)(unsigned, uint16_t, void *, void *, CMHDHandler, void *, ...) =
    (void *(*)(unsigned, uint16_t, void *, void *, CMHDHandler, void *, ...))table->MHD_start_daemon;
  unsigned flags = USE_INTERNAL_POLLING_THREAD | USE_ITC | ALLOW_SUSPEND_RESUME | USE_AUTO;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
  struct sockaddr *address = (struct sockaddr *)&four;
  memset(&four, 0, sizeof four);
  memset(&six, 0, sizeof six);
  four.sin_family = AF_INET;
  four.sin_port = htons(options->port);
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(options->port);
  if (inet_pton(AF_INET, options->address, &four.sin_addr) != 1) {
    if (inet_pton(AF_INET6, options->address, &six.sin6_addr) != 1) {
      *error = EADDRNOTAVAIL;
      return NULL;
    }
    address = (struct sockaddr *)&six;
    flags |= USE_IPV6;
  }
  errno = 0;
  void *daemon = start(
    flags, options->port, NULL, NULL, handler, context,
    OPTION_SOCK_ADDR, address,
    OPTION_CONNECTION_MEMORY_LIMIT, options->memory,
    OPTION_CONNECTION_LIMIT, (unsigned)options->connections,
    OPTION_CONNECTION_TIMEOUT, (unsigned)options->timeout,
    OPTION_NOTIFY_COMPLETED, completed, context,
    OPTION_THREAD_POOL_SIZE, (unsigned)options->threads,
    OPTION_STRICT_FOR_CLIENT, 1,
    OPTION_END);
  *error = daemon ? 0 : errno;
  return daemon;
}

uint16_t cmhd_port(const CMHDTable *table, void *daemon) {
  const uint16_t *(*info)(void *, int, ...) =
    (const uint16_t *(*)(void *, int, ...))table->MHD_get_daemon_info;
  const uint16_t *port = info(daemon, INFO_BIND_PORT);
  return port ? *port : 0;
}

const char *cmhd_words(int32_t error) { return strerror(error); }
