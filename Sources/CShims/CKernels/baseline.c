// What every processor of the architecture has: SSE2 or NEON, registers of 4 floats.
#define LANES 4
#if defined(__aarch64__)
#define TILE_ROWS 8
#define SET_NAME "neon"
#else
#define TILE_ROWS 6
#define SET_NAME "baseline"
#endif
#define SET ck_baseline
#include "body.h"
