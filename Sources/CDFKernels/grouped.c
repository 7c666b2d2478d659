// Convolutions of several groups that are not depthwise, such as ResNeXt's 3x3 ones. A task takes a
// strip of rows of some groups. It copies their pixels to a padded map that is contiguous for each
// group. There the windows of a row of outputs are the rows of a product that is read in place: a
// window's row is one segment. The register tile holds pixels by the group's outputs.
#include <string.h>

#include "conv2d.h"

enum {
  MOST_SEGMENTS = 49,
  CHUNK_CHANNELS = 32,        // of a task's groups: whole lines of the input's pixels
  STRIP_FLOATS = 16 * 1024,   // of a task's padded maps; they stay in the first or second cache
  TASK_TERMS = 256 * 1024,    // multiplications that make a task worth its start
  LINE = 16,                  // floats that one prefetch fetches
};

typedef struct grouped {
  const df_kernels *kernels;
  const df_conv2d *conv;
  const float *x, *packed;
  float *y;
  df_epilogue epilogue;
  size_t inputs, outputs;  // of a group
  size_t terms;            // of an output's sum
  size_t width;            // of the padded map
  size_t segments, segment;  // number of a window's runs, and the terms of each
  size_t chunk, chunks;    // groups of a task, and how many such there are
  size_t rows, strips;     // output rows of a task, and how many such there are in an image
} grouped;

/// Copies `channels` of each of `pixels` pixels, `stride` floats apart, next to each other.
static inline void copy_channels(
  const float *from, size_t stride, size_t pixels, size_t channels, float *to) {
  if (channels % 4 != 0 || channels > 64) {
    for (; pixels > 0; pixels--, from += stride, to += channels) {
      memcpy(to, from, channels * sizeof(float));
    }
    return;
  }
  for (; pixels > 0; pixels--, from += stride, to += channels) {
    for (size_t i = 0; i < channels; i += 4) memcpy(to + i, from + i, 4 * sizeof(float));
  }
}

void df_pad_group(
  const df_conv2d *v, const df_group_map *map, size_t first, size_t count, float *to) {
  size_t channels = map->channels, row = map->width * channels;
  size_t left = df_min(v->pad_left, map->width), inside = df_min(v->in_width, map->width - left);
  for (size_t i = first; i < first + count; i++, to += row) {
    if (i < v->pad_top || i - v->pad_top >= v->in_height) {
      memset(to, 0, row * sizeof(float));
      continue;
    }
    memset(to, 0, left * channels * sizeof(float));
    copy_channels(
      map->x + (i - v->pad_top) * v->in_width * map->pixel, map->pixel, inside, channels,
      to + left * channels);
    size_t end = (left + inside) * channels;
    memset(to + end, 0, (row - end) * sizeof(float));
  }
}

/// The output rows of one group, of which the first one's windows begin at `map`. `at` is the place
/// in the output of that row's first pixel and the group's first channel.
static void run_rows(
  const grouped *g, size_t group, const float *map, size_t rows, size_t at) {
  const df_conv2d *v = g->conv;
  const df_epilogue *e = &g->epilogue;
  size_t panel = g->kernels->panel, row = g->width * g->inputs;
  const float *packed = g->packed + group * g->terms * df_round_up(g->outputs, g->kernels->lanes);
  const float *segments[MOST_SEGMENTS];
  df_gemm_block block = {
    .rows = v->out_width, .k = g->segment, .segments = g->segments, .a = segments,
    .lda = v->stride_width * g->inputs, .ldc = v->out_channels, .first = true, .last = true,
    .activation = e->activation, .slope = e->slope, .residual_first = e->residual_first};
  for (size_t column = 0; column < g->outputs; column += panel) {
    size_t channel = group * g->outputs + column;
    block.columns = df_min(panel, g->outputs - column);
    block.b = packed + column * g->terms;
    block.bias = e->bias ? e->bias + channel : NULL;
    block.slopes = e->slopes ? e->slopes + channel : NULL;
    size_t floats = g->terms * df_round_up(block.columns, g->kernels->lanes);
    for (size_t i = 0; i < rows; i++) {
      const float *window = map + i * v->stride_height * row;
      size_t across = g->segments / v->kernel_height;
      for (size_t s = 0; s < g->segments; s++) {
        segments[s] = window + s / across * v->dilation_height * row
          + s % across * v->dilation_width * g->inputs;
      }
      size_t place = at + i * v->out_width * v->out_channels + column;
      block.c = g->y + place;
      block.residual = e->residual ? e->residual + place : NULL;
      // Each row fetches a part of the next panel, which lies behind this one.
      block.panel_stride = floats + df_min(i * g->terms * LINE, floats);
      g->kernels->gemm_block(&block);
    }
  }
}

static void run_task(void *context, size_t index) {
  const grouped *g = context;
  const df_conv2d *v = g->conv;
  // A chunk's weights serve one strip and image after the other.
  size_t strip = index % g->strips, image = index / g->strips % v->batch;
  size_t first_group = index / g->strips / v->batch * g->chunk;
  size_t groups = df_min(g->chunk, v->groups - first_group);
  size_t first = strip * g->rows;
  size_t rows = df_min(g->rows, v->out_height - first);
  size_t reach = (v->kernel_height - 1) * v->dilation_height + 1;
  size_t padded = (rows - 1) * v->stride_height + reach;
  size_t map = padded * g->width * g->inputs;
  float *maps = df_scratch(DF_SCRATCH_TASK, groups * map);
  const float *x = g->x + image * v->in_height * v->in_width * v->in_channels;
  for (size_t i = 0; i < groups; i++) {
    df_group_map source = {
      x + (first_group + i) * g->inputs, v->in_channels, g->inputs, g->width};
    df_pad_group(v, &source, first * v->stride_height, padded, maps + i * map);
  }
  for (size_t i = 0; i < groups; i++) {
    size_t group = first_group + i;
    size_t at = (image * v->out_height + first) * v->out_width * v->out_channels;
    run_rows(g, group, maps + i * map, rows, at + group * g->outputs);
  }
}

bool df_grouped_fits(const df_conv2d *v) {
  size_t across = v->dilation_width == 1 ? 1 : v->kernel_width;
  return v->groups > 1 && v->kernel_height * across <= MOST_SEGMENTS;
}

void df_run_grouped(
  const df_conv2d *v, const float *x, const float *packed, float *y,
  const df_epilogue *epilogue) {
  grouped g = {
    .kernels = df_kernels_current(), .conv = v, .x = x, .packed = packed, .y = y,
    .inputs = v->in_channels / v->groups, .outputs = v->out_channels / v->groups};
  if (epilogue) g.epilogue = *epilogue;
  size_t taps = v->kernel_height * v->kernel_width;
  g.terms = taps * g.inputs;
  g.segments = v->dilation_width == 1 ? v->kernel_height : taps;
  g.segment = g.terms / g.segments;
  g.width =
    (v->out_width - 1) * v->stride_width + (v->kernel_width - 1) * v->dilation_width + 1;

  g.chunk = df_min(v->groups, df_divide_up(CHUNK_CHANNELS, g.inputs));
  g.chunks = df_divide_up(v->groups, g.chunk);
  size_t row = g.width * g.inputs * g.chunk * v->stride_height;
  size_t most = df_max(1, STRIP_FLOATS / row);
  // Where all is little work, a few tasks.
  size_t terms = v->out_width * v->out_channels / v->groups * g.chunk * g.terms;
  most = df_max(most, TASK_TERMS / df_max(1, terms));
  g.strips = df_divide_up(v->out_height, most);
  g.rows = df_divide_up(v->out_height, g.strips);
  g.strips = df_divide_up(v->out_height, g.rows);
  df_parallel_for(g.chunks * v->batch * g.strips, run_task, &g);
}
