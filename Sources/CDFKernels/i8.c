// Dot products of bytes: how alike embeddings are. On the calling thread, since many are compared at once.
#include "kernels.h"

static inline __attribute__((always_inline)) void dots(
  size_t rows, size_t count, const int8_t *x, const int8_t *y, int32_t *sums) {
  for (size_t row = 0; row < rows; row++, x += count) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += (int32_t)((int16_t)x[i] * (int16_t)y[i]);
    sums[row] = sum;
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void dots__avx2(
  size_t rows, size_t count, const int8_t *x, const int8_t *y, int32_t *sums) {
  dots(rows, count, x, y, sums);
}
#endif

static void dots__portable(
  size_t rows, size_t count, const int8_t *x, const int8_t *y, int32_t *sums) {
  dots(rows, count, x, y, sums);
}

void df_i8_dots(size_t rows, size_t count, const int8_t *x, const int8_t *y, int32_t *sums) {
#if defined(__x86_64__)
  if (df_isa_current() >= DF_ISA_AVX2) {
    dots__avx2(rows, count, x, y, sums);
    return;
  }
#endif
  dots__portable(rows, count, x, y, sums);
}
