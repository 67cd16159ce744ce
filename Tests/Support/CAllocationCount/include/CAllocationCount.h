// Counts the calls of malloc and its kin that the calling thread makes.
#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Whether calls are counted here (with glibc only).
bool allocation_count_works(void);
/// Begins to count the calling thread's allocations.
void allocation_count_begin(void);
/// Ends counting; the number of allocations since the beginning.
uint64_t allocation_count_end(void);
