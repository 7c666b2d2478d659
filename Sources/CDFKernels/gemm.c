// Products with packed weights: packing, and the cutting of a product into tasks and cache-sized
// blocks. B is packed in panels as wide as the register tile, each panel a run of rows, the last
// one only as many vectors wide as it needs.
//
// Every element of C is the sum of its terms in order of the inner dimension, cut into chunks in a
// way that depends on K alone, so that results depend neither on the threads nor on the tasks.
#include <string.h>

#include "kernels.h"

enum {
  BLOCK_FLOATS = 96 * 1024,   // of A's and C's blocks of one task: they stay in the second cache
  TASK_TERMS = 512 * 1024,    // multiplications that make a task worth its start
  TASKS_PER_THREAD = 4,       // for balance
  MOST_ROWS = 1024,
  PACKED_TOGETHER = 64 * 1024,  // elements that are worth several threads
};

size_t df_f32_packed_count(size_t k, size_t n) {
  return k * df_round_up(n, df_kernels_current()->lanes);
}

/// A matrix to be packed: as it is, or transposed.
typedef struct packing {
  const df_kernels *kernels;
  size_t k, n;
  const float *b;
  size_t ldb;
  float *packed;
} packing;

static void pack_panel(void *context, size_t index) {
  const packing *p = context;
  size_t column = index * p->kernels->panel;
  size_t columns = df_min(p->kernels->panel, p->n - column);
  size_t width = df_round_up(columns, p->kernels->lanes);
  float *to = p->packed + column * p->k;
  const float *from = p->b + column;
  for (size_t row = 0; row < p->k; row++, to += width, from += p->ldb) {
    memcpy(to, from, columns * sizeof(float));
    memset(to + columns, 0, (width - columns) * sizeof(float));
  }
}

static void pack_transposed_panel(void *context, size_t index) {
  const packing *p = context;
  size_t column = index * p->kernels->panel;
  p->kernels->pack_transposed(
    p->k, df_min(p->kernels->panel, p->n - column), p->b + column * p->ldb, p->ldb,
    p->packed + column * p->k);
}

static void pack(packing p, void (*panel)(void *, size_t)) {
  size_t panels = df_divide_up(p.n, p.kernels->panel);
  if (p.k * p.n >= PACKED_TOGETHER) {
    df_parallel_for(panels, panel, &p);
  } else {
    for (size_t i = 0; i < panels; i++) panel(&p, i);
  }
}

void df_f32_pack(size_t k, size_t n, const float *b, size_t ldb, float *packed) {
  pack((packing){df_kernels_current(), k, n, b, ldb, packed}, pack_panel);
}

void df_f32_pack_transposed(size_t k, size_t n, const float *b, size_t ldb, float *packed) {
  pack((packing){df_kernels_current(), k, n, b, ldb, packed}, pack_transposed_panel);
}

/// A packed matrix whose columns are to be scaled.
typedef struct scaling {
  size_t panel, lanes, k, n;
  const double *scale;
  float *packed;
} scaling;

static void scale_panel(void *context, size_t index) {
  const scaling *s = context;
  size_t column = index * s->panel, columns = df_min(s->panel, s->n - column);
  size_t width = df_round_up(columns, s->lanes);
  float *to = s->packed + column * s->k;
  for (size_t row = 0; row < s->k; row++, to += width) {
    for (size_t c = 0; c < columns; c++) to[c] = (float)((double)to[c] * s->scale[column + c]);
  }
}

void df_f32_scale_packed(size_t k, size_t n, const double *scale, float *packed) {
  const df_kernels *kernels = df_kernels_current();
  scaling scaling = {kernels->panel, kernels->lanes, k, n, scale, packed};
  df_parallel_for(df_divide_up(n, kernels->panel), scale_panel, &scaling);
}

/// How a product is cut: tasks of `rows` by `columns`, `across` of them side by side.
typedef struct plan {
  const df_product *product;
  size_t rows, columns, across, chunk;
} plan;

void df_gemm_columns(
  const df_kernels *kernels, df_gemm_block block, const float *panels, size_t k, size_t start) {
  // Within a panel a row is as wide as the panel, so a chunk of the last, narrower panel begins elsewhere
  // than one of the others: it is a block of its own.
  size_t full = block.columns / kernels->panel * kernels->panel, rest = block.columns - full;
  block.panel_stride = k * kernels->panel;
  if (full > 0) {
    df_gemm_block part = block;
    part.columns = full;
    part.b = panels + start * kernels->panel;
    kernels->gemm_block(&part);
  }
  if (rest > 0) {
    block.columns = rest;
    block.b = panels + full * k + start * df_round_up(rest, kernels->lanes);
    block.c += full;
    if (block.bias) block.bias += full;
    if (block.residual) block.residual += full;
    if (block.slopes) block.slopes += full;
    kernels->gemm_block(&block);
  }
}

static void run_task(void *context, size_t index) {
  const plan *plan = context;
  const df_product *p = plan->product;
  const df_kernels *kernels = p->kernels;
  size_t row = index / plan->across * plan->rows, column = index % plan->across * plan->columns;
  size_t offset = row * p->ldc + column;
  df_gemm_block block = {
    .rows = df_min(plan->rows, p->m - row),
    .columns = df_min(plan->columns, p->n - column),
    .c = p->c + offset,
    .ldc = p->ldc,
    .bias = p->epilogue.bias ? p->epilogue.bias + column : NULL,
    .residual = p->epilogue.residual ? p->epilogue.residual + offset : NULL,
    .activation = p->epilogue.activation,
    .slope = p->epilogue.slope,
    .slopes = p->epilogue.slopes ? p->epilogue.slopes + column : NULL,
    .residual_first = p->epilogue.residual_first,
  };
  const float *rows;
  block.segments = 1;
  block.a = &rows;
  const float *panels = p->packed + column * p->k;
  size_t stride = plan->chunk + DF_MOST_LANES;
  float *scratch = p->gather ? df_scratch(DF_SCRATCH_TASK, block.rows * stride) : NULL;
  size_t start = 0;
  do {
    block.k = df_min(plan->chunk, p->k - start);
    block.first = start == 0;
    block.last = start + block.k == p->k;
    if (p->gather) {
      p->gather(p, row, block.rows, start, block.k, scratch, stride);
      rows = scratch;
      block.lda = stride;
    } else {
      rows = p->a + row * p->lda + start;
      block.lda = p->lda;
    }
    df_gemm_columns(kernels, block, panels, p->k, start);
    start += block.k;
  } while (start < p->k);
}

void df_run_product(const df_product *p) {
  if (p->m == 0 || p->n == 0) return;
  const df_kernels *kernels = p->kernels;
  size_t chunks = df_max(1, df_divide_up(p->k, kernels->inner));
  plan plan = {.product = p};
  plan.chunk = df_max(1, df_divide_up(p->k, chunks));

  size_t threads = (size_t)df_thread_count();
  size_t wanted = df_min(p->m * p->n * p->k / TASK_TERMS, threads * TASKS_PER_THREAD);
  if (threads == 1) wanted = 1;
  size_t panels = df_divide_up(p->n, kernels->panel), across = 1, down = 1;
  size_t most_rows = df_min(MOST_ROWS, BLOCK_FLOATS / (plan.chunk + df_min(p->n, 256)));
  most_rows = df_max(2 * kernels->tile_rows, most_rows);
  down = df_divide_up(p->m, most_rows);
  // Split the longer side of a task until there are enough: square tasks read least.
  while (down * across < wanted) {
    size_t rows = df_divide_up(p->m, down), columns = df_divide_up(panels, across);
    bool can_rows = rows >= 2 * kernels->tile_rows, can_columns = columns >= 2;
    if (!can_rows && !can_columns) break;
    if (can_rows && (!can_columns || rows >= columns * kernels->panel)) {
      down++;
    } else {
      across++;
    }
  }
  plan.rows = df_divide_up(p->m, down);
  if (plan.rows > kernels->tile_rows) plan.rows = df_round_up(plan.rows, kernels->tile_rows);
  plan.columns = df_divide_up(panels, across) * kernels->panel;
  plan.across = df_divide_up(p->n, plan.columns);
  df_parallel_for(df_divide_up(p->m, plan.rows) * plan.across, run_task, &plan);
}

static void gather_rows(
  const df_product *p, size_t row, size_t rows, size_t start, size_t k, float *to,
  size_t stride) {
  for (size_t i = 0; i < rows; i++) {
    memcpy(to + i * stride, p->a + (row + i) * p->lda + start, k * sizeof(float));
  }
}

void df_f32_gemm_packed(
  size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, float *c,
  size_t ldc, const df_epilogue *epilogue) {
  df_product product = {
    .kernels = df_kernels_current(), .m = m, .n = n, .k = k, .a = a, .lda = lda,
    .packed = packed, .c = c, .ldc = ldc};
  if (epilogue) product.epilogue = *epilogue;
  // Rows a multiple of 4 KiB apart all fall into the same few places of the first cache.
  if (lda % 1024 == 0 && m > 8 && n > 64) product.gather = gather_rows;
  df_run_product(&product);
}
