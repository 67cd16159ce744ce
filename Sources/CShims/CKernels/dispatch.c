#include "include/CKernels.h"

extern const ck_kernels ck_avx512, ck_avx2, ck_baseline;

const ck_kernels *ck_kernels_at(int index) {
#if defined(__x86_64__)
  int has512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (has512 && index-- == 0) return &ck_avx512;
  int has2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has2 && index-- == 0) return &ck_avx2;
#endif
  return index == 0 ? &ck_baseline : 0;
}
