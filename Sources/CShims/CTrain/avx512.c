// AVX-512: 32 registers of 16 floats.
#if defined(__x86_64__)
#define LANES 16
#define TILE_ROWS 8
#define TIME_OUTPUTS 10
#define GRADIENT_OUTPUTS 5
#define GRADIENT_TAPS 5
#define SET ct_avx512
#define SET_NAME "avx512"
#include "headers.h"
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#include "body.h"
#pragma clang attribute pop
#endif
