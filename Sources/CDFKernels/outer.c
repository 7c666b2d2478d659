// Products of a transposed matrix with another: sums over rows (pixels) of outer products. Rows are
// cut into segments, each with sums of its own, where the result is too small to keep many threads
// busy; how depends on the shape alone, and the segments' sums are added up in order.
#include <string.h>

#include "outer.h"

enum {
  TERMS = 256,            // rows at a time: their parts of A and B stay in the second cache
  TASK_COLUMNS = 256,     // of a task's part of C
  TASK_ROWS = 9,          // the same in register tiles
  FEWEST_TASKS = 32,
  SEGMENT_TERMS = 512,    // rows that make a segment worth its sums
  SEGMENTS_FLOATS = 4 << 20,  // of all segments' sums together
};

typedef struct plan {
  const df_outer *outer;
  size_t rows, columns, down, across;  // of a task, and tasks
  size_t segments, segment_terms;
  float *sums;  // [segment][row][column], or null for one segment
} plan;

/// The columns of B that do not fill a vector, filled up with zeros.
static void copy_tail(
  const float *b, size_t ldb, size_t terms, size_t columns, size_t lanes, float *to) {
  for (size_t term = 0; term < terms; term++, b += ldb, to += lanes) {
    for (size_t i = 0; i < columns; i++) to[i] = b[i];
    for (size_t i = columns; i < lanes; i++) to[i] = 0;
  }
}

static void run_task(void *context, size_t index) {
  const plan *plan = context;
  const df_outer *o = plan->outer;
  size_t lanes = o->kernels->lanes;
  size_t column = index % plan->across * plan->columns, rest = index / plan->across;
  size_t row = rest % plan->down * plan->rows, segment = rest / plan->down;
  size_t rows = df_min(plan->rows, o->rows - row);
  size_t columns = df_min(plan->columns, o->columns - column);
  size_t whole = columns / lanes * lanes, tail = columns - whole;
  size_t first = segment * plan->segment_terms;
  size_t last = df_min(o->terms, first + plan->segment_terms);
  float *c = plan->sums ? plan->sums + segment * o->rows * o->columns : o->c;
  size_t ldc = plan->sums ? o->columns : o->ldc;
  c += row * ldc + column;

  size_t stride = df_round_up(rows, DF_MOST_LANES) + DF_MOST_LANES;
  size_t gathered = o->gather ? TERMS * stride : 0;
  float *scratch = df_scratch(DF_SCRATCH_TASK, gathered + TERMS * lanes);
  float *tails = scratch + gathered;
  for (size_t term = first; term < last; term += TERMS) {
    df_outer_block block = {
      .terms = df_min(TERMS, last - term), .rows = rows, .columns = whole,
      .a = o->a + term * o->lda + row, .lda = o->lda, .b = o->b + term * o->ldb + column,
      .ldb = o->ldb, .c = c, .ldc = ldc, .first = term == first};
    if (o->gather) {
      o->gather(o, term, block.terms, row, rows, scratch, stride);
      block.a = scratch;
      block.lda = stride;
    }
    if (whole > 0) o->kernels->outer_block(&block);
    if (tail > 0) {
      copy_tail(block.b + whole, o->ldb, block.terms, tail, lanes, tails);
      block.b = tails;
      block.ldb = lanes;
      block.columns = tail;
      block.c = c + whole;
      o->kernels->outer_block(&block);
    }
  }
}

/// Adds up a row of C's segments.
static void merge_row(void *context, size_t row) {
  const plan *plan = context;
  const df_outer *o = plan->outer;
  size_t size = o->rows * o->columns;
  float *c = o->c + row * o->ldc;
  const float *sums = plan->sums + row * o->columns;
  memcpy(c, sums, o->columns * sizeof(float));
  for (size_t segment = 1; segment < plan->segments; segment++) {
    o->kernels->add(o->columns, c, sums + segment * size, c);
  }
}

void df_run_outer(const df_outer *o) {
  if (o->rows == 0 || o->columns == 0) return;
  if (o->terms == 0) {
    for (size_t row = 0; row < o->rows; row++) {
      memset(o->c + row * o->ldc, 0, o->columns * sizeof(float));
    }
    return;
  }
  plan plan = {.outer = o};
  size_t most_rows = TASK_ROWS * o->kernels->tile_rows;
  plan.down = df_divide_up(o->rows, most_rows);
  plan.rows = df_round_up(df_divide_up(o->rows, plan.down), o->kernels->tile_rows);
  plan.down = df_divide_up(o->rows, plan.rows);
  size_t panels = df_divide_up(o->columns, o->kernels->panel);
  plan.across = df_divide_up(o->columns, TASK_COLUMNS);
  plan.columns = df_divide_up(panels, plan.across) * o->kernels->panel;
  plan.across = df_divide_up(o->columns, plan.columns);

  size_t size = o->rows * o->columns;
  size_t wanted = df_divide_up(FEWEST_TASKS, plan.down * plan.across);
  size_t most = df_max(1, SEGMENTS_FLOATS / size);
  plan.segments = df_min(df_min(wanted, most), df_divide_up(o->terms, SEGMENT_TERMS));
  plan.segment_terms = df_round_up(df_divide_up(o->terms, plan.segments), TERMS);
  plan.segments = df_divide_up(o->terms, plan.segment_terms);
  if (plan.segments > 1) plan.sums = df_scratch(DF_SCRATCH_CALL, plan.segments * size);
  df_parallel_for(plan.segments * plan.down * plan.across, run_task, &plan);
  if (plan.sums) df_parallel_for(o->rows, merge_row, &plan);
}

void df_f32_gemm_transposed(
  size_t terms, size_t rows, size_t columns, const float *a, size_t lda, const float *b,
  size_t ldb, float *c, size_t ldc) {
  df_run_outer(&(df_outer){
    .kernels = df_kernels_current(), .terms = terms, .rows = rows, .columns = columns, .a = a,
    .lda = lda, .b = b, .ldb = ldb, .c = c, .ldc = ldc});
}
