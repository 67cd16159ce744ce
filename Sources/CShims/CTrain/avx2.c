// AVX2 with fused multiply-add: 16 registers of 8 floats.
#if defined(__x86_64__)
#define LANES 8
#define TILE_ROWS 6
#define TIME_OUTPUTS 5
#define GRADIENT_OUTPUTS 3
#define GRADIENT_TAPS 3
#define SET ct_avx2
#define SET_NAME "avx2"
#include "headers.h"
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "body.h"
#pragma clang attribute pop
#endif
