// Kernels of training: products with their gradients, normalization over a batch, optimizers.
//
// As in CKernels every set computes the same functions, and `ct_kernels_at` gives the sets that this
// processor can run, best first. Tensors are dense, row-major float32; images are NHWC. No kernel
// allocates. Work is cut by shapes alone and parts are summed in a fixed order, so that a result does
// not depend on the number of threads.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

// MARK: Products

// c[i][j] = clamp(bias[j] + sum over p of a[i][p] * b[p][j]), or, without a bias, added to what is in c.
//
// Element a[i][p] lies at a[i * a_row + p * a_depth], and so on. One of a's steps is 1 and one of b's.
typedef struct {
  int64_t batch, m, n, k;
  const float *_Nonnull a;
  int64_t a_batch, a_row, a_depth;
  const float *_Nonnull b;
  int64_t b_batch, b_depth, b_column;
  float *_Nonnull c;
  int64_t c_batch, c_row, c_column;
  const float *_Nullable bias;  // n of them
  float low, high;              // no bounds: minus and plus infinity
  int32_t accumulates;
  void *_Nullable scratch;      // gemm_scratch bytes
} ct_gemm;

// A convolution along one axis with a step of 1: x [batch, length, inputs] with taps `dilation`
// apart to y [batch, output_length, outputs]; w is [outputs, taps, inputs].
typedef struct {
  int64_t batch, length, output_length, inputs, outputs, taps, dilation, pad;
  const float *_Nonnull x;
  const float *_Nonnull w;
  const float *_Nullable bias;
  float *_Nonnull y;                   // forward: the result
  const float *_Nullable y_gradient;   // backward: before the activation's bounds
  float *_Nullable x_gradient;         // backward: set, unless NULL
  float *_Nullable w_gradient;         // backward: set, unless NULL
  float *_Nullable bias_gradient;      // backward: set, unless NULL
  float low, high;
  int32_t has_bounds;
  void *_Nullable scratch;             // conv1d_scratch bytes
} ct_conv1d;

// A depthwise convolution with a step of 1; w is [kernel_height * kernel_width, channels].
typedef struct {
  int64_t batch, height, width, channels, output_height, output_width;
  int64_t kernel_height, kernel_width, dilation_height, dilation_width, pad_top, pad_left;
  const float *_Nonnull x;             // of the forward pass
  const float *_Nonnull w;
  const float *_Nullable bias;
  float *_Nullable y;                  // forward: the result
  const float *_Nullable y_gradient;   // gradient of the weights: rows of the output
  float *_Nullable w_gradient;         // set
  float low, high;
  void *_Nullable scratch;             // depthwise_scratch bytes
} ct_depthwise;

// MARK: Windows

typedef struct {
  const float *_Nonnull x;
  const float *_Nonnull y;
  const float *_Nonnull y_gradient;
  float *_Nonnull x_gradient;          // set
  int64_t batch, height, width, channels, output_height, output_width;
  int64_t window_height, window_width, stride_height, stride_width, pad_top, pad_left;
  int32_t average;                     // 0: to the first of the greatest elements
} ct_pool_gradient;

// MARK: Optimizers

// One step of Adam (Kingma and Ba, 2015), AMSGrad (Reddi et al., 2018) where `greatest` is there.
typedef struct {
  float *_Nonnull value;
  const float *_Nonnull gradient;
  float *_Nonnull mean;
  float *_Nonnull square;
  float *_Nullable greatest;
  int64_t count;
  float rate;          // with the corrections of the first steps
  float beta1, beta2, epsilon;
  float gradient_scale;
  float decay;         // the part of the value that is taken away first
} ct_adam;

// One step of gradient descent with momentum.
typedef struct {
  float *_Nonnull value;
  const float *_Nonnull gradient;
  float *_Nullable velocity;
  int64_t count;
  float rate, momentum;
  int32_t nesterov;
  float gradient_scale, decay;
} ct_sgd;

typedef struct {
  const char *_Nonnull name;

  int64_t (*_Nonnull gemm_scratch)(const ct_gemm *_Nonnull g, int threads);
  void (*_Nonnull gemm)(const ct_gemm *_Nonnull g, ck_pool *_Nullable pool);

  int64_t (*_Nonnull conv1d_scratch)(const ct_conv1d *_Nonnull c, int threads);
  void (*_Nonnull conv1d)(const ct_conv1d *_Nonnull c, ck_pool *_Nullable pool);
  void (*_Nonnull conv1d_gradient)(const ct_conv1d *_Nonnull c, ck_pool *_Nullable pool);

  int64_t (*_Nonnull depthwise_scratch)(const ct_depthwise *_Nonnull c, int threads);
  void (*_Nonnull depthwise)(const ct_depthwise *_Nonnull c, ck_pool *_Nullable pool);
  void (*_Nonnull depthwise_gradient)(const ct_depthwise *_Nonnull c, ck_pool *_Nullable pool);

  void (*_Nonnull pool_gradient)(const ct_pool_gradient *_Nonnull c, ck_pool *_Nullable pool);

  // to[i] += from[i].
  void (*_Nonnull add)(float *_Nonnull to, const float *_Nonnull from, int64_t count,
                       ck_pool *_Nullable pool);
  // out[i] = a[i] + b[i], clamped.
  void (*_Nonnull sum)(const float *_Nonnull a, const float *_Nonnull b, float *_Nonnull out,
                       int64_t count, float low, float high, ck_pool *_Nullable pool);
  // out[i] = gradient[i] where low < y[i] < high, otherwise 0; in place if both are the same.
  void (*_Nonnull mask)(const float *_Nonnull gradient, const float *_Nonnull y, float *_Nonnull out,
                        int64_t count, float low, float high, ck_pool *_Nullable pool);
  // Sums over the rows: `sums` of x[i][j]; or, with `squares`, of x[i][j] - x[0][j] and of its square;
  // or, with `products`, of x[i][j] and of x[i][j] * (other[i][j] - other[0][j]). What is subtracted
  // keeps a variance from being lost beside a great mean. `partial`: 64 * 3 * columns doubles.
  void (*_Nonnull column_sums)(const float *_Nonnull x, const float *_Nullable other,
                               int64_t rows, int64_t columns, double *_Nonnull sums,
                               double *_Nullable squares, double *_Nullable products,
                               double *_Nonnull partial, ck_pool *_Nullable pool);
  // out[i][j] = x[i][j] * scale[j] + offset[j].
  void (*_Nonnull scale_rows)(const float *_Nonnull x, const float *_Nonnull scale,
                              const float *_Nonnull offset, float *_Nonnull out, int64_t rows,
                              int64_t columns, ck_pool *_Nullable pool);
  // out[i][j] = gradient[i][j] * p[j] + x[i][j] * q[j] + r[j]; out may be gradient. With `bounds`, a
  // low and a high one, 0 where x[i][j] does not lie between them.
  void (*_Nonnull combine_rows)(const float *_Nonnull gradient, const float *_Nonnull x,
                                const float *_Nonnull p, const float *_Nonnull q,
                                const float *_Nonnull r, float *_Nonnull out, int64_t rows,
                                int64_t columns, const float *_Nullable bounds,
                                ck_pool *_Nullable pool);

  void (*_Nonnull adam)(const ct_adam *_Nonnull a, ck_pool *_Nullable pool);
  void (*_Nonnull sgd)(const ct_sgd *_Nonnull a, ck_pool *_Nullable pool);
} ct_kernels;

// The kernel set at `index`, best first; NULL past the last one that this processor can run.
const ct_kernels *_Nullable ct_kernels_at(int index);
