// What this machine can do at most, for judging what the kernels make of it.
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#include "kernels.h"

#define LANES 4
#define FMA 0
#define NAME(x) x##__portable
#include "machine.inc"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LANES 8
#define FMA 1
#define NAME(x) x##__avx2
#include "machine.inc"
#pragma clang attribute pop

#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
#define LANES 16
#define FMA 1
#define NAME(x) x##__avx512
#include "machine.inc"
#pragma clang attribute pop
#elif defined(__aarch64__)
#define LANES 4
#define FMA 1
#define NAME(x) x##__neon
#include "machine.inc"
#endif

typedef struct machine_kernels {
  size_t multiply_adds_a_round;
  float (*multiply_adds)(size_t rounds, float factor, float term);
  float (*read)(size_t count, const float *x);
} machine_kernels;

#define KERNELS(lanes, isa) \
  { (size_t)lanes * chains__##isa, multiply_adds__##isa, read__##isa }

static machine_kernels kernels_of(df_isa isa) {
  static const machine_kernels portable = KERNELS(4, portable);
#if defined(__x86_64__)
  static const machine_kernels avx2 = KERNELS(8, avx2), avx512 = KERNELS(16, avx512);
  if (isa == DF_ISA_AVX2) return avx2;
  if (isa == DF_ISA_AVX512) return avx512;
#elif defined(__aarch64__)
  static const machine_kernels neon = KERNELS(4, neon);
  if (isa == DF_ISA_NEON) return neon;
#endif
  return portable;
}

size_t df_f32_run_multiply_adds(df_isa isa, size_t rounds, float *result) {
  if (!df_isa_supported(isa)) return 0;
  machine_kernels kernels = kernels_of(isa);
  // From memory, so that the compiler cannot know them; all chains approach 2.
  volatile float factor = 0.5f, term = 1.0f;
  *result = kernels.multiply_adds(rounds, factor, term);
  return kernels.multiply_adds_a_round * rounds;
}

float df_f32_read(df_isa isa, size_t count, const float *x) {
  return df_isa_supported(isa) ? kernels_of(isa).read(count, x) : 0;
}

size_t df_cache_bytes(int level) {
#if defined(__GLIBC__)
  long bytes = level == 2 ? sysconf(_SC_LEVEL2_CACHE_SIZE)
    : level == 3 ? sysconf(_SC_LEVEL3_CACHE_SIZE) : 0;
  return bytes > 0 ? (size_t)bytes : 0;
#elif defined(__APPLE__)
  uint64_t bytes = 0;
  size_t size = sizeof bytes;
  const char *name = level == 2 ? "hw.l2cachesize" : level == 3 ? "hw.l3cachesize" : "";
  return sysctlbyname(name, &bytes, &size, NULL, 0) == 0 ? (size_t)bytes : 0;
#else
  (void)level;
  return 0;
#endif
}
