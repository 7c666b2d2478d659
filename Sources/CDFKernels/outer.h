// What outer.c and the gradients of convolutions share.
#ifndef DF_OUTER_H
#define DF_OUTER_H

#include "kernels.h"

/// C = A transposed * B in tasks on the pool: A is terms x rows, B terms x columns, C rows x columns.
/// A's rows lie at `a`, or `gather` writes `rows` of their elements from `row` on, for terms
/// term ... term + terms - 1, to places `stride` apart, with room for three floats more than a row.
typedef struct df_outer {
  const df_kernels *kernels;
  size_t terms, rows, columns;
  const float *a, *b;
  size_t lda, ldb;
  void (*gather)(
    const struct df_outer *outer, size_t term, size_t terms, size_t row, size_t rows, float *to,
    size_t stride);
  const void *context;  // for gather
  float *c;
  size_t ldc;
} df_outer;
void df_run_outer(const df_outer *outer);

#endif
