// The kernels, compiled once for each instruction set.
//
// The including file defines LANES (floats of a vector), how many sums the tiles keep in registers
// (TILE_ROWS x 2, TIME_OUTPUTS x 2, GRADIENT_OUTPUTS x GRADIENT_TAPS), SET (the table's C name) and
// SET_NAME, and sets the functions' target.
#include "vectors.h"
// Order matters: what follows uses the vectors.
#include "gemm.h"
#include "conv1d.h"
#include "depthwise.h"
#include "elementwise.h"

const ct_kernels SET = {
    .name = SET_NAME,
    .gemm_scratch = gemm_scratch,
    .gemm = gemm,
    .conv1d_scratch = conv1d_scratch,
    .conv1d = conv1d,
    .conv1d_gradient = conv1d_gradient,
    .depthwise_scratch = depthwise_scratch,
    .depthwise = depthwise,
    .depthwise_gradient = depthwise_gradient,
    .pool_gradient = pool_gradient,
    .add = add,
    .sum = sum,
    .mask = mask,
    .column_sums = column_sums,
    .scale_rows = scale_rows,
    .combine_rows = combine_rows,
    .adam = adam,
    .sgd = sgd,
};
