// The steps of a long short-term memory. Those of one sequence run on the calling thread: a step's product
// takes far longer.
//
// The weights of that product do not fit the second cache, and each step reads all of them. So steps go
// through them forward and backward in turn: a step begins with what the step before read last.
#include "kernels.h"

enum { TASK_TERMS = 512 * 1024 };  // multiplications that make a task worth its start

typedef struct product {
  const df_kernels *kernels;
  size_t m, n, k;
  const float *a, *packed;
  float *c;
  bool backward;
  size_t panels, panels_at_once;  // all, and of a task
} product;

static void run_panels(void *context, size_t index) {
  const product *p = context;
  size_t width = p->kernels->panel, first = index * p->panels_at_once;
  size_t count = df_min(p->panels_at_once, p->panels - first);
  size_t chunk = df_divide_up(p->k, df_divide_up(p->k, p->kernels->inner));
  for (size_t i = 0; i < count; i++) {
    size_t column = (p->backward ? first + count - 1 - i : first + i) * width;
    size_t columns = df_min(width, p->n - column);
    const float *panel = p->packed + column * p->k;
    for (size_t start = 0; start < p->k; start += chunk) {
      const float *rows = p->a + start;
      df_gemm_block block = {
        .rows = p->m, .columns = columns, .k = df_min(chunk, p->k - start), .segments = 1,
        .a = &rows, .lda = p->k, .b = panel + start * df_round_up(columns, p->kernels->lanes),
        // What is fetched ahead: the next panel, or nothing new.
        .panel_stride = p->backward ? 0 : p->k * width, .c = p->c + column, .ldc = p->n,
        .first = start == 0, .last = start + chunk >= p->k};
      p->kernels->gemm_block(&block);
    }
  }
}

void df_f32_lstm_product(
  size_t batch, size_t hidden, const float *outputs, const float *packed, bool backward,
  float *sums) {
  const df_kernels *kernels = df_kernels_current();
  size_t n = 4 * hidden;
  if (batch > kernels->tile_rows) {  // the weights are read once for several rows anyway
    df_f32_gemm_packed(batch, n, hidden, outputs, hidden, packed, sums, n, NULL);
    return;
  }
  product p = {
    .kernels = kernels, .m = batch, .n = n, .k = hidden, .a = outputs, .packed = packed, .c = sums,
    .backward = backward, .panels = df_divide_up(n, kernels->panel)};
  size_t wanted = df_min(batch * n * hidden / TASK_TERMS, (size_t)df_thread_count());
  p.panels_at_once = df_divide_up(p.panels, df_max(1, df_min(wanted, p.panels)));
  df_parallel_for(df_divide_up(p.panels, p.panels_at_once), run_panels, &p);
}

void df_f32_lstm_step(
  size_t hidden, float *gates, const float *recurrent, float *cell, float *output) {
  df_kernels_current()->lstm_step(hidden, gates, recurrent, cell, output);
}

void df_f32_lstm_step_gradient(
  size_t hidden, const float *gates, const float *cell_before, const float *cell,
  const float *output_gradient, float *cell_gradient, float *gates_gradient) {
  df_kernels_current()->lstm_step_gradient(
    hidden, gates, cell_before, cell, output_gradient, cell_gradient, gates_gradient);
}
