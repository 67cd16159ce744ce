#include "include/CTrain.h"

extern const ct_kernels ct_avx512, ct_avx2, ct_baseline;

const ct_kernels *ct_kernels_at(int index) {
#if defined(__x86_64__)
  int has512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (has512 && index-- == 0) return &ct_avx512;
  int has2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has2 && index-- == 0) return &ct_avx2;
#endif
  return index == 0 ? &ct_baseline : 0;
}
