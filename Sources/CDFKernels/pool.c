// Max pools with padding, a row of outputs at a time.
#include "kernels.h"

typedef struct max_pool {
  const df_kernels *kernels;
  const df_pool *pool;
  const float *x;
  float *y;
} max_pool;

/// Where a window begins in the input, and how many of its pixels are there.
typedef struct span {
  size_t first, count;
} span;

static span span_of(size_t index, size_t extent, size_t kernel, size_t stride, size_t pad) {
  size_t start = index * stride, end = start + kernel;
  size_t first = start > pad ? start - pad : 0;
  end = end > pad ? df_min(end - pad, extent) : 0;
  return (span){first, end > first ? end - first : 0};
}

static void run_row(void *context, size_t index) {
  const max_pool *p = context;
  const df_pool *v = p->pool;
  size_t image = index / v->out_height;
  span rows = span_of(
    index % v->out_height, v->in_height, v->kernel_height, v->stride_height, v->pad_top);
  const float *x = p->x + (image * v->in_height + rows.first) * v->in_width * v->channels;
  float *y = p->y + index * v->out_width * v->channels;
  for (size_t i = 0; i < v->out_width; i++, y += v->channels) {
    span columns = span_of(i, v->in_width, v->kernel_width, v->stride_width, v->pad_left);
    p->kernels->max_window(
      rows.count, columns.count, v->channels, x + columns.first * v->channels,
      v->in_width * v->channels, y);
  }
}

void df_f32_max_pool(const df_pool *pool, const float *x, float *y) {
  if (pool->channels == 0 || pool->out_width == 0) return;
  max_pool p = {df_kernels_current(), pool, x, y};
  df_parallel_for(pool->batch * pool->out_height, run_row, &p);
}
