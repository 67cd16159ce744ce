// Pillow's convolution of bytes: sums of 32 bits with weights of 22, rounded after each direction.
//
// With AVX2 a weight is two numbers of 16 bits, high * 2^11 + low, each multiplied and added by pairs: the sums are
// those of the plain loop to the last bit.
#include "CImage.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { BITS = 22, HALF = 1 << 21, PART = 11 };

// What each new pixel of a side is made of, and the same weights as `paired` gives them (NULL: plain loops).
typedef struct {
  const int32_t *first, *count, *weights;
  int longest, length;
  int32_t *pairs;
} Side;

static inline uint8_t clipped(int32_t sum) {
  int32_t value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static inline void one_across(const uint8_t *from, int channels, const int32_t *weights, int count, uint8_t *to) {
  for (int channel = 0; channel < channels; channel++) {
    int32_t sum = HALF;
    for (int tap = 0; tap < count; tap++) sum += from[tap * channels + channel] * weights[tap];
    to[channel] = clipped(sum);
  }
}

static void row_across(const uint8_t *line, int channels, const Side *side, uint8_t *to) {
  for (int x = 0; x < side->length; x++, to += channels) {
    one_across(line + (size_t)side->first[x] * channels, channels, side->weights + (size_t)x * side->longest,
               side->count[x], to);
  }
}

// The columns from `from` on of new row y; `top` is the first row that it is made of.
static inline void columns_down(const uint8_t *top, size_t length, const Side *side, int y, size_t from, uint8_t *to) {
  const int32_t *weights = side->weights + (size_t)y * side->longest;
  for (size_t column = from; column < length; column++) {
    int32_t sum = HALF;
    for (int tap = 0; tap < side->count[y]; tap++) sum += top[tap * length + column] * weights[tap];
    to[column] = clipped(sum);
  }
}

#if defined(__x86_64__)
// The weights of two neighboring taps, for each new pixel as many pairs as the longest needs: their high and
// their low parts, as two numbers of 16 bits each. The caller frees them.
static int32_t *paired(const Side *side) {
  int pairs = (side->longest + 1) / 2;
  int32_t *result = malloc((size_t)side->length * pairs * 2 * sizeof *result);
  if (!result) return NULL;
  int32_t *to = result;
  const int32_t *weights = side->weights;
  for (int pixel = 0; pixel < side->length; pixel++, weights += side->longest) {
    int count = side->count[pixel];
    for (int tap = 0; tap < pairs * 2; tap += 2, to += 2) {
      int32_t a = tap < count ? weights[tap] : 0;
      int32_t b = tap + 1 < count ? weights[tap + 1] : 0;
      uint32_t mask = (1 << PART) - 1;
      to[0] = (int32_t)(((uint32_t)(a >> PART) & 0xFFFF) | (uint32_t)(b >> PART) << 16);
      to[1] = (int32_t)(((uint32_t)a & mask) | ((uint32_t)b & mask) << 16);
    }
  }
  return result;
}

// Sums of products with the high and with the low parts of weights.
typedef struct {
  __m256i high, low;
} Sums;

__attribute__((target("avx2"), always_inline)) static inline void add_pair(Sums *sums, __m256i values, __m256i high,
                                                                          __m256i low) {
  sums->high = _mm256_add_epi32(sums->high, _mm256_madd_epi16(values, high));
  sums->low = _mm256_add_epi32(sums->low, _mm256_madd_epi16(values, low));
}

__attribute__((target("avx2"), always_inline)) static inline __m256i rounded(Sums sums) {
  return _mm256_srai_epi32(_mm256_add_epi32(_mm256_slli_epi32(sums.high, PART), sums.low), BITS);
}

__attribute__((target("avx2"), always_inline)) static inline __m256i two_rows(const uint8_t *upper,
                                                                             const uint8_t *lower) {
  __m256i bytes = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)upper));
  return _mm256_inserti128_si256(bytes, _mm_loadu_si128((const __m128i *)lower), 1);
}

static inline void store(uint8_t *to, int32_t levels) { memcpy(to, &levels, sizeof levels); }

// One to four rows of three channels, which share their weights; `room` is what may be read from the last of them.
__attribute__((target("avx2"))) static void rows_across_avx2(const uint8_t *line, size_t stride, int rows, size_t room,
                                                             const Side *side, uint8_t *to, size_t new_stride) {
  const __m256i near = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const __m256i far = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
  const Sums start = {_mm256_setzero_si256(), _mm256_set1_epi32(HALF)};
  // A row that is not there is the first one once more.
  size_t a = rows > 1 ? stride : 0, b = rows > 2 ? 2 * stride : 0, c = rows > 3 ? 3 * stride : 0;
  size_t new_a = rows > 1 ? new_stride : 0, new_b = rows > 2 ? 2 * new_stride : 0;
  size_t new_c = rows > 3 ? 3 * new_stride : 0;
  int pairs = (side->longest + 1) / 2;
  const int32_t *pair = side->pairs;
  // Sixteen bytes are read for each two pairs, and for an odd one.
  size_t reach = (size_t)(pairs - 1) / 2 * 12 + 16;
  for (int x = 0; x < side->length; x++, to += 3) {
    size_t offset = (size_t)side->first[x] * 3;
    const uint8_t *from = line + offset;
    // Neither behind the picture is read nor behind a row written.
    if (offset + reach > room || x + 1 == side->length) {
      const int32_t *weights = side->weights + (size_t)x * side->longest;
      for (int row = 0; row < rows; row++) {
        one_across(from + row * stride, 3, weights, side->count[x], to + row * new_stride);
      }
      pair += pairs * 2;
      continue;
    }
    Sums upper = start, lower = start;
    int left = pairs;
    for (; left > 1; left -= 2, pair += 4, from += 12) {
      __m256i bytes = two_rows(from, from + a), others = two_rows(from + b, from + c);
      __m256i high = _mm256_set1_epi32(pair[0]), low = _mm256_set1_epi32(pair[1]);
      add_pair(&upper, _mm256_shuffle_epi8(bytes, near), high, low);
      add_pair(&lower, _mm256_shuffle_epi8(others, near), high, low);
      high = _mm256_set1_epi32(pair[2]), low = _mm256_set1_epi32(pair[3]);
      add_pair(&upper, _mm256_shuffle_epi8(bytes, far), high, low);
      add_pair(&lower, _mm256_shuffle_epi8(others, far), high, low);
    }
    if (left) {
      __m256i high = _mm256_set1_epi32(pair[0]), low = _mm256_set1_epi32(pair[1]);
      add_pair(&upper, _mm256_shuffle_epi8(two_rows(from, from + a), near), high, low);
      add_pair(&lower, _mm256_shuffle_epi8(two_rows(from + b, from + c), near), high, low);
      pair += 2;
    }
    __m256i words = _mm256_packs_epi32(rounded(upper), rounded(lower));
    __m256i bytes = _mm256_packus_epi16(words, words);
    __m128i even = _mm256_castsi256_si128(bytes), odd = _mm256_extracti128_si256(bytes, 1);
    // The fourth byte is that of the next pixel, which comes later.
    store(to + new_c, _mm_extract_epi32(odd, 1));
    store(to + new_b, _mm_extract_epi32(even, 1));
    store(to + new_a, _mm_cvtsi128_si32(odd));
    store(to, _mm_cvtsi128_si32(even));
  }
}

__attribute__((target("avx2"))) static void row_down_avx2(const uint8_t *top, size_t length, const Side *side, int y,
                                                          uint8_t *to) {
  const int32_t *own = side->pairs + (size_t)y * ((side->longest + 1) / 2) * 2;
  const Sums start = {_mm256_setzero_si256(), _mm256_set1_epi32(HALF)};
  int count = side->count[y];
  size_t column = 0;
  for (; column + 16 <= length; column += 16) {
    Sums left = start, right = start;
    const uint8_t *at = top + column;
    for (int tap = 0; tap < count; tap += 2, at += 2 * length) {
      __m128i upper = _mm_loadu_si128((const __m128i *)at);
      __m128i lower = tap + 1 == count ? upper : _mm_loadu_si128((const __m128i *)(at + length));
      __m256i high = _mm256_set1_epi32(own[tap]), low = _mm256_set1_epi32(own[tap + 1]);
      add_pair(&left, _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(upper, lower)), high, low);
      add_pair(&right, _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(upper, lower)), high, low);
    }
    __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(rounded(left), rounded(right)), 0xD8);
    __m128i levels = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128((__m128i *)(to + column), levels);
  }
  columns_down(top, length, side, y, column, to);
}
#endif

static void row_down(const uint8_t *top, size_t length, const Side *side, int y, uint8_t *to) {
#if defined(__x86_64__)
  if (side->pairs) {
    row_down_avx2(top, length, side, y, to);
    return;
  }
#endif
  columns_down(top, length, side, y, 0, to);
}

// Rows `from` to `to` of the picture, resampled across.
static void rows_across(const uint8_t *source, int width, int height, int channels, const Side *side, int from, int to,
                        uint8_t *result) {
  size_t stride = (size_t)width * channels, new_stride = (size_t)side->length * channels;
  int row = from;
#if defined(__x86_64__)
  for (; side->pairs && channels == 3 && row < to; row += 4, result += 4 * new_stride) {
    int rows = to - row < 4 ? to - row : 4;
    rows_across_avx2(source + row * stride, stride, rows, (height - row - rows + 1) * stride, side, result, new_stride);
  }
#endif
  for (; row < to; row++, result += new_stride) row_across(source + row * stride, channels, side, result);
}

// The rows that a new one is made of are resampled across when it is their turn, and lie in the processor's cache
// until then.
static int both(const uint8_t *source, int width, int height, int channels, const Side *across, const Side *down,
                uint8_t *result) {
  size_t length = (size_t)across->length * channels;
  int capacity = down->longest + 32;
  uint8_t *band = malloc(capacity * length);
  if (!band) return 0;
  // The rows that the band holds.
  int begin = down->first[0], end = begin;
  for (int y = 0; y < down->length; y++, result += length) {
    int first = down->first[y], last = first + down->count[y];
    if (last > end) {
      if (first < end) memmove(band, band + (first - begin) * length, (end - first) * length);
      if (first > end) end = first;
      begin = first;
      int upto = begin + capacity < height ? begin + capacity : height;
      rows_across(source, width, height, channels, across, end, upto, band + (end - begin) * length);
      end = upto;
    }
    row_down(band + (first - begin) * length, length, down, y, result);
  }
  free(band);
  return 1;
}

int cimage_resample(const uint8_t *source, int width, int height, int channels, const int32_t *first_x,
                    const int32_t *count_x, const int32_t *weights_x, int longest_x, int new_width,
                    const int32_t *first_y, const int32_t *count_y, const int32_t *weights_y, int longest_y,
                    int new_height, uint8_t *result) {
  Side across = {first_x, count_x, weights_x, longest_x, new_width, NULL};
  Side down = {first_y, count_y, weights_y, longest_y, new_height, NULL};
  int isDone = 1;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    if (longest_x) across.pairs = paired(&across);
    if (longest_y) down.pairs = paired(&down);
  }
#endif
  if (longest_x && longest_y) {
    isDone = both(source, width, height, channels, &across, &down, result);
  } else if (longest_x) {
    rows_across(source, width, height, channels, &across, 0, height, result);
  } else {
    size_t length = (size_t)width * channels;
    for (int y = 0; y < new_height; y++, result += length) row_down(source + first_y[y] * length, length, &down, y, result);
  }
  free(across.pairs);
  free(down.pairs);
  return isDone;
}
