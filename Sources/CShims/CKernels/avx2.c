// AVX2 with fused multiply-add: 16 registers of 8 floats.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "pool.h"
#define LANES 8
#define TILE_ROWS 6
#define SET ck_avx2
#define SET_NAME "avx2"
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "body.h"
#pragma clang attribute pop
#endif
