#pragma once
#include "include/CKernels.h"

// Calls `body` with parts of 0 ..< count, on all workers; returns when all are done. Which worker
// takes a part is open, but parts never depend on the number of workers.
typedef void (*ck_body)(const void *context, int64_t item, int worker);
void ck_parallel(ck_pool *pool, int64_t count, ck_body body, const void *context);
