// The loops of a roofline: as fast as this processor multiplies and adds on registers, and as fast as
// it copies. Each is the plainest loop that reaches the limit.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "include/CProbe.h"
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Twelve sums that do not wait for one another hide the latency of a multiply-add. Their values are
// unknown to the compiler and are used afterwards, so that the loop is run.
#define SUMS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
enum { SUM_COUNT = 12, PASS = 20000 };
static volatile float float_seed = 0.5f;
static volatile int byte_seed = 3;
static volatile float float_sink;
static volatile int byte_sink;

#define FLOAT_LOOP(name, lanes, attribute)                                        \
  attribute static double name(void) {                                            \
    typedef float vf __attribute__((vector_size((lanes) * 4)));                   \
    vf factor = (vf){0} + float_seed, term = (vf){0} + float_seed;                \
    SUMS(DECLARE_FLOAT)                                                           \
    for (int pass = 0; pass < PASS; pass++) { SUMS(STEP_FLOAT) }                  \
    vf all = (vf){0};                                                             \
    SUMS(ADD_FLOAT)                                                               \
    float_sink = all[0];                                                          \
    return (double)PASS * SUM_COUNT * (lanes);                                    \
  }
#define DECLARE_FLOAT(i) vf s##i = (vf){0} + float_seed;
#define STEP_FLOAT(i) s##i = s##i * factor + term;
#define ADD_FLOAT(i) all += s##i;

#pragma STDC FP_CONTRACT ON
#if defined(__x86_64__)
FLOAT_LOOP(floats512, 16, __attribute__((target("avx512f,avx512vl,fma"))))
FLOAT_LOOP(floats256, 8, __attribute__((target("avx2,fma"))))
#endif
FLOAT_LOOP(floats128, 4, )

#if defined(__x86_64__)
#define DECLARE_BYTES(i) __m512i s##i = _mm512_set1_epi32(byte_seed);
#define STEP_BYTES(i) s##i = _mm512_dpbusd_epi32(s##i, a, b);
#define ADD_BYTES(i) all = _mm512_add_epi32(all, s##i);
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) static double bytes512(void) {
  __m512i a = _mm512_set1_epi8((char)byte_seed), b = _mm512_set1_epi8((char)byte_seed);
  SUMS(DECLARE_BYTES)
  for (int pass = 0; pass < PASS; pass++) {
    SUMS(STEP_BYTES)
    // Without this the compiler may see that a sum grows by the same in every pass.
    __asm__ volatile("" : "+v"(a), "+v"(b));
  }
  __m512i all = _mm512_setzero_si512();
  SUMS(ADD_BYTES)
  byte_sink = _mm512_reduce_add_epi32(all);
  return (double)PASS * SUM_COUNT * 64;
}
#undef DECLARE_BYTES
#undef STEP_BYTES
#undef ADD_BYTES
#define DECLARE_BYTES(i) __m256i s##i = _mm256_set1_epi32(byte_seed);
#define STEP_BYTES(i) \
  s##i = _mm256_add_epi32(s##i, _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_xor_si256(a, s##i), b), ones));
#define ADD_BYTES(i) all = _mm256_add_epi32(all, s##i);
__attribute__((target("avx2"))) static double bytes256(void) {
  __m256i a = _mm256_set1_epi8((char)byte_seed), b = _mm256_set1_epi8((char)byte_seed);
  __m256i ones = _mm256_set1_epi16(1);
  SUMS(DECLARE_BYTES)
  for (int pass = 0; pass < PASS; pass++) {
    SUMS(STEP_BYTES)
    __asm__ volatile("" : "+x"(a), "+x"(b));
  }
  __m256i all = _mm256_setzero_si256();
  SUMS(ADD_BYTES)
  byte_sink = _mm256_extract_epi32(all, 0);
  return (double)PASS * SUM_COUNT * 32;
}
#elif defined(__aarch64__)
#define DECLARE_BYTES(i) int32x4_t s##i = vdupq_n_s32(byte_seed);
#define STEP_BYTES(i) s##i = vdotq_s32(s##i, a, b);
#define ADD_BYTES(i) all = vaddq_s32(all, s##i);
__attribute__((target("dotprod"))) static double bytes_dot(void) {
  int8x16_t a = vdupq_n_s8((int8_t)byte_seed), b = vdupq_n_s8((int8_t)byte_seed);
  SUMS(DECLARE_BYTES)
  for (int pass = 0; pass < PASS; pass++) {
    SUMS(STEP_BYTES)
    __asm__ volatile("" : "+w"(a), "+w"(b));
  }
  int32x4_t all = vdupq_n_s32(0);
  SUMS(ADD_BYTES)
  byte_sink = vgetq_lane_s32(all, 0);
  return (double)PASS * SUM_COUNT * 16;
}
#endif

typedef double (*Pass)(void);

static Pass chosen(CProbeLoop loop, const char **name) {
  *name = NULL;
#if defined(__x86_64__)
  if (loop == CProbeMultiplyAdd32) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
      *name = "avx512";
      return floats512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      *name = "avx2";
      return floats256;
    }
    *name = "sse2";
    return floats128;
  }
  if (loop == CProbeMultiplyAdd8) {
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw")) {
      *name = "avx512vnni";
      return bytes512;
    }
    if (__builtin_cpu_supports("avx2")) {
      *name = "avx2";
      return bytes256;
    }
  }
#elif defined(__aarch64__)
  if (loop == CProbeMultiplyAdd32) {
    *name = "neon";
    return floats128;
  }
#if defined(__linux__)
  if (loop == CProbeMultiplyAdd8 && (getauxval(AT_HWCAP) & (1ul << 20))) {
    *name = "dotprod";
    return bytes_dot;
  }
#endif
#else
  if (loop == CProbeMultiplyAdd32) {
    *name = "vector";
    return floats128;
  }
#endif
  return NULL;
}

const char *cprobe_loop_set(CProbeLoop loop) {
  const char *name;
  if (loop == CProbeCopy) return "memcpy";
  chosen(loop, &name);
  return name;
}

/// What the threads of one measurement share: how many are ready, and whether to begin or to give up.
typedef struct {
  _Atomic int ready;
  _Atomic int order;  // 0 wait, 1 begin, 2 give up
} Gate;

typedef struct {
  CProbeLoop loop;
  Pass pass;
  size_t bytes;
  uint64_t nanoseconds;
  Gate *gate;
  int status;
  double work;
  uint64_t begin, end;
} Lane;

static void *run_lane(void *argument) {
  Lane *lane = argument;
  char *from = NULL, *to = NULL;
  size_t half = lane->bytes / 2;
  if (lane->loop == CProbeCopy) {
    from = malloc(half);
    to = malloc(half);
    if (!from || !to) lane->status = ENOMEM;
    // Every page is touched here and not while the copy is timed.
    if (from) memset(from, 1, half);
    if (to) memset(to, 2, half);
  }
  lane->gate->ready++;
  while (lane->gate->order == 0) sched_yield();
  lane->begin = lane->end = now_ns();
  while (lane->gate->order == 1 && lane->status == 0 &&
         lane->end - lane->begin < lane->nanoseconds) {
    if (lane->loop == CProbeCopy) {
      memcpy(to, from, half);
      // The copy is wanted even where nobody reads it.
      __asm__ volatile("" : : "r"(to), "r"(from) : "memory");
      lane->work += 2.0 * (double)half;
    } else {
      lane->work += lane->pass();
    }
    lane->end = now_ns();
  }
  free(from);
  free(to);
  return NULL;
}

int cprobe_loop_run(
  CProbeLoop loop, int threads, size_t bytes, uint64_t nanoseconds, double *rate) {
  *rate = 0;
  if (threads < 1 || threads > 4096) return EINVAL;
  if (loop == CProbeCopy && bytes < 128) return EINVAL;
  const char *name;
  Pass pass = chosen(loop, &name);
  if (loop != CProbeCopy && !pass) return ENOTSUP;
  Lane *lanes = calloc((size_t)threads, sizeof *lanes);
  pthread_t *handles = calloc((size_t)threads, sizeof *handles);
  Gate gate = {0, 0};
  int status = lanes && handles ? 0 : ENOMEM;
  int started = 0;
  while (status == 0 && started < threads) {
    Lane *lane = &lanes[started];
    lane->loop = loop;
    lane->pass = pass;
    lane->bytes = bytes;
    lane->nanoseconds = nanoseconds;
    lane->gate = &gate;
    status = pthread_create(&handles[started], NULL, run_lane, lane);
    if (status == 0) started++;
  }
  while (status == 0 && gate.ready < threads) sched_yield();
  gate.order = status == 0 ? 1 : 2;
  for (int i = 0; i < started; i++) pthread_join(handles[i], NULL);
  uint64_t begin = UINT64_MAX, end = 0;
  double work = 0;
  for (int i = 0; i < started; i++) {
    if (lanes[i].status != 0) status = lanes[i].status;
    if (lanes[i].begin < begin) begin = lanes[i].begin;
    if (lanes[i].end > end) end = lanes[i].end;
    work += lanes[i].work;
  }
  free(lanes);
  free(handles);
  if (status != 0) return status;
  *rate = end > begin ? work / ((double)(end - begin) / 1e9) : 0;
  return 0;
}
