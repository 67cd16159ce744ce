// The explorer's pages, compiled in so that the command stays one file.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
  /// The path below the server's root, without a leading slash.
  const char *name;
  const uint8_t *bytes;
  size_t count;
} CExplorerPage;

/// How many there are.
size_t cexplorer_count(void);
/// One of them.
CExplorerPage cexplorer_page(size_t index);
