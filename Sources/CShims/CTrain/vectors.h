// Vectors of LANES floats.
typedef float vf __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
typedef float uvf __attribute__((vector_size(LANES * 4), aligned(4)));
typedef float v4 __attribute__((vector_size(16)));
typedef float uv4 __attribute__((vector_size(16), aligned(4)));

#define INLINE static inline __attribute__((always_inline))
#define LOAD(p) ((vf) * (const uvf *)(p))
#define STORE(p, v) (*(uvf *)(p) = (v))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE int64_t round_up(int64_t a, int64_t step) { return (a + step - 1) / step * step; }
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

// The sums of the lanes of LANES vectors, in their order: pairs of neighbouring lanes are added until
// one lane of each vector is left.
INLINE vf lane_sums(vf *v) {
#if LANES == 16
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif LANES == 8
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVEN 0, 2, 4, 6
#define ODD 1, 3, 5, 7
#endif
  UNROLL for (int count = LANES; count > 1; count /= 2) {
    UNROLL for (int i = 0; i < count / 2; i++) {
      vf a = v[2 * i], b = v[2 * i + 1];
      v[i] = __builtin_shufflevector(a, b, EVEN) + __builtin_shufflevector(a, b, ODD);
    }
  }
  return v[0];
#undef EVEN
#undef ODD
}

INLINE float lane_sum(vf v) {
  float total = 0;
  for (int lane = 0; lane < LANES; lane++) total += v[lane];
  return total;
}

// to[j][i] = from[i][j]; rows of `from` are `from_step` floats apart, rows of `to` `to_step`.
static void transpose(const float *from, int64_t rows, int64_t columns, int64_t from_step, float *to,
                      int64_t to_step) {
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    const float *r = from + i * from_step;
    float *t = to + i;
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      v4 a = *(const uv4 *)(r + j), b = *(const uv4 *)(r + from_step + j);
      v4 c = *(const uv4 *)(r + 2 * from_step + j), d = *(const uv4 *)(r + 3 * from_step + j);
      v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      v4 AB = __builtin_shufflevector(a, b, 2, 6, 3, 7), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      *(uv4 *)(t + j * to_step) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
      *(uv4 *)(t + (j + 1) * to_step) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
      *(uv4 *)(t + (j + 2) * to_step) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
      *(uv4 *)(t + (j + 3) * to_step) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
    }
    for (; j < columns; j++)
      for (int u = 0; u < 4; u++) t[j * to_step + u] = r[u * from_step + j];
  }
  for (; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) to[j * to_step + i] = from[i * from_step + j];
}
