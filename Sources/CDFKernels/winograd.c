// 3x3 convolutions by Winograd's method (Lavin and Gray 2016): the products of a tile of 4x4 outputs
// become 36 products of transformed pixels and weights in place of 144.
//
// Narrow layers run a block of tiles from pixels to outputs at once, all of it in the second cache.
// Wide ones, whose transformed weights do not fit there, transform many tiles, then multiply position by
// position, so that each position's weights are read once. Those of several groups are in
// winograd_grouped.c.
#include <string.h>

#include "conv2d.h"

enum {
  TILE = 4,
  REACH = 6,
  POSITIONS = 36,
  NEAR_FLOATS = 160 * 1024,    // of a block's transformed pixels and products
  NEAR_WEIGHTS = 300 * 1024,   // of transformed weights that are read anew by every block
  FAR_FLOATS = 4 * 1024 * 1024,  // of a group's transformed pixels and products
  GROUP_ROWS = 56,             // of a product's task, where weights are wide
  TILES_TOGETHER = 8,          // of a task that transforms
};

typedef struct winograd {
  const df_kernels *kernels;
  const df_conv2d *conv;
  const float *x, *packed;
  size_t x_pixel, y_pixel;
  float *y;
  df_epilogue epilogue;
  size_t across, down, count;  // tiles
  size_t in_stride, out_stride;  // floats from one tile's transformed pixels, and products, to the next
  size_t block;  // tiles of a task, or of a group
} winograd;

/// Transformed pixels and products of some tiles.
typedef struct space {
  float *pixels, *products;
  size_t pixels_position, products_position;  // floats from one position to the next
} space;

static size_t space_floats(const winograd *w, size_t tiles) {
  return POSITIONS * (df_odd_lines(tiles * w->in_stride) + df_odd_lines(tiles * w->out_stride));
}

static space space_in(const winograd *w, size_t tiles, float *memory) {
  size_t pixels = df_odd_lines(tiles * w->in_stride);
  return (space){
    memory, memory + POSITIONS * pixels, pixels, df_odd_lines(tiles * w->out_stride)};
}

bool df_f32_winograd_fits(const df_conv2d *v) {
  return v->kernel_height == 3 && v->kernel_width == 3 && v->stride_height == 1
    && v->stride_width == 1 && v->dilation_height == 1 && v->dilation_width == 1;
}

size_t df_f32_winograd_packed_count(const df_conv2d *v) {
  if (v->groups > 1) return df_winograd_grouped_packed_count(v);
  return POSITIONS * df_f32_packed_count(v->in_channels, v->out_channels);
}

typedef struct packing {
  const df_kernels *kernels;
  size_t inputs, outputs;
  const float *weights;
  float *packed;
} packing;

/// The weights' transform of three values for each of six points (see f32_winograd.inc).
static void transform_weights(const double g[3], size_t step, double *u) {
  static const double a = 0.75, b = 1.5;
  const double by_zero = 1 / (a * a * b * b);
  const double by_a = 1 / (2 * a * a * (a * a - b * b)), by_b = 1 / (2 * b * b * (b * b - a * a));
  double even_a = (g[0] + a * a * g[2]) * by_a, odd_a = a * g[1] * by_a;
  double even_b = (g[0] + b * b * g[2]) * by_b, odd_b = b * g[1] * by_b;
  u[0] = g[0] * by_zero;
  u[step] = even_a + odd_a;
  u[2 * step] = even_a - odd_a;
  u[3 * step] = even_b + odd_b;
  u[4 * step] = even_b - odd_b;
  u[5 * step] = g[2];
}

/// A panel of every position, packed as df_f32_pack does it.
static void pack_panel(void *context, size_t index) {
  const packing *p = context;
  size_t column = index * p->kernels->panel;
  size_t columns = df_min(p->kernels->panel, p->outputs - column);
  size_t width = df_round_up(columns, p->kernels->lanes);
  size_t position = p->inputs * df_round_up(p->outputs, p->kernels->lanes);
  size_t tap = p->inputs * p->outputs;
  for (size_t input = 0; input < p->inputs; input++) {
    float *to = p->packed + column * p->inputs + input * width;
    for (size_t c = 0; c < columns; c++, to++) {
      const float *from = p->weights + input * p->outputs + column + c;
      double half[3][REACH], whole[REACH];
      for (size_t kx = 0; kx < 3; kx++) {
        transform_weights(
          (double[]){from[kx * tap], from[(3 + kx) * tap], from[(6 + kx) * tap]}, 1, half[kx]);
      }
      for (size_t row = 0; row < REACH; row++) {
        transform_weights((double[]){half[0][row], half[1][row], half[2][row]}, 1, whole);
        for (size_t i = 0; i < REACH; i++) to[(row * REACH + i) * position] = (float)whole[i];
      }
    }
    for (size_t i = 0; i < POSITIONS; i++) {
      memset(to + i * position, 0, (width - columns) * sizeof(float));
    }
  }
}

void df_f32_winograd_pack(const df_conv2d *v, const float *weights, float *packed) {
  if (v->groups > 1) {
    df_winograd_grouped_pack(v, weights, packed);
    return;
  }
  packing p = {df_kernels_current(), v->in_channels, v->out_channels, weights, packed};
  df_parallel_for(df_divide_up(p.outputs, p.kernels->panel), pack_panel, &p);
}

/// The tile's pixels as a 6x6 patch with zeros where they are outside, in `patch` if need be.
static void place_pixels(
  const winograd *w, size_t image, ptrdiff_t top, ptrdiff_t left, float *patch,
  df_winograd_tile *tile) {
  const df_conv2d *v = w->conv;
  size_t row = v->in_width * w->x_pixel;
  const float *x = w->x + image * v->in_height * row;
  ptrdiff_t height = (ptrdiff_t)v->in_height, width = (ptrdiff_t)v->in_width;
  if (top >= 0 && left >= 0 && top + REACH <= height && left + REACH <= width) {
    tile->x = x + (size_t)top * row + (size_t)left * w->x_pixel;
    tile->x_row = row;
    tile->x_pixel = w->x_pixel;
    return;
  }
  size_t channels = v->in_channels;
  tile->x = patch;
  tile->x_pixel = w->in_stride;
  tile->x_row = REACH * w->in_stride;
  for (ptrdiff_t i = top; i < top + REACH; i++) {
    for (ptrdiff_t j = left; j < left + REACH; j++, patch += w->in_stride) {
      if (i < 0 || j < 0 || i >= height || j >= width) {
        memset(patch, 0, channels * sizeof(float));
      } else {
        memcpy(
          patch, x + (size_t)i * row + (size_t)j * w->x_pixel, channels * sizeof(float));
      }
    }
  }
}

/// Transforms the pixels of tiles first ... last - 1 to places from `at` on.
static void transform_pixels(
  const winograd *w, size_t first, size_t last, size_t at, float *patch, const space *space) {
  const df_conv2d *v = w->conv;
  for (size_t i = first; i < last; i++, at++) {
    size_t image = i / (w->across * w->down), place = i % (w->across * w->down);
    df_winograd_tile tile = {
      .channels = v->in_channels, .products = space->pixels + at * w->in_stride,
      .position = space->pixels_position};
    place_pixels(
      w, image, (ptrdiff_t)(place / w->across * TILE) - (ptrdiff_t)v->pad_top,
      (ptrdiff_t)(place % w->across * TILE) - (ptrdiff_t)v->pad_left, patch, &tile);
    w->kernels->winograd_input(&tile);
  }
}

/// The products of a position's transformed pixels and weights for `tiles` from `at` on.
static void multiply(
  const winograd *w, size_t position, size_t at, size_t tiles, const space *space) {
  const df_conv2d *v = w->conv;
  size_t k = v->in_channels, n = v->out_channels;
  const float *pixels =
    space->pixels + position * space->pixels_position + at * w->in_stride;
  w->kernels->gemm_block(&(df_gemm_block){
    .rows = tiles, .columns = n, .k = k, .segments = 1, .a = &pixels, .lda = w->in_stride,
    .b = w->packed + position * k * df_round_up(n, w->kernels->lanes),
    .panel_stride = k * w->kernels->panel,
    .c = space->products + position * space->products_position + at * w->out_stride,
    .ldc = w->out_stride, .first = true, .last = true, .activation = DF_IDENTITY});
}

/// Outputs from the products of tiles first ... last - 1, which lie from `at` on.
static void transform_products(
  const winograd *w, size_t first, size_t last, size_t at, const space *space) {
  const df_conv2d *v = w->conv;
  const df_epilogue *e = &w->epilogue;
  for (size_t i = first; i < last; i++, at++) {
    size_t image = i / (w->across * w->down), place = i % (w->across * w->down);
    size_t top = place / w->across * TILE, left = place % w->across * TILE;
    size_t offset = ((image * v->out_height + top) * v->out_width + left) * w->y_pixel;
    w->kernels->winograd_output(&(df_winograd_tile){
      .channels = v->out_channels, .products = space->products + at * w->out_stride,
      .position = space->products_position, .bias = e->bias, .slopes = e->slopes,
      .residual = e->residual ? e->residual + offset : NULL, .activation = e->activation,
      .slope = e->slope, .y = w->y + offset, .y_row = v->out_width * w->y_pixel,
      .y_pixel = w->y_pixel, .rows = df_min(TILE, v->out_height - top),
      .columns = df_min(TILE, v->out_width - left)});
  }
}

static size_t patch_floats(const winograd *w) { return REACH * REACH * w->in_stride; }

/// A block of tiles from pixels to outputs.
static void run_block(void *context, size_t index) {
  const winograd *w = context;
  size_t first = index * w->block;
  if (first >= w->count) return;
  size_t last = df_min(w->count, first + w->block);
  float *patch = df_scratch(DF_SCRATCH_TASK, patch_floats(w) + space_floats(w, w->block));
  space space = space_in(w, w->block, patch + patch_floats(w));
  transform_pixels(w, first, last, 0, patch, &space);
  for (size_t i = 0; i < POSITIONS; i++) multiply(w, i, 0, last - first, &space);
  transform_products(w, first, last, 0, &space);
}

/// A group of tiles whose transformed pixels are all there before they are multiplied.
typedef struct group {
  const winograd *winograd;
  size_t first, count;
  space space;
  size_t parts;  // of a position's products
} group;

static void pixels_of_group(void *context, size_t index) {
  const group *g = context;
  size_t at = index * TILES_TOGETHER, last = df_min(g->count, at + TILES_TOGETHER);
  float *patch = df_scratch(DF_SCRATCH_TASK, patch_floats(g->winograd));
  transform_pixels(g->winograd, g->first + at, g->first + last, at, patch, &g->space);
}

static void products_of_group(void *context, size_t index) {
  const group *g = context;
  size_t part = index % g->parts, rows = df_divide_up(g->count, g->parts);
  size_t at = df_min(g->count, part * rows), last = df_min(g->count, at + rows);
  if (at < last) multiply(g->winograd, index / g->parts, at, last - at, &g->space);
}

static void outputs_of_group(void *context, size_t index) {
  const group *g = context;
  size_t at = index * TILES_TOGETHER, last = df_min(g->count, at + TILES_TOGETHER);
  transform_products(g->winograd, g->first + at, g->first + last, at, &g->space);
}

static void run_groups(const winograd *w) {
  float *memory = df_scratch(DF_SCRATCH_CALL, space_floats(w, w->block));
  group g = {.winograd = w, .space = space_in(w, w->block, memory)};
  for (; g.first < w->count; g.first += w->block) {
    g.count = df_min(w->block, w->count - g.first);
    g.parts = df_divide_up(g.count, GROUP_ROWS);
    size_t together = df_divide_up(g.count, TILES_TOGETHER);
    df_parallel_for(together, pixels_of_group, &g);
    df_parallel_for(POSITIONS * g.parts, products_of_group, &g);
    df_parallel_for(together, outputs_of_group, &g);
  }
}

void df_f32_winograd(
  const df_conv2d *v, const float *x, size_t x_pixel, const float *packed, float *y,
  size_t y_pixel, const df_epilogue *epilogue) {
  if (v->batch == 0 || v->out_height == 0 || v->out_width == 0 || v->out_channels == 0) return;
  if (v->groups > 1) {
    df_run_winograd_grouped(v, x, x_pixel, packed, y, y_pixel, epilogue);
    return;
  }
  winograd w = {
    .kernels = df_kernels_current(), .conv = v, .x = x, .packed = packed, .x_pixel = x_pixel,
    .y_pixel = y_pixel, .y = y, .across = df_divide_up(v->out_width, TILE),
    .down = df_divide_up(v->out_height, TILE),
    .in_stride = df_round_up(v->in_channels, DF_MOST_LANES),
    .out_stride = df_round_up(v->out_channels, DF_MOST_LANES)};
  if (epilogue) w.epilogue = *epilogue;
  w.count = v->batch * w.across * w.down;
  size_t tile = POSITIONS * (w.in_stride + w.out_stride), rows = w.kernels->tile_rows;
  if (POSITIONS * w.in_stride * w.out_stride > NEAR_WEIGHTS) {
    size_t groups = df_divide_up(w.count, df_max(rows, FAR_FLOATS / tile));
    w.block = df_divide_up(w.count, groups);
    run_groups(&w);
    return;
  }
  // Blocks of whole register tiles, and as many for each thread.
  size_t threads = (size_t)df_thread_count();
  size_t most = df_max(1, NEAR_FLOATS / tile / rows) * rows;
  size_t tasks = df_round_up(df_divide_up(w.count, most), threads);
  w.block = df_divide_up(w.count, tasks);
  df_parallel_for(tasks, run_block, &w);
}
