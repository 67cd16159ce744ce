// Products of matrices.
//
// Blocks of b are packed into panels of PANEL columns; a is read where it lies, because most products
// of training have few columns and would not earn the copy back. A product with few results and a
// long sum is cut along the sum, into parts that are added in order.

#define PANEL (2 * LANES)
#define DEPTH_BLOCK 256
#define ROW_BLOCK (16 * TILE_ROWS)
#define COLUMN_BLOCK (8 * PANEL)
#define MOST_PARTS 16

typedef struct {
  const ct_gemm *g;
  int64_t row_blocks, column_blocks, parts, part_depth, pack_bytes;
  float *partial;  // parts x batch x m x n, when there are several or c's columns do not lie together
} gemm_job;

INLINE void gemm_cut(const ct_gemm *g, gemm_job *job) {
  job->g = g;
  job->row_blocks = (g->m + ROW_BLOCK - 1) / ROW_BLOCK;
  job->column_blocks = (g->n + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
  int64_t blocks = job->row_blocks * job->column_blocks * g->batch;
  int64_t parts = 1;
  if (blocks < MOST_PARTS && g->k >= 4 * DEPTH_BLOCK)
    parts = min64((MOST_PARTS + blocks - 1) / blocks, g->k / (2 * DEPTH_BLOCK));
  job->part_depth = round_up((g->k + parts - 1) / parts, 8);
  job->parts = max64(1, (g->k + job->part_depth - 1) / max64(job->part_depth, 1));
  job->pack_bytes = round_up(DEPTH_BLOCK * PANEL * (int64_t)sizeof(float), 64);
  job->partial = NULL;
}

INLINE int gemm_needs_partial(const gemm_job *job) { return job->parts > 1 || job->g->c_column != 1; }

static int64_t gemm_scratch(const ct_gemm *g, int threads) {
  gemm_job job;
  gemm_cut(g, &job);
  int64_t bytes = job.pack_bytes * threads;
  if (gemm_needs_partial(&job))
    bytes += job.parts * g->batch * g->m * g->n * (int64_t)sizeof(float);
  return bytes;
}

// Columns `first` ..< `first + columns` of b, rows `begin` ..< `begin + depth`, as one panel.
static void gemm_pack(const ct_gemm *g, const float *b, int64_t begin, int64_t depth, int64_t first,
                      int64_t columns, float *packed) {
  const float *from = b + begin * g->b_depth + first * g->b_column;
  if (g->b_column == 1) {
    if (columns == PANEL) {
      for (int64_t p = 0; p < depth; p++) {
        vf u = LOAD(from + p * g->b_depth), v = LOAD(from + p * g->b_depth + LANES);
        STORE(packed + p * PANEL, u);
        STORE(packed + p * PANEL + LANES, v);
      }
    } else {
      for (int64_t p = 0; p < depth; p++) {
        float *to = packed + p * PANEL;
        for (int64_t j = 0; j < columns; j++) to[j] = from[p * g->b_depth + j];
        for (int64_t j = columns; j < PANEL; j++) to[j] = 0;
      }
    }
  } else {
    if (columns < PANEL) memset(packed, 0, sizeof(float) * (size_t)(depth * PANEL));
    transpose(from, columns, depth, g->b_column, packed, PANEL);
  }
}

// `rows` x (`vectors` * LANES) results over `depth` products. `by_row`: a's rows lie together along
// the sum; otherwise its columns do.
INLINE void gemm_tile(const int rows, const int vectors, const int by_row, int64_t depth,
                      const float *a, int64_t step, const float *b, float *c, int64_t c_row,
                      int64_t columns, const float *bias, int adds, const float *bounds) {
  vf s[TILE_ROWS][2];
  int whole = columns == vectors * LANES;
  if (adds && whole) {
    UNROLL for (int i = 0; i < rows; i++) {
      s[i][0] = LOAD(c + i * c_row);
      if (vectors == 2) s[i][1] = LOAD(c + i * c_row + LANES);
    }
  } else {
    float part[2 * LANES];
    for (int j = 0; j < 2 * LANES; j++) part[j] = bias && j < columns ? bias[j] : 0;
    UNROLL for (int i = 0; i < rows; i++) {
      s[i][0] = LOAD(part);
      s[i][1] = LOAD(part + LANES);
    }
  }
  const float *r[TILE_ROWS];
  UNROLL for (int i = 0; i < rows; i++) r[i] = a + i * step;
  for (int64_t p = 0; p < depth; p++) {
    vf b0 = LOAD(b), b1 = b0;
    if (vectors == 2) b1 = LOAD(b + LANES);
    b += PANEL;
    UNROLL for (int i = 0; i < rows; i++) {
      float x = by_row ? r[i][p] : a[i];
      s[i][0] += x * b0;
      if (vectors == 2) s[i][1] += x * b1;
    }
    if (!by_row) a += step;
  }
  if (whole) {
    if (bounds) {
      vf lo = bounds[0] - (vf){0}, hi = bounds[1] - (vf){0};
      UNROLL for (int i = 0; i < rows; i++) {
        CLAMP(s[i][0], lo, hi);
        if (vectors == 2) CLAMP(s[i][1], lo, hi);
      }
    }
    UNROLL for (int i = 0; i < rows; i++) {
      STORE(c + i * c_row, s[i][0]);
      if (vectors == 2) STORE(c + i * c_row + LANES, s[i][1]);
    }
    return;
  }
  UNROLL for (int i = 0; i < rows; i++) {
    float part[2 * LANES];
    STORE(part, s[i][0]);
    if (vectors == 2) STORE(part + LANES, s[i][1]);
    for (int64_t j = 0; j < columns; j++) {
      float x = adds ? c[i * c_row + j] + part[j] : part[j];
      c[i * c_row + j] = bounds ? clamp1(x, bounds[0], bounds[1]) : x;
    }
  }
}

typedef void (*gemm_function)(int64_t, const float *, int64_t, const float *, float *, int64_t,
                              int64_t, const float *, int, const float *);

#define GEMM_TILE(R, V, ROW)                                                                     \
  static void gemm_##R##x##V##_##ROW(int64_t depth, const float *a, int64_t step, const float *b, \
                                     float *c, int64_t c_row, int64_t columns, const float *bias, \
                                     int adds, const float *bounds) {                            \
    gemm_tile(R, V, ROW, depth, a, step, b, c, c_row, columns, bias, adds, bounds);              \
  }
#define GEMM_TILES(R) GEMM_TILE(R, 1, 0) GEMM_TILE(R, 1, 1) GEMM_TILE(R, 2, 0) GEMM_TILE(R, 2, 1)
#define GEMM_ROW(R) {{gemm_##R##x1_0, gemm_##R##x1_1}, {gemm_##R##x2_0, gemm_##R##x2_1}}
GEMM_TILES(1)
GEMM_TILES(2)
GEMM_TILES(3)
GEMM_TILES(4)
GEMM_TILES(5)
GEMM_TILES(6)
#if TILE_ROWS > 6
GEMM_TILES(7)
GEMM_TILES(8)
#endif

static const gemm_function gemm_tiles[TILE_ROWS][2][2] = {
    GEMM_ROW(1), GEMM_ROW(2), GEMM_ROW(3), GEMM_ROW(4), GEMM_ROW(5), GEMM_ROW(6),
#if TILE_ROWS > 6
    GEMM_ROW(7), GEMM_ROW(8),
#endif
};

static void gemm_item(const void *context, int64_t item, int worker) {
  const gemm_job *job = context;
  const ct_gemm *g = job->g;
  int64_t row_block = item % job->row_blocks, rest = item / job->row_blocks;
  int64_t column_block = rest % job->column_blocks;
  rest /= job->column_blocks;
  int64_t part = rest % job->parts, batch = rest / job->parts;
  float *packed = (float *)(void *)((char *)g->scratch + worker * job->pack_bytes);
  const float *a = g->a + batch * g->a_batch, *b = g->b + batch * g->b_batch;
  float *c = g->c + batch * g->c_batch;
  int64_t c_row = g->c_row;
  int is_partial = job->partial != NULL;
  if (is_partial) {
    c = job->partial + (part * g->batch + batch) * g->m * g->n;
    c_row = g->n;
  }
  int bounded = !is_partial && (g->low > -INFINITY || g->high < INFINITY);
  float bounds[2] = {g->low, g->high};
  int by_row = g->a_depth == 1;
  int64_t step = by_row ? g->a_row : g->a_depth;
  int64_t row_begin = row_block * ROW_BLOCK, row_end = min64(g->m, row_begin + ROW_BLOCK);
  int64_t column_begin = column_block * COLUMN_BLOCK;
  int64_t column_end = min64(g->n, column_begin + COLUMN_BLOCK);
  int64_t depth_begin = part * job->part_depth;
  int64_t depth_end = min64(g->k, depth_begin + job->part_depth);
  for (int64_t p = depth_begin; p < depth_end || p == depth_begin; p += DEPTH_BLOCK) {
    int64_t depth = max64(0, min64(DEPTH_BLOCK, depth_end - p));
    int is_first = p == depth_begin, is_last = p + DEPTH_BLOCK >= depth_end;
    int adds = !is_first || (!is_partial && g->accumulates);
    for (int64_t j = column_begin; j < column_end; j += PANEL) {
      int64_t columns = min64(PANEL, column_end - j);
      gemm_pack(g, b, p, depth, j, columns, packed);
      const float *bias = !adds && !is_partial && g->bias ? g->bias + j : NULL;
      for (int64_t i = row_begin; i < row_end; i += TILE_ROWS) {
        int rows = (int)min64(TILE_ROWS, row_end - i);
        const float *from = by_row ? a + i * g->a_row + p : a + i + p * g->a_depth;
        gemm_tiles[rows - 1][columns > LANES][by_row](depth, from, step, packed, c + i * c_row + j,
                                                      c_row, columns, bias, adds,
                                                      bounded && is_last ? bounds : NULL);
      }
    }
  }
}

// One row of results from its parts.
static void gemm_sum_item(const void *context, int64_t item, int worker) {
  (void)worker;
  const gemm_job *job = context;
  const ct_gemm *g = job->g;
  int64_t row = item % g->m, batch = item / g->m;
  float *c = g->c + batch * g->c_batch + row * g->c_row;
  const float *from = job->partial + (batch * g->m + row) * g->n;
  int64_t step = g->batch * g->m * g->n;
  for (int64_t j = 0; j < g->n; j++) {
    float total = g->bias ? g->bias[j] : 0;
    for (int64_t part = 0; part < job->parts; part++) total += from[part * step + j];
    if (g->accumulates) total += c[j * g->c_column];
    c[j * g->c_column] = clamp1(total, g->low, g->high);
  }
}

static void gemm(const ct_gemm *g, ck_pool *pool) {
  if (g->m <= 0 || g->n <= 0 || g->batch <= 0) return;
  gemm_job job;
  gemm_cut(g, &job);
  if (gemm_needs_partial(&job))
    // The parts lie first: the packed panels follow, one for each worker.
    job.partial = (float *)g->scratch;
  ct_gemm moved = *g;
  if (job.partial) {
    moved.scratch = job.partial + job.parts * g->batch * g->m * g->n;
    job.g = &moved;
  }
  int64_t work = g->batch * g->m * g->n * g->k;
  ck_pool *used = work > 1 << 15 ? pool : NULL;
  ck_parallel(used, job.row_blocks * job.column_blocks * job.parts * g->batch, gemm_item, &job);
  if (job.partial) ck_parallel(used, g->batch * g->m, gemm_sum_item, &job);
}
