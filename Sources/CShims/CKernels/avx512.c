// AVX-512: 32 registers of 16 floats.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "pool.h"
#define LANES 16
#define TILE_ROWS 8
#define SET ck_avx512
#define SET_NAME "avx512"
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#include "body.h"
#pragma clang attribute pop
#endif
