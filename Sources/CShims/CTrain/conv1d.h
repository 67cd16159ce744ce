// Convolutions along time, with time in the lanes.
//
// With few channels (20 in the autoencoder that this is for) a vector of channels is mostly empty, and
// so is a product of matrices. A vector of neighbouring moments is always full: signals are turned to
// one row for each channel, with zeros where the border is, and turned back at the end. A tile keeps
// TIME_OUTPUTS channels x 2 vectors of moments in registers while inputs and taps pass; a dilation is
// only another step between the rows' moments.

// Longest piece of a signal that is one item of work; longer ones are cut.
#define SEGMENT 2048
#define TIME_STEP (2 * LANES)
#define MOST_CHUNKS 16

// Outputs in blocks of nearly equal width.
INLINE int64_t time_blocks(int64_t outputs) { return (outputs + TIME_OUTPUTS - 1) / TIME_OUTPUTS; }
INLINE int64_t time_block_begin(int64_t outputs, int64_t block) {
  return outputs * block / time_blocks(outputs);
}

typedef struct {
  const ct_conv1d *c;
  int64_t segments, segment;        // pieces of the longer of input and output
  int64_t rounded;                  // moments of a piece in whole tiles
  int64_t reach;                    // (taps - 1) * dilation
  int64_t row;                      // floats of one channel's row with border
  int64_t chunks, items;            // backward: sums over items are kept for each chunk
  int64_t thread_floats;
  float *threads;                   // rows of both signals for each worker
  float *packed, *packed_back;      // filters in the order in which tiles read them
  float *partial;                   // chunks x (w, bias)
} conv1d_job;

INLINE int64_t conv1d_weights(const ct_conv1d *c) { return c->outputs * c->taps * c->inputs; }

INLINE void conv1d_cut(const ct_conv1d *c, conv1d_job *job) {
  int64_t longest = max64(c->length, c->output_length);
  job->c = c;
  job->segments = longest <= SEGMENT ? 1 : (longest + SEGMENT / 2 - 1) / (SEGMENT / 2);
  job->segment = round_up((longest + job->segments - 1) / job->segments, TIME_STEP);
  job->segments = (longest + job->segment - 1) / job->segment;
  job->rounded = round_up(job->segment, TIME_STEP);
  job->reach = (c->taps - 1) * c->dilation;
  job->row = round_up(job->rounded + 2 * job->reach + 2 * LANES, LANES);
  // Rows whose distance is a power of two would meet in the same lines of the cache.
  if (job->row % 256 == 0) job->row += LANES;
  job->items = c->batch * job->segments;
  job->chunks = min64(job->items, MOST_CHUNKS);
  int64_t channels = c->inputs + c->outputs;
  // Turned input and output, and the turned result.
  job->thread_floats = channels * job->row + max64(c->inputs, c->outputs) * job->row;
}

static int64_t conv1d_scratch(const ct_conv1d *c, int threads) {
  conv1d_job job;
  conv1d_cut(c, &job);
  int64_t weights = round_up(conv1d_weights(c), LANES);
  int64_t floats = job.thread_floats * threads + 2 * weights +
                   job.chunks * (weights + round_up(c->outputs, LANES)) + 16 * LANES;
  return floats * (int64_t)sizeof(float);
}

INLINE void conv1d_place(conv1d_job *job, int threads) {
  const ct_conv1d *c = job->c;
  int64_t weights = round_up(conv1d_weights(c), LANES);
  job->packed = c->scratch;
  job->packed_back = job->packed + weights;
  job->partial = job->packed_back + weights;
  job->threads = job->partial + job->chunks * (weights + round_up(c->outputs, LANES));
  (void)threads;
}

// MARK: Tiles

// y[o][t] for `outputs` channels and TIME_STEP moments from `y`.
INLINE void time_tile(const int outputs, int64_t inputs, int64_t taps, int64_t dilation,
                      const float *x, int64_t x_row, const float *w, const float *bias, float *y,
                      int64_t y_row, const float *bounds) {
  vf s[TIME_OUTPUTS][2];
  UNROLL for (int o = 0; o < outputs; o++) s[o][0] = s[o][1] = (bias ? bias[o] : 0) - (vf){0};
  for (int64_t i = 0; i < inputs; i++) {
    const float *at = x + i * x_row;
    for (int64_t k = 0; k < taps; k++) {
      vf a = LOAD(at), b = LOAD(at + LANES);
      at += dilation;
      UNROLL for (int o = 0; o < outputs; o++) {
        float f = w[o];
        s[o][0] += f * a;
        s[o][1] += f * b;
      }
      w += outputs;
    }
  }
  if (bounds) {
    vf lo = bounds[0] - (vf){0}, hi = bounds[1] - (vf){0};
    UNROLL for (int o = 0; o < outputs; o++) {
      CLAMP(s[o][0], lo, hi);
      CLAMP(s[o][1], lo, hi);
    }
  }
  UNROLL for (int o = 0; o < outputs; o++) {
    STORE(y + o * y_row, s[o][0]);
    STORE(y + o * y_row + LANES, s[o][1]);
  }
}

typedef void (*time_function)(int64_t, int64_t, int64_t, const float *, int64_t, const float *,
                              const float *, float *, int64_t, const float *);

#define TIME_TILE(N)                                                                              \
  static void time_tile_##N(int64_t inputs, int64_t taps, int64_t dilation, const float *x,       \
                            int64_t x_row, const float *w, const float *bias, float *y,           \
                            int64_t y_row, const float *bounds) {                                 \
    time_tile(N, inputs, taps, dilation, x, x_row, w, bias, y, y_row, bounds);                    \
  }
TIME_TILE(1)
TIME_TILE(2)
TIME_TILE(3)
TIME_TILE(4)
TIME_TILE(5)
#if TIME_OUTPUTS > 5
TIME_TILE(6)
TIME_TILE(7)
TIME_TILE(8)
TIME_TILE(9)
TIME_TILE(10)
#endif

static const time_function time_tiles[TIME_OUTPUTS] = {
    time_tile_1, time_tile_2, time_tile_3, time_tile_4, time_tile_5,
#if TIME_OUTPUTS > 5
    time_tile_6, time_tile_7, time_tile_8, time_tile_9, time_tile_10,
#endif
};

// w[o][k][i] as [block of o][i][k][o].
static void time_pack(const ct_conv1d *c, float *packed) {
  for (int64_t block = 0; block < time_blocks(c->outputs); block++) {
    int64_t begin = time_block_begin(c->outputs, block), end = time_block_begin(c->outputs, block + 1);
    for (int64_t i = 0; i < c->inputs; i++)
      for (int64_t k = 0; k < c->taps; k++)
        for (int64_t o = begin; o < end; o++) *packed++ = c->w[(o * c->taps + k) * c->inputs + i];
  }
}

// The filter of the gradient of x: inputs and outputs changed over, taps reversed.
static void time_pack_back(const ct_conv1d *c, float *packed) {
  for (int64_t block = 0; block < time_blocks(c->inputs); block++) {
    int64_t begin = time_block_begin(c->inputs, block), end = time_block_begin(c->inputs, block + 1);
    for (int64_t o = 0; o < c->outputs; o++)
      for (int64_t k = 0; k < c->taps; k++)
        for (int64_t i = begin; i < end; i++)
          *packed++ = c->w[(o * c->taps + c->taps - 1 - k) * c->inputs + i];
  }
}

// Moments `begin` ..< `begin + count` of a signal, turned; zeros outside the signal.
static void time_turn(const float *signal, int64_t length, int64_t channels, int64_t begin,
                      int64_t count, float *rows, int64_t row) {
  int64_t from = max64(begin, 0), to = min64(begin + count, length);
  if (to <= from) from = to = begin;
  for (int64_t k = 0; k < channels; k++) {
    float *r = rows + k * row;
    memset(r, 0, sizeof(float) * (size_t)(from - begin));
    memset(r + (to - begin), 0, sizeof(float) * (size_t)(row - (to - begin)));
  }
  transpose(signal + from * channels, to - from, channels, channels, rows + (from - begin), row);
}

// `count` moments of every output channel, from rows in which the first tap of moment 0 lies first.
static void time_convolve(int64_t inputs, int64_t outputs, int64_t taps, int64_t dilation,
                          const float *x, const float *packed, const float *bias, float *y,
                          int64_t row, int64_t count, const float *bounds) {
  for (int64_t t = 0; t < count; t += TIME_STEP) {
    const float *w = packed;
    for (int64_t block = 0; block < time_blocks(outputs); block++) {
      int64_t begin = time_block_begin(outputs, block), end = time_block_begin(outputs, block + 1);
      time_tiles[end - begin - 1](inputs, taps, dilation, x + t, row, w, bias ? bias + begin : NULL,
                                  y + begin * row + t, row, bounds);
      w += (end - begin) * inputs * taps;
    }
  }
}

// MARK: Forward

static void conv1d_item(const void *context, int64_t item, int worker) {
  const conv1d_job *job = context;
  const ct_conv1d *c = job->c;
  int64_t n = item / job->segments, begin = item % job->segments * job->segment;
  int64_t count = min64(job->segment, c->output_length - begin);
  if (count <= 0) return;
  float *x = job->threads + worker * job->thread_floats;
  float *y = x + c->inputs * job->row;
  float bounds[2] = {c->low, c->high};
  time_turn(c->x + n * c->length * c->inputs, c->length, c->inputs, begin - c->pad,
            count + job->reach, x, job->row);
  time_convolve(c->inputs, c->outputs, c->taps, c->dilation, x, job->packed, c->bias, y, job->row,
                count, c->has_bounds ? bounds : NULL);
  transpose(y, c->outputs, count, job->row, c->y + (n * c->output_length + begin) * c->outputs,
            c->outputs);
}

static void conv1d(const ct_conv1d *c, ck_pool *pool) {
  conv1d_job job;
  conv1d_cut(c, &job);
  conv1d_place(&job, 0);
  time_pack(c, job.packed);
  ck_parallel(pool, job.items, conv1d_item, &job);
}

// MARK: Backward

// Adds the products of GRADIENT_OUTPUTS rows of y's gradient with GRADIENT_TAPS shifted pieces of one
// row of x to the weights' gradient.
INLINE void weight_tile(const int outputs, const int taps, int64_t count, int64_t dilation,
                        const float *x, const float *dy, int64_t row, float *dw, int64_t o_step,
                        int64_t k_step) {
  vf s[(GRADIENT_OUTPUTS * GRADIENT_TAPS + LANES - 1) / LANES * LANES];
  UNROLL for (int j = 0; j < outputs * taps; j++) s[j] = (vf){0};
  for (int64_t t = 0; t < count; t += LANES) {
    vf d[GRADIENT_OUTPUTS];
    UNROLL for (int o = 0; o < outputs; o++) d[o] = LOAD(dy + o * row + t);
    UNROLL for (int k = 0; k < taps; k++) {
      vf v = LOAD(x + k * dilation + t);
      UNROLL for (int o = 0; o < outputs; o++) s[o * taps + k] += d[o] * v;
    }
  }
  UNROLL for (int j = outputs * taps; j < (outputs * taps + LANES - 1) / LANES * LANES; j++)
    s[j] = (vf){0};
  float sums[(GRADIENT_OUTPUTS * GRADIENT_TAPS + LANES - 1) / LANES * LANES];
  UNROLL for (int j = 0; j < outputs * taps; j += LANES) STORE(sums + j, lane_sums(s + j));
  for (int o = 0; o < outputs; o++)
    for (int k = 0; k < taps; k++) dw[o * o_step + k * k_step] += sums[o * taps + k];
}

typedef void (*weight_function)(int64_t, int64_t, const float *, const float *, int64_t, float *,
                                int64_t, int64_t);

#define WEIGHT_TILE(O, K)                                                                        \
  static void weight_tile_##O##x##K(int64_t count, int64_t dilation, const float *x,             \
                                    const float *dy, int64_t row, float *dw, int64_t o_step,     \
                                    int64_t k_step) {                                            \
    weight_tile(O, K, count, dilation, x, dy, row, dw, o_step, k_step);                          \
  }
#define WEIGHT_ROW(O) {weight_tile_##O##x1, weight_tile_##O##x2, weight_tile_##O##x3, WEIGHT_REST(O)}
#if GRADIENT_TAPS == 5
#define WEIGHT_TILES(O) \
  WEIGHT_TILE(O, 1) WEIGHT_TILE(O, 2) WEIGHT_TILE(O, 3) WEIGHT_TILE(O, 4) WEIGHT_TILE(O, 5)
#define WEIGHT_REST(O) weight_tile_##O##x4, weight_tile_##O##x5
#elif GRADIENT_TAPS == 4
#define WEIGHT_TILES(O) WEIGHT_TILE(O, 1) WEIGHT_TILE(O, 2) WEIGHT_TILE(O, 3) WEIGHT_TILE(O, 4)
#define WEIGHT_REST(O) weight_tile_##O##x4
#else
#define WEIGHT_TILES(O) WEIGHT_TILE(O, 1) WEIGHT_TILE(O, 2) WEIGHT_TILE(O, 3)
#define WEIGHT_REST(O)
#endif
WEIGHT_TILES(1)
WEIGHT_TILES(2)
WEIGHT_TILES(3)
#if GRADIENT_OUTPUTS > 3
WEIGHT_TILES(4)
WEIGHT_TILES(5)
#endif

static const weight_function weight_tiles[GRADIENT_OUTPUTS][GRADIENT_TAPS] = {
    WEIGHT_ROW(1), WEIGHT_ROW(2), WEIGHT_ROW(3),
#if GRADIENT_OUTPUTS > 3
    WEIGHT_ROW(4), WEIGHT_ROW(5),
#endif
};

// One part of the batch: its share of the weights' gradient, and its windows' gradients of x.
static void conv1d_gradient_chunk(const void *context, int64_t chunk, int worker) {
  const conv1d_job *job = context;
  const ct_conv1d *c = job->c;
  int64_t first = job->items * chunk / job->chunks, last = job->items * (chunk + 1) / job->chunks;
  int64_t weights = round_up(conv1d_weights(c), LANES);
  float *dw = job->partial + chunk * (weights + round_up(c->outputs, LANES));
  float *db = dw + weights;
  float *x = job->threads + worker * job->thread_floats;
  float *dy = x + c->inputs * job->row;
  float *dx = dy + c->outputs * job->row;
  memset(dw, 0, sizeof(float) * (size_t)(weights + c->outputs));
  // dx[t] gathers dy[t + pad - k * dilation]: rows of dy begin `before` moments before the piece.
  int64_t before = job->reach - c->pad;
  for (int64_t item = first; item < last; item++) {
    int64_t n = item / job->segments, begin = item % job->segments * job->segment;
    const float *signal = c->x + n * c->length * c->inputs;
    const float *gradient = c->y_gradient + n * c->output_length * c->outputs;
    if (c->w_gradient || c->bias_gradient) {
      int64_t count = min64(job->segment, c->output_length - begin);
      if (count > 0) {
        time_turn(gradient, c->output_length, c->outputs, begin, count, dy, job->row);
        for (int64_t o = 0; o < c->outputs; o++) {
          vf total = {0};
          for (int64_t t = 0; t < count; t += LANES) total += LOAD(dy + o * job->row + t);
          db[o] += lane_sum(total);
        }
      }
      if (count > 0 && c->w_gradient) {
        time_turn(signal, c->length, c->inputs, begin - c->pad, count + job->reach, x, job->row);
        for (int64_t o = 0; o < c->outputs; o += GRADIENT_OUTPUTS) {
          int64_t outputs = min64(GRADIENT_OUTPUTS, c->outputs - o);
          for (int64_t i = 0; i < c->inputs; i++) {
            for (int64_t k = 0; k < c->taps; k += GRADIENT_TAPS) {
              int64_t taps = min64(GRADIENT_TAPS, c->taps - k);
              weight_tiles[outputs - 1][taps - 1](
                  count, c->dilation, x + i * job->row + k * c->dilation, dy + o * job->row,
                  job->row, dw + (o * c->taps + k) * c->inputs + i, c->taps * c->inputs, c->inputs);
            }
          }
        }
      }
    }
    if (c->x_gradient) {
      int64_t count = min64(job->segment, c->length - begin);
      if (count > 0) {
        time_turn(gradient, c->output_length, c->outputs, begin - before, count + job->reach, dy,
                  job->row);
        time_convolve(c->outputs, c->inputs, c->taps, c->dilation, dy, job->packed_back, NULL, dx,
                      job->row, count, NULL);
        transpose(dx, c->inputs, count, job->row,
                  c->x_gradient + (n * c->length + begin) * c->inputs, c->inputs);
      }
    }
  }
}

static void conv1d_gradient(const ct_conv1d *c, ck_pool *pool) {
  conv1d_job job;
  conv1d_cut(c, &job);
  conv1d_place(&job, 0);
  if (c->x_gradient) time_pack_back(c, job.packed_back);
  ck_parallel(pool, job.chunks, conv1d_gradient_chunk, &job);
  int64_t count = conv1d_weights(c), step = round_up(count, LANES) + round_up(c->outputs, LANES);
  if (c->w_gradient) {
    memcpy(c->w_gradient, job.partial, sizeof(float) * (size_t)count);
    for (int64_t chunk = 1; chunk < job.chunks; chunk++)
      for (int64_t i = 0; i < count; i++) c->w_gradient[i] += job.partial[chunk * step + i];
  }
  if (c->bias_gradient) {
    for (int64_t o = 0; o < c->outputs; o++) {
      float total = 0;
      for (int64_t chunk = 0; chunk < job.chunks; chunk++)
        total += job.partial[chunk * step + round_up(count, LANES) + o];
      c->bias_gradient[o] = total;
    }
  }
}
