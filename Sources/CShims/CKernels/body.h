// The kernels, compiled once for each instruction set.
//
// The including file defines LANES (floats of a vector), TILE_ROWS (rows of the convolution's tile:
// as many as leave registers for the filter), SET (the table's C name) and SET_NAME, and sets the
// functions' target. Loops over elements are plain: the compiler vectorises them for the target.
#include <math.h>
#include <string.h>

#include "pool.h"

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
typedef float uvf __attribute__((vector_size(LANES * 4), aligned(4)));

#define INLINE static inline __attribute__((always_inline))
#define LOAD(p) ((vf) * (const uvf *)(p))
#define STORE(p, v) (*(uvf *)(p) = (v))
#define TILE_COLUMNS (2 * LANES)

INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE float clamp1(float x, float low, float high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}
// Keeps NaN, as clamp1 does.
#define CLAMP(v, lo, hi)                                        \
  do {                                                          \
    vi below = (v) < (lo);                                      \
    (v) = (vf)(((vi)(v) & ~below) | ((vi)(lo) & below));        \
    vi above = (v) > (hi);                                      \
    (v) = (vf)(((vi)(v) & ~above) | ((vi)(hi) & above));        \
  } while (0)

// MARK: Convolution

// A packed filter is a row of panels of TILE_COLUMNS output channels: bias, then for each weight of
// the depth (taps outer, channels inner) the panel's channels. Missing channels are zero.
static int64_t packed_count(int64_t outputs, int64_t depth) {
  return (outputs + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS * (depth + 1);
}

static void pack(float *packed, const float *weights, const float *bias, int64_t outputs,
                 int64_t depth, int64_t row_stride, int64_t depth_stride) {
  for (int64_t first = 0; first < outputs; first += TILE_COLUMNS) {
    int64_t columns = min64(TILE_COLUMNS, outputs - first);
    for (int64_t j = 0; j < TILE_COLUMNS; j++)
      packed[j] = bias && j < columns ? bias[first + j] : 0;
    packed += TILE_COLUMNS;
    if (columns < TILE_COLUMNS) memset(packed, 0, sizeof(float) * (size_t)(depth * TILE_COLUMNS));
    if (row_stride == 1) {
      for (int64_t k = 0; k < depth; k++)
        memcpy(packed + k * TILE_COLUMNS, weights + first + k * depth_stride,
               sizeof(float) * (size_t)columns);
    } else {
      for (int64_t j = 0; j < columns; j++) {
        const float *row = weights + (first + j) * row_stride;
        for (int64_t k = 0; k < depth; k++) packed[k * TILE_COLUMNS + j] = row[k * depth_stride];
      }
    }
    packed += depth * TILE_COLUMNS;
  }
}

// `rows` x (`vectors` * LANES) outputs: the sum over taps and channels of image times filter.
// `image` has a pointer for each tap and row.
INLINE void tile(const int rows, const int vectors, int64_t taps, int64_t channels,
                 const float *const *image, const float *filter, float *output,
                 int64_t output_stride, int64_t columns, const float *bounds) {
  vf sum[TILE_ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    sum[i][0] = LOAD(filter);
    if (vectors == 2) sum[i][1] = LOAD(filter + LANES);
  }
  filter += TILE_COLUMNS;
  for (int64_t tap = 0; tap < taps; tap++) {
    const float *a[TILE_ROWS];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) a[i] = image[tap * rows + i];
    for (int64_t k = 0; k < channels; k++) {
      vf b0 = LOAD(filter);
      vf b1 = b0;
      if (vectors == 2) b1 = LOAD(filter + LANES);
      filter += TILE_COLUMNS;
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++) {
        float x = a[i][k];
        sum[i][0] += x * b0;
        if (vectors == 2) sum[i][1] += x * b1;
      }
    }
  }
  vf lo = bounds[0] - (vf){0}, hi = bounds[1] - (vf){0};
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    float *out = output + i * output_stride;
    CLAMP(sum[i][0], lo, hi);
    if (vectors == 2) CLAMP(sum[i][1], lo, hi);
    if (columns == vectors * LANES) {
      STORE(out, sum[i][0]);
      if (vectors == 2) STORE(out + LANES, sum[i][1]);
    } else {
      float part[2 * LANES];
      STORE(part, sum[i][0]);
      if (vectors == 2) STORE(part + LANES, sum[i][1]);
      for (int64_t j = 0; j < columns; j++) out[j] = part[j];
    }
  }
}

// The bounds come by address: two more numbers in registers would push sums out of them.
typedef void (*tile_function)(int64_t, int64_t, const float *const *, const float *, float *,
                              int64_t, int64_t, const float *);

#define TILE(R)                                                                                 \
  static void tile##R##x1(int64_t taps, int64_t channels, const float *const *image,            \
                          const float *filter, float *output, int64_t stride, int64_t columns,  \
                          const float *bounds) {                                                \
    tile(R, 1, taps, channels, image, filter, output, stride, columns, bounds);                 \
  }                                                                                             \
  static void tile##R##x2(int64_t taps, int64_t channels, const float *const *image,            \
                          const float *filter, float *output, int64_t stride, int64_t columns,  \
                          const float *bounds) {                                                \
    tile(R, 2, taps, channels, image, filter, output, stride, columns, bounds);                 \
  }

TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
#if TILE_ROWS > 6
TILE(7)
TILE(8)
#endif
#if TILE_ROWS > 8
TILE(9)
TILE(10)
TILE(11)
TILE(12)
#endif

static const tile_function tiles[TILE_ROWS][2] = {
    {tile1x1, tile1x2}, {tile2x1, tile2x2}, {tile3x1, tile3x2},
    {tile4x1, tile4x2}, {tile5x1, tile5x2}, {tile6x1, tile6x2},
#if TILE_ROWS > 6
    {tile7x1, tile7x2}, {tile8x1, tile8x2},
#endif
#if TILE_ROWS > 8
    {tile9x1, tile9x2}, {tile10x1, tile10x2}, {tile11x1, tile11x2}, {tile12x1, tile12x2},
#endif
};

// One row: the product of a vector and a matrix, bound by reading the filter. Four partial sums hide
// the latency of the additions.
static void row_panel(int64_t depth, const float *a, const float *filter, float *output,
                      int64_t columns, float low, float high) {
  vf s[4][2];
  for (int u = 0; u < 4; u++) s[u][0] = s[u][1] = (vf){0};
  s[0][0] = LOAD(filter);
  s[0][1] = LOAD(filter + LANES);
  filter += TILE_COLUMNS;
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4, filter += 4 * TILE_COLUMNS) {
#pragma clang loop unroll(full)
    for (int u = 0; u < 4; u++) {
      s[u][0] += a[k + u] * LOAD(filter + u * TILE_COLUMNS);
      s[u][1] += a[k + u] * LOAD(filter + u * TILE_COLUMNS + LANES);
    }
  }
  for (; k < depth; k++, filter += TILE_COLUMNS) {
    s[0][0] += a[k] * LOAD(filter);
    s[0][1] += a[k] * LOAD(filter + LANES);
  }
  float part[TILE_COLUMNS];
  STORE(part, (s[0][0] + s[1][0]) + (s[2][0] + s[3][0]));
  STORE(part + LANES, (s[0][1] + s[1][1]) + (s[2][1] + s[3][1]));
  for (int64_t j = 0; j < columns; j++) output[j] = clamp1(part[j], low, high);
}

// Images of few channels are gathered into dense rows first: a loop over three channels costs more
// than the copy.
#define GATHERED_CHANNELS 12

INLINE int gathers(const ck_conv *c) {
  int64_t channels = c->input_channels / c->groups;
  return channels <= GATHERED_CHANNELS && c->kernel_height * c->kernel_width > 1;
}

static int64_t conv_scratch(const ck_conv *c) {
  int64_t taps = c->kernel_height * c->kernel_width;
  int64_t bytes = TILE_ROWS * taps * (int64_t)sizeof(float *);
  if (gathers(c))
    bytes = TILE_ROWS * (int64_t)sizeof(float *) +
            TILE_ROWS * taps * (c->input_channels / c->groups) * (int64_t)sizeof(float);
  return (bytes + 63) / 64 * 64;
}

// The work is cut into blocks of output pixels and of panels, each part one item for the threads.
typedef struct {
  const ck_conv *c;
  int64_t pixels, depth, taps, channels, outputs, group_packed;
  int64_t block_pixels, pixel_blocks, block_panels, panel_blocks, scratch;
  int is_plain, is_gathered;
} conv_job;

static void conv_item(const void *context, int64_t item, int worker) {
  const conv_job *job = context;
  const ck_conv *c = job->c;
  int64_t pixel_block = item % job->pixel_blocks;
  int64_t rest = item / job->pixel_blocks;
  int64_t panel_block = rest % job->panel_blocks, group = rest / job->panel_blocks;
  int64_t first_panel = panel_block * job->block_panels;
  int64_t panels = (job->outputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  int64_t last_panel = min64(panels, first_panel + job->block_panels);
  int64_t panel_count = TILE_COLUMNS * (job->depth + 1);
  const float *packed = c->packed + group * job->group_packed;
  const float *input = c->input + group * job->channels;
  float *output = c->output + group * job->outputs;
  char *scratch = (char *)c->scratch + worker * job->scratch;
  const float **image = (const float **)(void *)scratch;
  float *dense = (float *)(void *)(scratch + TILE_ROWS * sizeof(float *));
  float bounds[2] = {c->low, c->high};

  int64_t begin = pixel_block * job->block_pixels;
  int64_t end = min64(job->pixels, begin + job->block_pixels);
  if (job->pixels == 1 && job->is_plain) {
    for (int64_t panel = first_panel; panel < last_panel; panel++) {
      int64_t columns = min64(TILE_COLUMNS, job->outputs - panel * TILE_COLUMNS);
      row_panel(job->depth, input, packed + panel * panel_count, output + panel * TILE_COLUMNS,
                columns, c->low, c->high);
    }
    return;
  }
  // Tiles of nearly equal height.
  int64_t tile_count = (end - begin + TILE_ROWS - 1) / TILE_ROWS;
  int64_t plane = c->output_height * c->output_width;
  for (int64_t t = 0; t < tile_count; t++) {
    int64_t from = begin + (end - begin) * t / tile_count;
    int rows = (int)(begin + (end - begin) * (t + 1) / tile_count - from);
    if (job->is_plain) {
      for (int i = 0; i < rows; i++) image[i] = input + (from + i) * c->input_channels;
    } else {
      for (int i = 0; i < rows; i++) {
        int64_t pixel = from + i;
        int64_t n = pixel / plane, y = pixel % plane / c->output_width, x = pixel % c->output_width;
        const float *base = input + n * c->input_height * c->input_width * c->input_channels;
        int64_t top = y * c->stride_height - c->pad_top, left = x * c->stride_width - c->pad_left;
        float *target = dense + i * job->depth;
        int64_t tap = 0;
        for (int64_t ky = 0; ky < c->kernel_height; ky++) {
          int64_t iy = top + ky * c->dilation_height;
          int inside = iy >= 0 && iy < c->input_height;
          for (int64_t kx = 0; kx < c->kernel_width; kx++, tap++) {
            int64_t ix = left + kx * c->dilation_width;
            const float *from_pixel = inside && ix >= 0 && ix < c->input_width
                                          ? base + (iy * c->input_width + ix) * c->input_channels
                                          : c->zeros;
            if (job->is_gathered) {
              for (int64_t k = 0; k < job->channels; k++) target[k] = from_pixel[k];
              target += job->channels;
            } else {
              image[tap * rows + i] = from_pixel;
            }
          }
        }
        if (job->is_gathered) image[i] = dense + i * job->depth;
      }
    }
    int64_t taps = job->is_gathered ? 1 : job->taps;
    int64_t channels = job->is_gathered ? job->depth : job->channels;
    for (int64_t panel = first_panel; panel < last_panel; panel++) {
      int64_t columns = min64(TILE_COLUMNS, job->outputs - panel * TILE_COLUMNS);
      tiles[rows - 1][columns > LANES](taps, channels, image, packed + panel * panel_count,
                                       output + from * c->output_channels + panel * TILE_COLUMNS,
                                       c->output_channels, columns, bounds);
    }
  }
}

static void conv(const ck_conv *c, ck_pool *pool) {
  conv_job job = {.c = c};
  job.pixels = c->batch * c->output_height * c->output_width;
  job.taps = c->kernel_height * c->kernel_width;
  job.channels = c->input_channels / c->groups;
  job.outputs = c->output_channels / c->groups;
  job.depth = job.taps * job.channels;
  job.group_packed = packed_count(job.outputs, job.depth);
  job.is_plain = job.taps == 1 && c->stride_height == 1 && c->stride_width == 1 &&
                 c->pad_top == 0 && c->pad_left == 0 && c->output_height == c->input_height &&
                 c->output_width == c->input_width;
  job.is_gathered = gathers(c);
  job.scratch = conv_scratch(c);
  if (job.pixels == 0 || job.outputs == 0) return;
  // Panels of a block stay in the second-level cache while the block's pixels pass.
  int64_t panels = (job.outputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  int64_t panel_bytes = TILE_COLUMNS * (job.depth + 1) * (int64_t)sizeof(float);
  job.block_panels = max64(1, min64(panels, (384 << 10) / panel_bytes));
  job.panel_blocks = (panels + job.block_panels - 1) / job.block_panels;
  // About a million multiplications an item: large against a hand-over, small against the whole.
  int64_t row_work = max64(1, job.block_panels * TILE_COLUMNS * job.depth);
  int64_t wanted = max64(1, (1 << 20) / row_work / TILE_ROWS) * TILE_ROWS;
  job.block_pixels = min64(job.pixels, max64(wanted, 4 * TILE_ROWS));
  job.pixel_blocks = (job.pixels + job.block_pixels - 1) / job.block_pixels;
  ck_parallel(pool, job.pixel_blocks * job.panel_blocks * c->groups, conv_item, &job);
}

// MARK: Depthwise convolution

#define DEPTHWISE_PIXELS 4

static int64_t depthwise_scratch(const ck_depthwise *c) {
  int64_t bytes = DEPTHWISE_PIXELS * c->kernel_height * c->kernel_width * (int64_t)sizeof(float *);
  return (bytes + 63) / 64 * 64;
}

// The outputs of `pixels` neighbouring pixels: each weight is loaded once for all of them.
INLINE void depthwise_pixels(const int pixels, int64_t taps, int64_t channels,
                             const float *const *image, const float *weights, const float *bias,
                             float *output, float low, float high) {
  vf lo = low - (vf){0}, hi = high - (vf){0};
  int64_t k = 0;
  for (; k + LANES <= channels; k += LANES) {
    vf sum[DEPTHWISE_PIXELS];
    vf start = bias ? LOAD(bias + k) : (vf){0};
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) sum[i] = start;
    for (int64_t tap = 0; tap < taps; tap++) {
      vf w = LOAD(weights + tap * channels + k);
#pragma clang loop unroll(full)
      for (int i = 0; i < pixels; i++) sum[i] += w * LOAD(image[tap * pixels + i] + k);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) {
      CLAMP(sum[i], lo, hi);
      STORE(output + i * channels + k, sum[i]);
    }
  }
  for (; k < channels; k++) {
    for (int i = 0; i < pixels; i++) {
      float sum = bias ? bias[k] : 0;
      for (int64_t tap = 0; tap < taps; tap++)
        sum += weights[tap * channels + k] * image[tap * pixels + i][k];
      output[i * channels + k] = clamp1(sum, low, high);
    }
  }
}

static void depthwise_item(const void *context, int64_t row, int worker) {
  const ck_depthwise *c = context;
  int64_t n = row / c->output_height, y = row % c->output_height;
  const float *base = c->input + n * c->input_height * c->input_width * c->channels;
  float *output = c->output + row * c->output_width * c->channels;
  const float **image =
      (const float **)(void *)((char *)c->scratch + worker * depthwise_scratch(c));
  int64_t top = y * c->stride_height - c->pad_top;
  int64_t taps = c->kernel_height * c->kernel_width;
  for (int64_t x = 0; x < c->output_width; x += DEPTHWISE_PIXELS) {
    int pixels = (int)min64(DEPTHWISE_PIXELS, c->output_width - x);
    int64_t tap = 0;
    for (int64_t ky = 0; ky < c->kernel_height; ky++) {
      int64_t iy = top + ky * c->dilation_height;
      int inside = iy >= 0 && iy < c->input_height;
      const float *line = base + iy * c->input_width * c->channels;
      for (int64_t kx = 0; kx < c->kernel_width; kx++, tap++) {
        for (int i = 0; i < pixels; i++) {
          int64_t ix = (x + i) * c->stride_width - c->pad_left + kx * c->dilation_width;
          image[tap * pixels + i] =
              inside && ix >= 0 && ix < c->input_width ? line + ix * c->channels : c->zeros;
        }
      }
    }
    float *out = output + x * c->channels;
    switch (pixels) {
      case 4: depthwise_pixels(4, taps, c->channels, image, c->weights, c->bias, out, c->low, c->high); break;
      case 3: depthwise_pixels(3, taps, c->channels, image, c->weights, c->bias, out, c->low, c->high); break;
      case 2: depthwise_pixels(2, taps, c->channels, image, c->weights, c->bias, out, c->low, c->high); break;
      default: depthwise_pixels(1, taps, c->channels, image, c->weights, c->bias, out, c->low, c->high);
    }
  }
}

static void depthwise(const ck_depthwise *c, ck_pool *pool) {
  int64_t work = c->output_width * c->channels * c->kernel_height * c->kernel_width;
  int64_t rows = c->batch * c->output_height;
  ck_parallel(work * rows > 1 << 16 ? pool : NULL, rows, depthwise_item, c);
}

// MARK: Pooling

static void pool_item(const void *context, int64_t row, int worker) {
  (void)worker;
  const ck_pool2d *c = context;
  int64_t n = row / c->output_height, y = row % c->output_height, channels = c->channels;
  const float *base = c->input + n * c->input_height * c->input_width * channels;
  int64_t top = y * c->stride_height - c->pad_top;
  int64_t y0 = max64(top, 0), y1 = min64(top + c->window_height, c->input_height);
  for (int64_t x = 0; x < c->output_width; x++) {
    int64_t left = x * c->stride_width - c->pad_left;
    int64_t x0 = max64(left, 0), x1 = min64(left + c->window_width, c->input_width);
    float *restrict out = c->output + (row * c->output_width + x) * channels;
    float start = c->average ? 0 : -INFINITY;
    for (int64_t k = 0; k < channels; k++) out[k] = start;
    for (int64_t iy = y0; iy < y1; iy++) {
      for (int64_t ix = x0; ix < x1; ix++) {
        const float *in = base + (iy * c->input_width + ix) * channels;
        if (c->average) {
          for (int64_t k = 0; k < channels; k++) out[k] += in[k];
        } else {
          for (int64_t k = 0; k < channels; k++) out[k] = in[k] > out[k] ? in[k] : out[k];
        }
      }
    }
    int64_t count = max64(0, y1 - y0) * max64(0, x1 - x0);
    if (c->average) {
      float divisor = count > 0 ? (float)count : 1;
      for (int64_t k = 0; k < channels; k++) out[k] = out[k] / divisor;
    }
    for (int64_t k = 0; k < channels; k++) out[k] = clamp1(out[k], c->low, c->high);
  }
}

static void pool2d(const ck_pool2d *c, ck_pool *pool) {
  int64_t rows = c->batch * c->output_height;
  int64_t work = rows * c->output_width * c->channels * c->window_height * c->window_width;
  ck_parallel(work > 1 << 16 ? pool : NULL, rows, pool_item, c);
}

// MARK: Elementwise

#define BINARY_LOOP(EXPRESSION)                                                           \
  if (a_step && b_step) {                                                                 \
    for (int64_t i = 0; i < count; i++) {                                                 \
      float x = a[i], y = b[i];                                                           \
      out[i] = clamp1(EXPRESSION, low, high);                                             \
    }                                                                                     \
  } else if (a_step) {                                                                    \
    float y = b[0];                                                                       \
    for (int64_t i = 0; i < count; i++) {                                                 \
      float x = a[i];                                                                     \
      out[i] = clamp1(EXPRESSION, low, high);                                             \
    }                                                                                     \
  } else {                                                                                \
    float x = a[0];                                                                       \
    for (int64_t i = 0; i < count; i++) {                                                 \
      float y = b[b_step * i];                                                            \
      out[i] = clamp1(EXPRESSION, low, high);                                             \
    }                                                                                     \
  }                                                                                       \
  break

static void binary(ck_binary op, const float *a, int64_t a_step, const float *b, int64_t b_step,
                   float *out, int64_t count, float low, float high) {
  switch (op) {
    case CK_ADD: BINARY_LOOP(x + y);
    case CK_SUBTRACT: BINARY_LOOP(x - y);
    case CK_MULTIPLY: BINARY_LOOP(x * y);
    case CK_DIVIDE: BINARY_LOOP(x / y);
    case CK_MAXIMUM: BINARY_LOOP(x > y ? x : y);
    case CK_MINIMUM: BINARY_LOOP(x < y ? x : y);
    case CK_SQUARED_DIFFERENCE: BINARY_LOOP((x - y) * (x - y));
  }
}

// exp to about 1.5 units in the last place: 2^n times a polynomial (Remez, degree 6) of the rest.
INLINE float exp1(float x) {
  float bounded = x < -87.33655f ? -87.33655f : x;
  bounded = bounded > 88.72283f ? 88.72283f : bounded;
  bounded = x == x ? bounded : 0;
  float scaled = bounded * 1.44269504088896341f;
  int32_t n = (int32_t)(scaled + (scaled < 0 ? -0.5f : 0.5f));
  float f = (float)n;
  float r = bounded - f * 0.693145751953125f;
  r = r - f * 1.428606765330187045e-06f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // Two factors, because 2^n alone leaves the range at both ends.
  int32_t half = n / 2;
  union { int32_t i; float f; } u, v;
  u.i = (half + 127) << 23;
  v.i = (n - half + 127) << 23;
  p = p * u.f * v.f;
  p = x < -103.98f ? 0 : p;
  p = x > 88.72283f ? INFINITY : p;
  return x == x ? p : x;
}

INLINE float sigmoid1(float x) {
  float e = exp1(x < 0 ? x : -x);
  float small = e / (1 + e);
  return x < 0 ? small : 1 - small;
}

INLINE float tanh1(float x) {
  float magnitude = x < 0 ? -x : x;
  float e = exp1(-2 * magnitude);
  float large = (1 - e) / (1 + e);
  // Near zero the difference cancels: odd Taylor polynomial below 0.3.
  float s = x * x;
  float p = -1382.0f / 155925;
  p = p * s + 62.0f / 2835;
  p = p * s - 17.0f / 315;
  p = p * s + 2.0f / 15;
  p = p * s - 1.0f / 3;
  float small = x + x * s * p;
  float signed_large = x < 0 ? -large : large;
  return magnitude < 0.3f ? small : signed_large;
}

#define UNARY_LOOP(EXPRESSION)            \
  for (int64_t i = 0; i < count; i++) {   \
    float x = in[i];                      \
    out[i] = (EXPRESSION);                \
  }                                       \
  break

static void unary(ck_unary op, const float *in, float *out, int64_t count, float p, float q) {
  switch (op) {
    case CK_CLAMP: UNARY_LOOP(clamp1(x, p, q));
    case CK_SIGMOID: UNARY_LOOP(sigmoid1(x));
    case CK_TANH: UNARY_LOOP(tanh1(x));
    case CK_EXP: UNARY_LOOP(exp1(x));
    case CK_ABS: UNARY_LOOP(__builtin_fabsf(x));
    case CK_NEGATIVE: UNARY_LOOP(-x);
    case CK_SQUARE: UNARY_LOOP(x * x);
    case CK_SQRT: UNARY_LOOP(__builtin_sqrtf(x));
    case CK_RSQRT: UNARY_LOOP(1 / __builtin_sqrtf(x));
    case CK_LEAKY: UNARY_LOOP(x < 0 ? p * x : x);
    case CK_HARD_SWISH: UNARY_LOOP(x * clamp1(x + 3, 0, 6) / 6);
  }
}

static void scale_rows(const float *in, const float *scale, const float *offset, float *out,
                       int64_t rows, int64_t count) {
  for (int64_t row = 0; row < rows; row++) {
    const float *from = in + row * count;
    float *to = out + row * count;
    for (int64_t i = 0; i < count; i++) to[i] = scale[i] * from[i] + offset[i];
  }
}

static void softmax(const float *in, float *out, int64_t rows, int64_t count, float beta) {
  for (int64_t row = 0; row < rows; row++) {
    const float *from = in + row * count;
    float *to = out + row * count;
    float most = -INFINITY;
    for (int64_t i = 0; i < count; i++) most = from[i] > most ? from[i] : most;
    for (int64_t i = 0; i < count; i++) to[i] = exp1(beta * (from[i] - most));
    vf sums = {0};
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) sums += LOAD(to + i);
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += sums[lane];
    for (; i < count; i++) sum += to[i];
    for (i = 0; i < count; i++) to[i] = to[i] / sum;
  }
}

static int64_t range(const float *in, int64_t count, float *low, float *high) {
  vf least = INFINITY - (vf){0}, most = -least;
  vi faults = {0};
  float l = INFINITY, h = -INFINITY;
  int64_t bad = 0, i = 0;
  while (i + LANES <= count) {
    // The lanes' counters have 32 bits.
    int64_t end = min64(count, i + ((int64_t)LANES << 30));
    for (; i + LANES <= end; i += LANES) {
      vf x = LOAD(in + i);
      vi less = x < least, more = x > most;
      least = (vf)(((vi)x & less) | ((vi)least & ~less));
      most = (vf)(((vi)x & more) | ((vi)most & ~more));
      faults -= ((vi)x & 0x7f800000) == (0x7f800000 - (vi){0});
    }
    for (int lane = 0; lane < LANES; lane++) bad += faults[lane];
    faults = (vi){0};
  }
  for (int lane = 0; lane < LANES; lane++) {
    l = least[lane] < l ? least[lane] : l;
    h = most[lane] > h ? most[lane] : h;
  }
  for (; i < count; i++) {
    float x = in[i];
    l = x < l ? x : l;
    h = x > h ? x : h;
    bad += !(__builtin_fabsf(x) < INFINITY);
  }
  *low = l;
  *high = h;
  return bad;
}

static void round_trip(const float *in, float *out, int64_t count, float scale, int32_t zero_point,
                       int32_t low, int32_t high) {
  float least = (float)(low - zero_point), most = (float)(high - zero_point);
  for (int64_t i = 0; i < count; i++) {
    float x = in[i] / scale;
    x = x == x ? x : 0;
    x = clamp1(x, least, most);
    // Half away from zero; the constant is the greatest float below one half.
    int32_t rounded = (int32_t)(x + (x < 0 ? -0.49999997f : 0.49999997f));
    out[i] = (float)rounded * scale;
  }
}

const ck_kernels SET = {
    .name = SET_NAME,
    .tile_rows = TILE_ROWS,
    .tile_columns = TILE_COLUMNS,
    .packed_count = packed_count,
    .pack = pack,
    .conv_scratch = conv_scratch,
    .conv = conv,
    .depthwise_scratch = depthwise_scratch,
    .depthwise = depthwise,
    .pool2d = pool2d,
    .binary = binary,
    .unary = unary,
    .scale_rows = scale_rows,
    .softmax = softmax,
    .range = range,
    .round_trip = round_trip,
};
