// Depthwise convolutions with a step of 1.
//
// A row of pixels and channels is one run of floats in which the neighbour at the left lies `channels`
// floats before: lanes take consecutive floats, whatever the number of channels, and the filter of one
// tap is repeated along the run.

#define FLAT_VECTORS 4
#define TAP_SUMS 7
#define FEWEST_ITEMS 16

typedef struct {
  const ct_depthwise *c;
  int64_t bands, band;        // output rows of one item
  int64_t rows, row;          // rows of a padded band, floats of one
  int64_t items, chunks;
  int64_t thread_floats;
  float *expanded;            // taps x (channels + LANES): the filter, repeated
  float *expanded_bias;
  float *partial, *threads;
} depthwise_job;

INLINE void depthwise_cut(const ct_depthwise *c, depthwise_job *job) {
  job->c = c;
  int64_t wanted = (FEWEST_ITEMS + c->batch - 1) / max64(c->batch, 1);
  job->bands = max64(1, min64(wanted, c->output_height / 4));
  job->band = (c->output_height + job->bands - 1) / job->bands;
  job->bands = (c->output_height + job->band - 1) / job->band;
  job->rows = job->band + (c->kernel_height - 1) * c->dilation_height;
  int64_t width = c->output_width + (c->kernel_width - 1) * c->dilation_width;
  job->row = round_up(width * c->channels + FLAT_VECTORS * LANES, LANES);
  job->items = c->batch * job->bands;
  job->chunks = min64(job->items, MOST_CHUNKS);
  job->thread_floats =
      job->rows * job->row + job->band * round_up(c->output_width * c->channels + 2 * LANES, LANES);
}

INLINE int64_t depthwise_expanded(const ct_depthwise *c) {
  return round_up((c->kernel_height * c->kernel_width + 1) * (c->channels + LANES), LANES);
}
INLINE int64_t depthwise_weights(const ct_depthwise *c) {
  return round_up(c->kernel_height * c->kernel_width * c->channels, LANES);
}

static int64_t depthwise_scratch(const ct_depthwise *c, int threads) {
  depthwise_job job;
  depthwise_cut(c, &job);
  return (depthwise_expanded(c) + job.chunks * depthwise_weights(c) + job.thread_floats * threads) *
         (int64_t)sizeof(float);
}

INLINE void depthwise_place(depthwise_job *job) {
  const ct_depthwise *c = job->c;
  job->expanded = c->scratch;
  job->expanded_bias = job->expanded + c->kernel_height * c->kernel_width * (c->channels + LANES);
  job->partial = job->expanded + depthwise_expanded(c);
  job->threads = job->partial + job->chunks * depthwise_weights(c);
}

// The rows of the image that output rows `first` ..< `first + count` see, with zeros around.
static void depthwise_band(const depthwise_job *job, int64_t n, int64_t first, int64_t count,
                           float *rows) {
  const ct_depthwise *c = job->c;
  int64_t needed = count + (c->kernel_height - 1) * c->dilation_height;
  int64_t x_begin = -c->pad_left;
  int64_t x_end = c->output_width + (c->kernel_width - 1) * c->dilation_width - c->pad_left;
  int64_t from = max64(x_begin, 0), to = max64(from, min64(x_end, c->width));
  for (int64_t r = 0; r < needed; r++) {
    float *row = rows + r * job->row;
    int64_t y = first - c->pad_top + r;
    if (y < 0 || y >= c->height) {
      memset(row, 0, sizeof(float) * (size_t)job->row);
      continue;
    }
    int64_t lead = (from - x_begin) * c->channels, length = (to - from) * c->channels;
    memset(row, 0, sizeof(float) * (size_t)lead);
    memcpy(row + lead, c->x + ((n * c->height + y) * c->width + from) * c->channels,
           sizeof(float) * (size_t)length);
    memset(row + lead + length, 0, sizeof(float) * (size_t)(job->row - lead - length));
  }
}

INLINE void depthwise_run(const depthwise_job *job, const float *rows, float *y, int64_t begin,
                          const int vectors, int64_t count, vf lo, vf hi) {
  const ct_depthwise *c = job->c;
  int64_t channels = c->channels, period = channels + LANES;
  int64_t place[FLAT_VECTORS];
  vf s[FLAT_VECTORS];
  UNROLL for (int u = 0; u < vectors; u++) {
    place[u] = (begin + u * LANES) % channels;
    s[u] = LOAD(job->expanded_bias + place[u]);
  }
  const float *w = job->expanded;
  for (int64_t ky = 0; ky < c->kernel_height; ky++) {
    const float *x = rows + ky * c->dilation_height * job->row + begin;
    for (int64_t kx = 0; kx < c->kernel_width; kx++) {
      UNROLL for (int u = 0; u < vectors; u++)
        s[u] += LOAD(x + u * LANES) * LOAD(w + place[u]);
      x += c->dilation_width * channels;
      w += period;
    }
  }
  UNROLL for (int u = 0; u < vectors; u++) CLAMP(s[u], lo, hi);
  if (count >= vectors * LANES) {
    UNROLL for (int u = 0; u < vectors; u++) STORE(y + begin + u * LANES, s[u]);
  } else {
    float part[FLAT_VECTORS * LANES];
    UNROLL for (int u = 0; u < vectors; u++) STORE(part + u * LANES, s[u]);
    for (int64_t j = 0; j < count; j++) y[begin + j] = part[j];
  }
}

static void depthwise_item(const void *context, int64_t item, int worker) {
  const depthwise_job *job = context;
  const ct_depthwise *c = job->c;
  int64_t n = item / job->bands, first = item % job->bands * job->band;
  int64_t count = min64(job->band, c->output_height - first);
  float *rows = job->threads + worker * job->thread_floats;
  depthwise_band(job, n, first, count, rows);
  int64_t length = c->output_width * c->channels;
  vf lo = c->low - (vf){0}, hi = c->high - (vf){0};
  for (int64_t r = 0; r < count; r++) {
    float *y = c->y + ((n * c->output_height) + first + r) * length;
    const float *seen = rows + r * job->row;
    int64_t j = 0;
    for (; j + FLAT_VECTORS * LANES <= length; j += FLAT_VECTORS * LANES)
      depthwise_run(job, seen, y, j, FLAT_VECTORS, length - j, lo, hi);
    for (; j < length; j += LANES) depthwise_run(job, seen, y, j, 1, length - j, lo, hi);
  }
}

static void depthwise(const ct_depthwise *c, ck_pool *pool) {
  depthwise_job job;
  depthwise_cut(c, &job);
  depthwise_place(&job);
  int64_t taps = c->kernel_height * c->kernel_width, period = c->channels + LANES;
  for (int64_t tap = 0; tap < taps; tap++)
    for (int64_t j = 0; j < period; j++)
      job.expanded[tap * period + j] = c->w[tap * c->channels + j % c->channels];
  for (int64_t j = 0; j < period; j++) job.expanded_bias[j] = c->bias ? c->bias[j % c->channels] : 0;
  ck_parallel(pool, job.items, depthwise_item, &job);
}

// The sums of up to TAP_SUMS neighbouring taps of a row of the filter, over all rows of a band.
INLINE void depthwise_sums(const depthwise_job *job, const int taps, const float *rows,
                           const float *dy, int64_t dy_row, int64_t count, int64_t step,
                           int64_t length, vf *s) {
  int64_t shift = job->c->dilation_width * job->c->channels;
  UNROLL for (int k = 0; k < taps; k++) s[k] = (vf){0};
  for (int64_t r = 0; r < count; r++) {
    const float *x = rows + r * job->row, *d = dy + r * dy_row;
    for (int64_t j = 0; j < length; j += step) {
      vf g = LOAD(d + j);
      UNROLL for (int k = 0; k < taps; k++) s[k] += g * LOAD(x + j + k * shift);
    }
  }
}

static void depthwise_gradient_chunk(const void *context, int64_t chunk, int worker) {
  const depthwise_job *job = context;
  const ct_depthwise *c = job->c;
  int64_t first_item = job->items * chunk / job->chunks;
  int64_t last_item = job->items * (chunk + 1) / job->chunks;
  float *dw = job->partial + chunk * depthwise_weights(c);
  memset(dw, 0, sizeof(float) * (size_t)depthwise_weights(c));
  float *rows = job->threads + worker * job->thread_floats;
  float *dy = rows + job->rows * job->row;
  int64_t channels = c->channels, length = c->output_width * channels;
  int64_t dy_row = round_up(length + 2 * LANES, LANES);
  // Lanes keep their channel from step to step: a step is a whole number of pixels.
  int64_t pixels = channels <= LANES ? LANES / channels : 1, step = pixels * channels;
  for (int64_t item = first_item; item < last_item; item++) {
    int64_t n = item / job->bands, first = item % job->bands * job->band;
    int64_t count = min64(job->band, c->output_height - first);
    depthwise_band(job, n, first, count, rows);
    for (int64_t r = 0; r < count; r++) {
      memcpy(dy + r * dy_row, c->y_gradient + (n * c->output_height + first + r) * length,
             sizeof(float) * (size_t)length);
      memset(dy + r * dy_row + length, 0, sizeof(float) * (size_t)(dy_row - length));
    }
    for (int64_t c0 = 0; c0 < channels; c0 += LANES) {
      for (int64_t ky = 0; ky < c->kernel_height; ky++) {
        const float *x = rows + ky * c->dilation_height * job->row + c0;
        for (int64_t kx = 0; kx < c->kernel_width; kx += TAP_SUMS) {
          int64_t taps = min64(TAP_SUMS, c->kernel_width - kx);
          const float *from = x + kx * c->dilation_width * channels;
          vf s[TAP_SUMS];
          switch (taps) {
            case 7: depthwise_sums(job, 7, from, dy + c0, dy_row, count, step, length - c0, s); break;
            case 6: depthwise_sums(job, 6, from, dy + c0, dy_row, count, step, length - c0, s); break;
            case 5: depthwise_sums(job, 5, from, dy + c0, dy_row, count, step, length - c0, s); break;
            case 4: depthwise_sums(job, 4, from, dy + c0, dy_row, count, step, length - c0, s); break;
            case 3: depthwise_sums(job, 3, from, dy + c0, dy_row, count, step, length - c0, s); break;
            case 2: depthwise_sums(job, 2, from, dy + c0, dy_row, count, step, length - c0, s); break;
            default: depthwise_sums(job, 1, from, dy + c0, dy_row, count, step, length - c0, s);
          }
          for (int64_t k = 0; k < taps; k++) {
            float *to = dw + (ky * c->kernel_width + kx + k) * channels;
            if (channels <= LANES) {
              for (int64_t j = 0; j < step; j++) to[j % channels] += s[k][j];
            } else {
              for (int64_t j = 0; j < min64(LANES, channels - c0); j++) to[c0 + j] += s[k][j];
            }
          }
        }
      }
    }
  }
}

static void depthwise_gradient(const ct_depthwise *c, ck_pool *pool) {
  depthwise_job job;
  depthwise_cut(c, &job);
  depthwise_place(&job);
  ck_parallel(pool, job.chunks, depthwise_gradient_chunk, &job);
  int64_t count = c->kernel_height * c->kernel_width * c->channels;
  for (int64_t i = 0; i < count; i++) {
    float total = 0;
    for (int64_t chunk = 0; chunk < job.chunks; chunk++)
      total += job.partial[chunk * depthwise_weights(c) + i];
    c->w_gradient[i] = total;
  }
}
