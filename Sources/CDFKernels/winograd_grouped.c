// 3x3 convolutions of several groups by Winograd's F(2x2, 3x3) (Lavin and Gray 2016): the products
// of a tile of 2x2 outputs become 16 products of transformed pixels and weights in place of 36. The
// weights take 16/9 of their memory; F(4x4, 3x3) (winograd.c) would take 4 times as much, which
// networks of hundreds of millions of weights cannot afford.
//
// A task runs a strip of tiles of one group from pixels to outputs, all of it in the second cache.
#include <string.h>

#include "conv2d.h"

enum {
  TILE = 2,
  REACH = 4,
  POSITIONS = 16,
  STRIP_FLOATS = 128 * 1024,  // of a task's transformed pixels and products
};

typedef struct winograd {
  const df_kernels *kernels;
  const df_conv2d *conv;
  const float *x, *packed;
  size_t x_pixel, y_pixel;
  float *y;
  df_epilogue epilogue;
  size_t inputs, outputs;        // of a group
  size_t in_stride, out_stride;  // floats from one tile's transformed pixels, and products, to the next
  size_t across;                 // tiles of a row
  size_t rows, strips;           // rows of tiles of a task, and how many such there are in an image
} winograd;

/// Floats of one group's packed weights at one position.
static size_t position_floats(const df_kernels *kernels, const df_conv2d *v) {
  return v->in_channels / v->groups * df_round_up(v->out_channels / v->groups, kernels->lanes);
}

size_t df_winograd_grouped_packed_count(const df_conv2d *v) {
  return v->groups * POSITIONS * position_floats(df_kernels_current(), v);
}

typedef struct packing {
  const df_kernels *kernels;
  const df_conv2d *conv;
  const float *weights;
  float *packed;
} packing;

/// The weights' transform of three values for each of four points.
static void transform_weights(double g0, double g1, double g2, double u[REACH]) {
  u[0] = g0;
  u[1] = (g0 + g1 + g2) / 2;
  u[2] = (g0 - g1 + g2) / 2;
  u[3] = g2;
}

/// A group's panels at every position, packed as df_f32_pack does it.
static void pack_group(void *context, size_t group) {
  const packing *p = context;
  const df_conv2d *v = p->conv;
  size_t inputs = v->in_channels / v->groups, outputs = v->out_channels / v->groups;
  size_t panel = p->kernels->panel, position = position_floats(p->kernels, v);
  size_t tap = inputs * v->out_channels;
  float *packed = p->packed + group * POSITIONS * position;
  memset(packed, 0, POSITIONS * position * sizeof(float));
  for (size_t input = 0; input < inputs; input++) {
    const float *from = p->weights + input * v->out_channels + group * outputs;
    for (size_t output = 0; output < outputs; output++, from++) {
      size_t first = output / panel * panel;
      size_t width = df_round_up(df_min(panel, outputs - first), p->kernels->lanes);
      float *to = packed + first * inputs + input * width + output - first;
      double half[3][REACH], whole[REACH];
      for (size_t kx = 0; kx < 3; kx++) {
        transform_weights(from[kx * tap], from[(3 + kx) * tap], from[(6 + kx) * tap], half[kx]);
      }
      for (size_t row = 0; row < REACH; row++) {
        transform_weights(half[0][row], half[1][row], half[2][row], whole);
        for (size_t i = 0; i < REACH; i++) to[(row * REACH + i) * position] = (float)whole[i];
      }
    }
  }
}

void df_winograd_grouped_pack(const df_conv2d *v, const float *weights, float *packed) {
  packing p = {df_kernels_current(), v, weights, packed};
  df_parallel_for(v->groups, pack_group, &p);
}

/// The products of a position's transformed pixels and weights.
static void multiply(
  const winograd *w, size_t tiles, const float *pixels, const float *packed, float *products) {
  w->kernels->gemm_block(&(df_gemm_block){
    .rows = tiles, .columns = w->outputs, .k = w->inputs, .segments = 1, .a = &pixels,
    .lda = w->in_stride, .b = packed, .panel_stride = w->inputs * w->kernels->panel,
    .c = products, .ldc = w->out_stride, .first = true, .last = true,
    .activation = DF_IDENTITY});
}

static void run_strip(void *context, size_t index) {
  const winograd *w = context;
  const df_conv2d *v = w->conv;
  // A group's weights serve one strip and image after the other.
  size_t strip = index % w->strips, image = index / w->strips % v->batch;
  size_t group = index / w->strips / v->batch;
  size_t top = strip * w->rows * TILE, height = df_min(w->rows * TILE, v->out_height - top);
  size_t down = df_divide_up(height, TILE), tiles = down * w->across;

  df_group_map map = {
    .x = w->x + image * v->in_height * v->in_width * w->x_pixel + group * w->inputs,
    .pixel = w->x_pixel, .channels = w->inputs, .width = TILE * w->across + REACH - TILE};
  size_t row = map.width * w->inputs, padded = TILE * down + REACH - TILE;
  size_t in_position = df_odd_lines(tiles * w->in_stride);
  size_t out_position = df_odd_lines(tiles * w->out_stride), lines = df_odd_lines(padded * row);
  float *space = df_scratch(
    DF_SCRATCH_TASK, POSITIONS * (in_position + out_position) + lines);
  float *products = space + POSITIONS * in_position, *pixels = products + POSITIONS * out_position;
  df_pad_group(v, &map, top, padded, pixels);
  for (size_t i = 0; i < tiles; i++) {
    w->kernels->winograd2_input(&(df_winograd_tile){
      .channels = w->inputs, .products = space + i * w->in_stride, .position = in_position,
      .x = pixels + i / w->across * TILE * row + i % w->across * TILE * w->inputs, .x_row = row,
      .x_pixel = w->inputs});
  }
  size_t position = position_floats(w->kernels, v);
  for (size_t i = 0; i < POSITIONS; i++) {
    multiply(
      w, tiles, space + i * in_position, w->packed + (group * POSITIONS + i) * position,
      products + i * out_position);
  }
  const df_epilogue *e = &w->epilogue;
  size_t channel = group * w->outputs;
  for (size_t i = 0; i < tiles; i++) {
    size_t y = top + i / w->across * TILE, x = i % w->across * TILE;
    size_t offset = ((image * v->out_height + y) * v->out_width + x) * w->y_pixel + channel;
    w->kernels->winograd2_output(&(df_winograd_tile){
      .channels = w->outputs, .products = products + i * w->out_stride,
      .position = out_position, .bias = e->bias ? e->bias + channel : NULL,
      .slopes = e->slopes ? e->slopes + channel : NULL,
      .residual = e->residual ? e->residual + offset : NULL, .activation = e->activation,
      .slope = e->slope, .y = w->y + offset, .y_row = v->out_width * w->y_pixel,
      .y_pixel = w->y_pixel, .rows = df_min(TILE, v->out_height - y),
      .columns = df_min(TILE, v->out_width - x)});
  }
}

void df_run_winograd_grouped(
  const df_conv2d *v, const float *x, size_t x_pixel, const float *packed, float *y,
  size_t y_pixel, const df_epilogue *epilogue) {
  winograd w = {
    .kernels = df_kernels_current(), .conv = v, .x = x, .packed = packed, .x_pixel = x_pixel,
    .y_pixel = y_pixel, .y = y, .inputs = v->in_channels / v->groups,
    .outputs = v->out_channels / v->groups, .across = df_divide_up(v->out_width, TILE)};
  if (epilogue) w.epilogue = *epilogue;
  w.in_stride = df_round_up(w.inputs, DF_MOST_LANES);
  w.out_stride = df_round_up(w.outputs, DF_MOST_LANES);
  size_t row = POSITIONS * (w.in_stride + w.out_stride) * w.across;
  size_t down = df_divide_up(v->out_height, TILE);
  w.strips = df_divide_up(down, df_max(1, STRIP_FLOATS / row));
  w.rows = df_divide_up(down, w.strips);
  w.strips = df_divide_up(down, w.rows);
  df_parallel_for(v->groups * v->batch * w.strips, run_strip, &w);
}
