// What every processor of the architecture has: SSE2 or NEON, registers of 4 floats.
#define LANES 4
#if defined(__aarch64__)
#define TILE_ROWS 8
#define TIME_OUTPUTS 10
#define GRADIENT_OUTPUTS 5
#define GRADIENT_TAPS 4
#define SET_NAME "neon"
#else
#define TILE_ROWS 6
#define TIME_OUTPUTS 5
#define GRADIENT_OUTPUTS 3
#define GRADIENT_TAPS 3
#define SET_NAME "baseline"
#endif
#define SET ct_baseline
#include "headers.h"
#include "body.h"
