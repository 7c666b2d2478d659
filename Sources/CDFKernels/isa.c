// Which instruction set is in use.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

static const df_kernels *table(df_isa isa) {
  switch (isa) {
    case DF_ISA_PORTABLE: return &df_kernels__portable;
#if defined(__x86_64__)
    case DF_ISA_AVX2:
      __builtin_cpu_init();
      if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return NULL;
      return &df_kernels__avx2;
    case DF_ISA_AVX512:
      __builtin_cpu_init();
      if (
        !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")
        || !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq")
        || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl")) {
        return NULL;
      }
      return &df_kernels__avx512;
#elif defined(__aarch64__)
    case DF_ISA_NEON: return &df_kernels__neon;
#endif
    default: return NULL;
  }
}

static const df_isa best_first[] = {
  DF_ISA_AVX512, DF_ISA_AVX2, DF_ISA_NEON, DF_ISA_PORTABLE};
enum { ISA_COUNT = sizeof best_first / sizeof *best_first };

static const df_kernels *choose(void) {
  const char *wanted = getenv("DFKIT_ISA");
  for (int i = 0; wanted && i < ISA_COUNT; i++) {
    const df_kernels *kernels = table(best_first[i]);
    if (kernels && strcmp(wanted, df_isa_name(best_first[i])) == 0) return kernels;
  }
  for (int i = 0; i < ISA_COUNT; i++) {
    const df_kernels *kernels = table(best_first[i]);
    if (kernels) return kernels;
  }
  return &df_kernels__portable;
}

static _Atomic(const df_kernels *) current;
static _Thread_local const df_kernels *selected;

const df_kernels *df_kernels_current(void) {
  if (selected) return selected;
  const df_kernels *kernels = atomic_load_explicit(&current, memory_order_acquire);
  if (kernels) return kernels;
  const df_kernels *none = NULL;
  const df_kernels *chosen = choose();
  // Another thread may have been first.
  return atomic_compare_exchange_strong(&current, &none, chosen) ? chosen : none;
}

df_isa df_isa_current(void) { return df_kernels_current()->isa; }

bool df_isa_supported(df_isa isa) { return table(isa) != NULL; }

bool df_isa_select(df_isa isa) {
  const df_kernels *kernels = table(isa);
  if (!kernels) return false;
  selected = kernels;
  return true;
}

const char *df_isa_name(df_isa isa) {
  switch (isa) {
    case DF_ISA_NEON: return "neon";
    case DF_ISA_AVX2: return "avx2";
    case DF_ISA_AVX512: return "avx512";
    case DF_ISA_PORTABLE: break;
  }
  return "portable";
}
