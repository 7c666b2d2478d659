// Operations on single elements, cut into tasks.
#include "kernels.h"

enum { TASK_FLOATS = 32 * 1024, TASK_PIXELS = 8 * 1024, SOME_PIXELS = 256 };

typedef struct elements {
  const df_kernels *kernels;
  size_t count;
  const float *a, *b;
  float *y;
  df_activation activation;
  float slope;
} elements;

static void run_activate(void *context, size_t index) {
  const elements *e = context;
  size_t first = index * TASK_FLOATS;
  e->kernels->activate(
    df_min(TASK_FLOATS, e->count - first), e->a + first, e->y + first, e->activation, e->slope);
}

void df_f32_activate(
  size_t count, const float *x, float *y, df_activation activation, float slope) {
  elements e = {
    .kernels = df_kernels_current(), .count = count, .a = x, .y = y, .activation = activation,
    .slope = slope};
  df_parallel_for(df_divide_up(count, TASK_FLOATS), run_activate, &e);
}

static void run_activation_gradient(void *context, size_t index) {
  const elements *e = context;
  size_t first = index * TASK_FLOATS;
  e->kernels->activation_gradient(
    df_min(TASK_FLOATS, e->count - first), e->a + first, e->b + first, e->y + first,
    e->activation, e->slope);
}

void df_f32_activation_gradient(
  size_t count, const float *x, const float *gradient, float *y, df_activation activation,
  float slope) {
  elements e = {
    .kernels = df_kernels_current(), .count = count, .a = x, .b = gradient, .y = y,
    .activation = activation, .slope = slope};
  df_parallel_for(df_divide_up(count, TASK_FLOATS), run_activation_gradient, &e);
}

static void run_add(void *context, size_t index) {
  const elements *e = context;
  size_t first = index * TASK_FLOATS;
  e->kernels->add(
    df_min(TASK_FLOATS, e->count - first), e->a + first, e->b + first, e->y + first);
}

void df_f32_add(size_t count, const float *a, const float *b, float *y) {
  elements e = {.kernels = df_kernels_current(), .count = count, .a = a, .b = b, .y = y};
  df_parallel_for(df_divide_up(count, TASK_FLOATS), run_add, &e);
}

typedef struct pixels {
  const df_kernels *kernels;
  size_t count;
  const uint8_t *x, *order;
  const float *scale, *shift;
  float *y;
} pixels;

static void run_normalize(void *context, size_t index) {
  const pixels *p = context;
  size_t first = index * TASK_PIXELS, end = df_min(p->count, first + TASK_PIXELS);
  const uint8_t *order = p->order;
  if (order[0] == 0 && order[1] == 1 && order[2] == 2) {
    p->kernels->normalize(
      (end - first) * 3, p->x + first * 3, p->scale, p->shift, p->y + first * 3);
    return;
  }
  uint8_t some[3 * SOME_PIXELS];
  for (; first < end; first += SOME_PIXELS) {
    size_t count = df_min(SOME_PIXELS, end - first);
    const uint8_t *x = p->x + first * 3;
    for (size_t i = 0; i < count; i++) {
      for (size_t c = 0; c < 3; c++) some[i * 3 + c] = x[i * 3 + order[c]];
    }
    p->kernels->normalize(count * 3, some, p->scale, p->shift, p->y + first * 3);
  }
}

void df_u8_normalize(
  size_t count, const uint8_t *x, const uint8_t order[3], const float scale[3],
  const float shift[3], float *y) {
  pixels p = {df_kernels_current(), count, x, order, scale, shift, y};
  df_parallel_for(df_divide_up(count, TASK_PIXELS), run_normalize, &p);
}
