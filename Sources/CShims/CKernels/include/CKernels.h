// Numeric kernels with vector instructions chosen at run time, and the threads that share their work.
//
// Every kernel set computes the same functions; `ck_kernels_at` gives the sets that this processor
// can run, best first. Tensors are dense, row-major float32; images are NHWC. No kernel allocates.
#pragma once
#include <stddef.h>
#include <stdint.h>

// MARK: Threads

typedef struct ck_pool ck_pool;

// A pool of `threads` workers, the caller being one; NULL when the system gives no threads.
ck_pool *_Nullable ck_pool_create(int threads);
void ck_pool_destroy(ck_pool *_Nonnull pool);

// One item of a piece of work; `worker` counts from 0 to the number of threads.
typedef void (*ck_body)(const void *_Nullable context, int64_t item, int worker);

// Calls `body` for every item below `count` and returns when all are done. Items go to whichever
// thread is free. Without a pool the caller does them all.
void ck_parallel(ck_pool *_Nullable pool, int64_t count, ck_body _Nonnull body,
                 const void *_Nullable context);

// MARK: Operations

// A convolution. `packed` comes from `ck_kernels.pack`. A dense layer over M rows of I elements is
// the 1x1 convolution of a 1 x 1 x M x I image.
typedef struct {
  const float *_Nonnull input;
  const float *_Nonnull packed;
  float *_Nonnull output;
  const float *_Nonnull zeros;   // at least input_channels zeros
  void *_Nullable scratch;       // threads * ck_kernels.conv_scratch bytes, 64-byte aligned
  int64_t batch, input_height, input_width, input_channels;
  int64_t output_height, output_width, output_channels;
  int64_t groups, kernel_height, kernel_width;
  int64_t stride_height, stride_width, dilation_height, dilation_width;
  int64_t pad_top, pad_left;
  float low, high;
} ck_conv;

// A depthwise convolution with one filter a channel; weights are [kernel_height * kernel_width, C].
typedef struct {
  const float *_Nonnull input;
  const float *_Nonnull weights;
  const float *_Nullable bias;
  float *_Nonnull output;
  const float *_Nonnull zeros;   // at least C zeros
  void *_Nullable scratch;       // threads * depthwise_scratch bytes
  int64_t batch, input_height, input_width, channels;
  int64_t output_height, output_width;
  int64_t kernel_height, kernel_width;
  int64_t stride_height, stride_width, dilation_height, dilation_width;
  int64_t pad_top, pad_left;
  float low, high;
} ck_depthwise;

// A pooling; an average divides by the number of elements inside the image.
typedef struct {
  const float *_Nonnull input;
  float *_Nonnull output;
  int64_t batch, input_height, input_width, channels;
  int64_t output_height, output_width;
  int64_t window_height, window_width;
  int64_t stride_height, stride_width;
  int64_t pad_top, pad_left;
  int32_t average;               // 0: maximum
  float low, high;
} ck_pool2d;

typedef enum {
  CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM, CK_SQUARED_DIFFERENCE
} ck_binary;

typedef enum {
  CK_CLAMP,       // to [p, q]
  CK_SIGMOID, CK_TANH, CK_EXP,
  CK_ABS, CK_NEGATIVE, CK_SQUARE, CK_SQRT, CK_RSQRT,
  CK_LEAKY,       // x < 0 ? p * x : x
  CK_HARD_SWISH
} ck_unary;

typedef struct {
  const char *_Nonnull name;
  // Rows and columns of the tile that `conv` computes at once.
  int32_t tile_rows, tile_columns;

  // Floats that the packed filter of one group takes, and the packing of an OHWI filter's group.
  int64_t (*_Nonnull packed_count)(int64_t outputs, int64_t depth);
  // `row_stride` and `depth_stride` are the steps from one output channel, and one weight, to the next.
  void (*_Nonnull pack)(float *_Nonnull packed, const float *_Nonnull weights,
                        const float *_Nullable bias, int64_t outputs, int64_t depth,
                        int64_t row_stride, int64_t depth_stride);
  int64_t (*_Nonnull conv_scratch)(const ck_conv *_Nonnull c);
  void (*_Nonnull conv)(const ck_conv *_Nonnull c, ck_pool *_Nullable pool);

  int64_t (*_Nonnull depthwise_scratch)(const ck_depthwise *_Nonnull c);
  void (*_Nonnull depthwise)(const ck_depthwise *_Nonnull c, ck_pool *_Nullable pool);

  void (*_Nonnull pool2d)(const ck_pool2d *_Nonnull c, ck_pool *_Nullable pool);

  // `a_step` and `b_step` are 1, or 0 for an operand of one element.
  void (*_Nonnull binary)(ck_binary op, const float *_Nonnull a, int64_t a_step,
                          const float *_Nonnull b, int64_t b_step, float *_Nonnull out,
                          int64_t count, float low, float high);
  void (*_Nonnull unary)(ck_unary op, const float *_Nonnull in, float *_Nonnull out, int64_t count,
                         float p, float q);
  // out[i] = scale[i] * in[i] + offset[i] on each of `rows` rows of `count` elements.
  void (*_Nonnull scale_rows)(const float *_Nonnull in, const float *_Nonnull scale,
                              const float *_Nonnull offset, float *_Nonnull out, int64_t rows,
                              int64_t count);
  void (*_Nonnull softmax)(const float *_Nonnull in, float *_Nonnull out, int64_t rows,
                           int64_t count, float beta);
  // Least and greatest element, NaN left out; returns the number of elements that are NaN or infinite.
  int64_t (*_Nonnull range)(const float *_Nonnull in, int64_t count, float *_Nonnull low,
                            float *_Nonnull high);
  // The nearest reals that integers in [low, high] stand for: scale * (q - zero_point).
  void (*_Nonnull round_trip)(const float *_Nonnull in, float *_Nonnull out, int64_t count,
                              float scale, int32_t zero_point, int32_t low, int32_t high);
} ck_kernels;

// The kernel set at `index`, best first; NULL past the last one that this processor can run.
const ck_kernels *_Nullable ck_kernels_at(int index);
