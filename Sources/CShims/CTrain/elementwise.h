// What is bound by memory: pooling's gradient, sums of columns, activations' gradients, optimizers.

// Floats of one item of work.
#define RUN (1 << 15)
// Parts in which columns are summed.
#define SUM_PARTS 64

typedef struct {
  const float *a, *b;
  float *out;
  int64_t count;
  float low, high;
} run_job;

#define RUN_BODY(NAME, STATEMENT)                                       \
  static void NAME##_run(const void *context, int64_t item, int worker) { \
    (void)worker;                                                       \
    const run_job *job = context;                                       \
    int64_t begin = item * RUN, end = min64(job->count, begin + RUN);   \
    const float *a = job->a, *b = job->b;                               \
    float *out = job->out, low = job->low, high = job->high;            \
    (void)b, (void)low, (void)high;                                     \
    _Pragma("clang loop vectorize(assume_safety)")                      \
    for (int64_t i = begin; i < end; i++) { STATEMENT; }                \
  }

RUN_BODY(add, out[i] += a[i])
RUN_BODY(sum, out[i] = clamp1(a[i] + b[i], low, high))
RUN_BODY(mask, out[i] = b[i] > low && b[i] < high ? a[i] : 0)

INLINE void runs(int64_t count, ck_body body, const void *job, ck_pool *pool) {
  ck_parallel(pool, (count + RUN - 1) / RUN, body, job);
}

static void add(float *to, const float *from, int64_t count, ck_pool *pool) {
  run_job job = {from, NULL, to, count, 0, 0};
  runs(count, add_run, &job, pool);
}

static void sum(const float *a, const float *b, float *out, int64_t count, float low, float high,
                ck_pool *pool) {
  run_job job = {a, b, out, count, low, high};
  runs(count, sum_run, &job, pool);
}

static void mask(const float *gradient, const float *y, float *out, int64_t count, float low,
                 float high, ck_pool *pool) {
  run_job job = {gradient, y, out, count, low, high};
  runs(count, mask_run, &job, pool);
}

// MARK: Columns

typedef struct {
  const float *x, *other;
  int64_t rows, columns;
  int has_squares, has_products;
  double *partial;  // SUM_PARTS x 3 x columns
} columns_job;

#define COLUMN_RUN 256

static void columns_part(const void *context, int64_t part, int worker) {
  (void)worker;
  const columns_job *job = context;
  int64_t begin = job->rows * part / SUM_PARTS, end = job->rows * (part + 1) / SUM_PARTS;
  int64_t columns = job->columns;
  double *total = job->partial + part * 3 * columns;
  memset(total, 0, sizeof(double) * (size_t)(3 * columns));
  for (int64_t first = 0; first < columns; first += COLUMN_RUN) {
    int64_t width = min64(COLUMN_RUN, columns - first);
    const float *shift = (job->has_products ? job->other : job->x) + first;
    for (int64_t r = begin; r < end;) {
      // Sums of a few rows in float, of these in double.
      float s[COLUMN_RUN] = {0}, q[COLUMN_RUN] = {0};
      int64_t stop = min64(end, r + 64);
      for (; r < stop; r++) {
        const float *x = job->x + r * columns + first;
        if (job->has_products) {
          const float *o = job->other + r * columns + first;
          for (int64_t j = 0; j < width; j++) {
            s[j] += x[j];
            q[j] += x[j] * (o[j] - shift[j]);
          }
        } else if (job->has_squares) {
          for (int64_t j = 0; j < width; j++) {
            float d = x[j] - shift[j];
            s[j] += d;
            q[j] += d * d;
          }
        } else {
          for (int64_t j = 0; j < width; j++) s[j] += x[j];
        }
      }
      for (int64_t j = 0; j < width; j++) {
        total[first + j] += s[j];
        total[columns + first + j] += q[j];
      }
    }
  }
}

static void column_sums(const float *x, const float *other, int64_t rows, int64_t columns,
                        double *sums, double *squares, double *products, double *partial,
                        ck_pool *pool) {
  columns_job job = {x, other, rows, columns, squares != NULL, products != NULL, partial};
  ck_parallel(rows * columns > 1 << 14 ? pool : NULL, SUM_PARTS, columns_part, &job);
  for (int64_t j = 0; j < columns; j++) {
    double s = 0, q = 0;
    for (int part = 0; part < SUM_PARTS; part++) {
      s += partial[part * 3 * columns + j];
      q += partial[part * 3 * columns + columns + j];
    }
    sums[j] = s;
    if (squares) squares[j] = q;
    if (products) products[j] = q;
  }
}

typedef struct {
  const float *gradient, *x, *p, *q, *r;
  float *out;
  int64_t rows, columns, step;
  const float *bounds;
} rows_job;

INLINE int64_t rows_step(int64_t columns) { return max64(1, RUN / max64(columns, 1)); }

static void scale_rows_item(const void *context, int64_t item, int worker) {
  (void)worker;
  const rows_job *job = context;
  int64_t columns = job->columns, begin = item * job->step, end = min64(job->rows, begin + job->step);
  const float *p = job->p, *r = job->r;
  for (int64_t i = begin; i < end; i++) {
    const float *x = job->x + i * columns;
    float *out = job->out + i * columns;
    _Pragma("clang loop vectorize(assume_safety)")
    for (int64_t j = 0; j < columns; j++) out[j] = x[j] * p[j] + r[j];
  }
}

static void scale_rows(const float *x, const float *scale, const float *offset, float *out,
                       int64_t rows, int64_t columns, ck_pool *pool) {
  rows_job job = {NULL, x, scale, NULL, offset, out, rows, columns, rows_step(columns), NULL};
  ck_parallel(pool, (rows + job.step - 1) / job.step, scale_rows_item, &job);
}

static void combine_rows_item(const void *context, int64_t item, int worker) {
  (void)worker;
  const rows_job *job = context;
  int64_t columns = job->columns, begin = item * job->step, end = min64(job->rows, begin + job->step);
  const float *p = job->p, *q = job->q, *r = job->r;
  for (int64_t i = begin; i < end; i++) {
    const float *g = job->gradient + i * columns, *x = job->x + i * columns;
    float *out = job->out + i * columns;
    if (job->bounds) {
      float low = job->bounds[0], high = job->bounds[1];
      _Pragma("clang loop vectorize(assume_safety)")
      for (int64_t j = 0; j < columns; j++) {
        float sum = g[j] * p[j] + x[j] * q[j] + r[j];
        out[j] = x[j] > low && x[j] < high ? sum : 0;
      }
      continue;
    }
    _Pragma("clang loop vectorize(assume_safety)")
    for (int64_t j = 0; j < columns; j++) out[j] = g[j] * p[j] + x[j] * q[j] + r[j];
  }
}

static void combine_rows(const float *gradient, const float *x, const float *p, const float *q,
                         const float *r, float *out, int64_t rows, int64_t columns,
                         const float *bounds, ck_pool *pool) {
  rows_job job = {gradient, x, p, q, r, out, rows, columns, rows_step(columns), bounds};
  ck_parallel(pool, (rows + job.step - 1) / job.step, combine_rows_item, &job);
}

// MARK: Pooling

static void pool_gradient_item(const void *context, int64_t n, int worker) {
  (void)worker;
  const ct_pool_gradient *c = context;
  int64_t channels = c->channels, image = c->height * c->width * channels;
  const float *x = c->x + n * image;
  float *dx = c->x_gradient + n * image;
  memset(dx, 0, sizeof(float) * (size_t)image);
  for (int64_t y = 0; y < c->output_height; y++) {
    int64_t top = y * c->stride_height - c->pad_top;
    int64_t y0 = max64(top, 0), y1 = min64(top + c->window_height, c->height);
    for (int64_t z = 0; z < c->output_width; z++) {
      int64_t left = z * c->stride_width - c->pad_left;
      int64_t x0 = max64(left, 0), x1 = min64(left + c->window_width, c->width);
      int64_t at = ((n * c->output_height + y) * c->output_width + z) * channels;
      const float *out = c->y + at, *g = c->y_gradient + at;
      if (c->average) {
        float part = 1 / (float)max64(1, (y1 - y0) * (x1 - x0));
        for (int64_t iy = y0; iy < y1; iy++)
          for (int64_t ix = x0; ix < x1; ix++) {
            float *to = dx + (iy * c->width + ix) * channels;
            for (int64_t k = 0; k < channels; k++) to[k] += g[k] * part;
          }
        continue;
      }
      for (int64_t first = 0; first < channels; first += LANES) {
        int64_t width = min64(LANES, channels - first);
        // What is left of the gradient once the first greatest element has taken it: nothing.
        float left_over[LANES] = {0};
        for (int64_t k = 0; k < width; k++) left_over[k] = g[first + k];
        for (int64_t iy = y0; iy < y1; iy++)
          for (int64_t ix = x0; ix < x1; ix++) {
            int64_t place = (iy * c->width + ix) * channels + first;
            if (width == LANES) {
              vf l = LOAD(left_over);
              vi hit = LOAD(x + place) == LOAD(out + first);
              STORE(dx + place, LOAD(dx + place) + (vf)((vi)l & hit));
              STORE(left_over, (vf)((vi)l & ~hit));
            } else {
              for (int64_t k = 0; k < width; k++) {
                int hit = x[place + k] == out[first + k];
                dx[place + k] += hit ? left_over[k] : 0;
                left_over[k] = hit ? 0 : left_over[k];
              }
            }
          }
      }
    }
  }
}

static void pool_gradient(const ct_pool_gradient *c, ck_pool *pool) {
  ck_parallel(pool, c->batch, pool_gradient_item, c);
}

// MARK: Optimizers

// The vectors' square root: the library's would have to set errno.
INLINE vf root(vf x) { return __builtin_elementwise_sqrt(x); }

INLINE void adam_vector(const ct_adam *a, float *value, const float *gradient, float *mean,
                        float *square, float *greatest) {
  vf g = LOAD(gradient) * a->gradient_scale, m = LOAD(mean), v = LOAD(square);
  m += (g - m) * (1 - a->beta1);
  v += (g * g - v) * (1 - a->beta2);
  STORE(mean, m);
  STORE(square, v);
  if (greatest) {
    vf h = LOAD(greatest);
    vi less = h < v;
    v = (vf)(((vi)v & less) | ((vi)h & ~less));
    STORE(greatest, v);
  }
  STORE(value, LOAD(value) * (1 - a->decay) - a->rate * m / (root(v) + a->epsilon));
}

static void adam_run(const void *context, int64_t item, int worker) {
  (void)worker;
  const ct_adam *a = context;
  int64_t begin = item * RUN, end = min64(a->count, begin + RUN), i = begin;
  for (; i + LANES <= end; i += LANES)
    adam_vector(a, a->value + i, a->gradient + i, a->mean + i, a->square + i,
                a->greatest ? a->greatest + i : NULL);
  if (i == end) return;
  float part[5][LANES] = {{0}};
  float *rows[5] = {a->value, (float *)a->gradient, a->mean, a->square, a->greatest};
  for (int row = 0; row < 5; row++)
    for (int64_t j = i; rows[row] && j < end; j++) part[row][j - i] = rows[row][j];
  adam_vector(a, part[0], part[1], part[2], part[3], a->greatest ? part[4] : NULL);
  for (int row = 0; row < 5; row++)
    for (int64_t j = i; row != 1 && rows[row] && j < end; j++) rows[row][j] = part[row][j - i];
}

static void adam(const ct_adam *a, ck_pool *pool) { runs(a->count, adam_run, a, pool); }

static void sgd_run(const void *context, int64_t item, int worker) {
  (void)worker;
  const ct_sgd *a = context;
  int64_t begin = item * RUN, end = min64(a->count, begin + RUN);
  float *value = a->value, *velocity = a->velocity;
  const float *gradient = a->gradient;
  float rate = a->rate, momentum = a->momentum, scale = a->gradient_scale, keep = 1 - a->decay;
  if (velocity) {
    int nesterov = a->nesterov;
    _Pragma("clang loop vectorize(assume_safety)")
    for (int64_t i = begin; i < end; i++) {
      float g = gradient[i] * scale * rate;
      float v = velocity[i] * momentum - g;
      velocity[i] = v;
      value[i] = value[i] * keep + (nesterov ? momentum * v - g : v);
    }
  } else {
    _Pragma("clang loop vectorize(assume_safety)")
    for (int64_t i = begin; i < end; i++)
      value[i] = value[i] * keep - rate * scale * gradient[i];
  }
}

static void sgd(const ct_sgd *a, ck_pool *pool) { runs(a->count, sgd_run, a, pool); }
