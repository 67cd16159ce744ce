// Pillow's convolution of bytes: sums of 32 bits with weights of 22, rounded after each direction.
//
// With AVX2 a weight is two numbers of 16 bits, high * 2^11 + low, each multiplied and added by pairs: the sums are
// those of the plain loop to the last bit.
#include "CImage.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdlib.h>
#endif

enum { BITS = 22, HALF = 1 << 21, PART = 11 };

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

static void across_plain(const uint8_t *source, int width, int rows, int channels, const int32_t *first,
                         const int32_t *count, const int32_t *weights, int longest, int new_width,
                         uint8_t *result) {
  for (int row = 0; row < rows; row++) {
    const uint8_t *line = source + (size_t)row * width * channels;
    for (int x = 0; x < new_width; x++) {
      one_across(line + (size_t)first[x] * channels, channels, weights + (size_t)x * longest, count[x], result);
      result += channels;
    }
  }
}

static inline void down_columns(const uint8_t *source, int length, int start, const int32_t *weights, int count,
                                int from, uint8_t *to) {
  for (int column = from; column < length; column++) {
    int32_t sum = HALF;
    for (int tap = 0; tap < count; tap++) sum += source[(size_t)(start + tap) * length + column] * weights[tap];
    to[column] = clipped(sum);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static int across_avx2(
    const uint8_t *source, int width, int rows, const int32_t *first, const int32_t *count,
    const int32_t *weights, int longest, int new_width, uint8_t *result) {
  // Four pixels of three channels at a time; weights in the order in which bytes are spread below.
  int groups = (longest + 3) / 4;
  int16_t *spread = calloc((size_t)new_width * groups, 2 * sizeof(__m256i));
  if (!spread) return 0;
  for (int x = 0; x < new_width; x++) {
    for (int tap = 0; tap < count[x]; tap++) {
      int32_t weight = weights[(size_t)x * longest + tap];
      int16_t *group = spread + ((size_t)x * groups + tap / 4) * 32;
      for (int channel = 0; channel < 3; channel++) {
        int place = (tap % 4) / 2 * 8 + channel * 2 + tap % 2;
        group[place] = (int16_t)(weight >> PART);
        group[16 + place] = (int16_t)(weight & ((1 << PART) - 1));
      }
    }
  }
  const __m256i pairs = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,
                                         6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const uint8_t *end = source + (size_t)width * rows * 3;
  for (int row = 0; row < rows; row++) {
    const uint8_t *line = source + (size_t)row * width * 3;
    for (int x = 0; x < new_width; x++, result += 3) {
      const uint8_t *from = line + (size_t)first[x] * 3;
      int used = (count[x] + 3) / 4;
      // Sixteen bytes are read of twelve.
      if (from + (size_t)used * 12 + 4 > end) {
        one_across(from, 3, weights + (size_t)x * longest, count[x], result);
        continue;
      }
      const __m256i *group = (const __m256i *)(spread + (size_t)x * groups * 32);
      __m256i high = _mm256_setzero_si256(), low = high;
      for (int index = 0; index < used; index++, from += 12, group += 2) {
        __m256i bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)from));
        __m256i values = _mm256_shuffle_epi8(bytes, pairs);
        high = _mm256_add_epi32(high, _mm256_madd_epi16(values, _mm256_loadu_si256(group)));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(values, _mm256_loadu_si256(group + 1)));
      }
      __m256i both = _mm256_add_epi32(_mm256_slli_epi32(high, PART), low);
      __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
      sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(HALF)), BITS);
      sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
      int32_t levels = _mm_cvtsi128_si32(sum);
      memcpy(result, &levels, 3);
    }
  }
  free(spread);
  return 1;
}

__attribute__((target("avx2"))) static void down_avx2(const uint8_t *source, int length, const int32_t *first,
                                                      const int32_t *count, const int32_t *weights,
                                                      int longest, int new_height, uint8_t *result) {
  const __m256i half = _mm256_set1_epi32(HALF);
  for (int y = 0; y < new_height; y++, result += length) {
    const int32_t *own = weights + (size_t)y * longest;
    int column = 0;
    for (; column + 16 <= length; column += 16) {
      __m256i high0 = _mm256_setzero_si256(), high1 = high0, low0 = high0, low1 = high0;
      for (int tap = 0; tap < count[y]; tap += 2) {
        const uint8_t *at = source + (size_t)(first[y] + tap) * length + column;
        int last = tap + 1 == count[y];
        int32_t a = own[tap], b = last ? 0 : own[tap + 1];
        __m128i upper = _mm_loadu_si128((const __m128i *)at);
        __m128i lower = last ? upper : _mm_loadu_si128((const __m128i *)(at + length));
        __m256i values0 = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(upper, lower));
        __m256i values1 = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(upper, lower));
        uint32_t mask = (1 << PART) - 1;
        __m256i h = _mm256_set1_epi32((int32_t)(((uint32_t)(a >> PART) & 0xFFFF) | (uint32_t)(b >> PART) << 16));
        __m256i l = _mm256_set1_epi32((int32_t)(((uint32_t)a & mask) | ((uint32_t)b & mask) << 16));
        high0 = _mm256_add_epi32(high0, _mm256_madd_epi16(values0, h));
        high1 = _mm256_add_epi32(high1, _mm256_madd_epi16(values1, h));
        low0 = _mm256_add_epi32(low0, _mm256_madd_epi16(values0, l));
        low1 = _mm256_add_epi32(low1, _mm256_madd_epi16(values1, l));
      }
      __m256i sum0 = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high0, PART), low0), half);
      __m256i sum1 = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high1, PART), low1), half);
      __m256i words = _mm256_packs_epi32(_mm256_srai_epi32(sum0, BITS), _mm256_srai_epi32(sum1, BITS));
      words = _mm256_permute4x64_epi64(words, 0xD8);
      __m128i levels = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
      _mm_storeu_si128((__m128i *)(result + column), levels);
    }
    down_columns(source, length, first[y], own, count[y], column, result);
  }
}
#endif

void cimage_across(const uint8_t *source, int width, int rows, int channels, const int32_t *first,
                   const int32_t *count, const int32_t *weights, int longest, int new_width, uint8_t *result) {
#if defined(__x86_64__)
  if (channels == 3 && __builtin_cpu_supports("avx2") &&
      across_avx2(source, width, rows, first, count, weights, longest, new_width, result))
    return;
#endif
  across_plain(source, width, rows, channels, first, count, weights, longest, new_width, result);
}

void cimage_down(const uint8_t *source, int length, const int32_t *first, const int32_t *count,
                 const int32_t *weights, int longest, int new_height, uint8_t *result) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    down_avx2(source, length, first, count, weights, longest, new_height, result);
    return;
  }
#endif
  for (int y = 0; y < new_height; y++)
    down_columns(source, length, first[y], weights + (size_t)y * longest, count[y], 0, result + (size_t)y * length);
}
