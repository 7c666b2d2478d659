// Depthwise convolutions. A task is one image's strip of rows for DF_DEPTHWISE_CHANNELS channels. It
// copies the input rows that it needs into a ring of padded rows in which those channels are
// neighbours: the kernel then knows no borders and no channel tails, and a row is read from memory
// once.
#include <string.h>

#include "conv2d.h"

enum {
  STRIP_PIXELS = 3136,  // outputs that make a strip worth its start
  CHUNK = DF_DEPTHWISE_CHANNELS,
  RING_FLOATS = 24 * 1024,
};

typedef struct depthwise {
  const df_conv2d *conv;
  const df_kernels *kernels;
  const float *x, *weights;
  float *y;
  df_epilogue epilogue;
  size_t chunks, strips, strip_rows;
  size_t block;      // outputs of a row taken at a time
  size_t row_floats; // of a padded row
  float *sums;       // [batch][strips][chunks][CHUNK], or null
} depthwise;

/// A task's own memory.
typedef struct workspace {
  float *weights, *bias, *zeros, *ring;
  const float **taps;  // the rows under one output row
} workspace;

typedef struct span {
  size_t from, count;  // outputs of a row
} span;

static workspace prepare(const depthwise *d, size_t channel, size_t channels) {
  const df_conv2d *v = d->conv;
  size_t taps = v->kernel_height * v->kernel_width;
  size_t floats = (taps + 1) * CHUNK + (v->kernel_height + 1) * d->row_floats;
  size_t pointers = v->kernel_height * sizeof(float *) / sizeof(float);
  float *memory = df_scratch(DF_SCRATCH_TASK, floats + pointers);
  workspace w = {
    .weights = memory,
    .bias = memory + taps * CHUNK,
    .zeros = memory + (taps + 1) * CHUNK,
    .ring = memory + (taps + 1) * CHUNK + d->row_floats,
    .taps = (const float **)(void *)(memory + floats),
  };
  memset(memory, 0, ((taps + 1) * CHUNK + d->row_floats) * sizeof(float));
  for (size_t t = 0; t < taps; t++) {
    memcpy(
      w.weights + t * CHUNK, d->weights + t * v->out_channels + channel,
      channels * sizeof(float));
  }
  if (d->epilogue.bias) memcpy(w.bias, d->epilogue.bias + channel, channels * sizeof(float));
  return w;
}

/// Fills one padded row: zeros left and right, the input's pixels between.
static void fill_row(
  const depthwise *d, const float *x, span outputs, size_t channels, float *row) {
  const df_conv2d *v = d->conv;
  size_t pixels = d->row_floats / CHUNK;
  ptrdiff_t left =
    (ptrdiff_t)(outputs.from * v->stride_width) - (ptrdiff_t)v->pad_left;
  size_t before = left < 0 ? df_min((size_t)-left, pixels) : 0;
  size_t first = left < 0 ? 0 : (size_t)left;
  size_t count = first < v->in_width ? df_min(v->in_width - first, pixels - before) : 0;
  memset(row, 0, before * CHUNK * sizeof(float));
  d->kernels->copy_pixels(
    count, channels, v->in_channels, x + first * v->in_channels, row + before * CHUNK);
  memset(
    row + (before + count) * CHUNK, 0, (pixels - before - count) * CHUNK * sizeof(float));
}

static void run_span(
  const depthwise *d, const workspace *w, size_t image, size_t first_row, size_t last_row,
  span outputs, size_t channel, size_t channels, float *sums) {
  const df_conv2d *v = d->conv;
  const float *x = d->x + image * v->in_height * v->in_width * v->in_channels + channel;
  const float **taps = w->taps;
  // With dilated rows the ring would have to span the gaps; each output row then fills it anew.
  bool reuse = v->dilation_height == 1;
  ptrdiff_t filled = PTRDIFF_MIN;  // input rows up to here are in the ring
  for (size_t oy = first_row; oy < last_row; oy++) {
    ptrdiff_t top = (ptrdiff_t)(oy * v->stride_height) - (ptrdiff_t)v->pad_top;
    for (size_t ky = 0; ky < v->kernel_height; ky++) {
      ptrdiff_t iy = top + (ptrdiff_t)(ky * v->dilation_height);
      if (iy < 0 || iy >= (ptrdiff_t)v->in_height) {
        taps[ky] = w->zeros;
        continue;
      }
      size_t slot = reuse ? (size_t)iy % v->kernel_height : ky;
      float *row = w->ring + slot * d->row_floats;
      if (!reuse || iy > filled) {
        fill_row(d, x + (size_t)iy * v->in_width * v->in_channels, outputs, channels, row);
        filled = iy;
      }
      taps[ky] = row;
    }
    size_t offset =
      ((image * v->out_height + oy) * v->out_width + outputs.from) * v->out_channels + channel;
    d->kernels->depthwise_row(&(df_depthwise_row){
      .rows = taps,
      .weights = w->weights,
      .bias = w->bias,
      .kernel_height = v->kernel_height,
      .kernel_width = v->kernel_width,
      .stride = v->stride_width,
      .dilation = v->dilation_width,
      .width = outputs.count,
      .channels = channels,
      .pixel_stride = v->out_channels,
      .residual = d->epilogue.residual ? d->epilogue.residual + offset : NULL,
      .y = d->y + offset,
      .sums = sums,
      .activation = d->epilogue.activation,
      .slope = d->epilogue.slope,
    });
  }
}

static void run_task(void *context, size_t index) {
  const depthwise *d = context;
  const df_conv2d *v = d->conv;
  size_t chunk = index % d->chunks, strip = index / d->chunks % d->strips;
  size_t image = index / d->chunks / d->strips;
  size_t channel = chunk * CHUNK, channels = df_min(CHUNK, v->out_channels - channel);
  workspace w = prepare(d, channel, channels);
  float *sums = d->sums ? d->sums + index * CHUNK : NULL;
  size_t first = strip * d->strip_rows;
  size_t last = df_min(v->out_height, first + d->strip_rows);
  for (size_t from = 0; from < v->out_width; from += d->block) {
    span outputs = {from, df_min(d->block, v->out_width - from)};
    run_span(d, &w, image, first, last, outputs, channel, channels, sums);
  }
}

/// Adds up each image's strips.
static void merge(const depthwise *d, float *sums) {
  const df_conv2d *v = d->conv;
  for (size_t image = 0; image < v->batch; image++) {
    for (size_t channel = 0; channel < v->out_channels; channel++) {
      double sum = 0;
      for (size_t strip = 0; strip < d->strips; strip++) {
        sum += d->sums[(image * d->strips + strip) * d->chunks * CHUNK + channel];
      }
      sums[image * v->out_channels + channel] = (float)sum;
    }
  }
}

void df_run_depthwise(
  const df_conv2d *v, const float *x, const float *weights, float *y,
  const df_epilogue *epilogue, float *sums) {
  depthwise d = {
    .conv = v, .kernels = df_kernels_current(), .x = x, .weights = weights, .y = y};
  if (epilogue) d.epilogue = *epilogue;
  d.chunks = df_divide_up(v->out_channels, CHUNK);
  // Strips depend on the shape alone, so that the order of the sums does too.
  d.strip_rows = df_min(v->out_height, df_max(4, STRIP_PIXELS / v->out_width));
  d.strips = df_divide_up(v->out_height, d.strip_rows);
  d.strip_rows = df_divide_up(v->out_height, d.strips);
  d.strips = df_divide_up(v->out_height, d.strip_rows);
  size_t reach = (v->kernel_width - 1) * v->dilation_width + 1;
  size_t most = RING_FLOATS / CHUNK / v->kernel_height / v->stride_width;
  d.block = df_min(v->out_width, df_max(4 * DF_DEPTHWISE_TILE, most));
  // The last tile of a row may compute pixels that are not there.
  size_t computed = d.block + DF_DEPTHWISE_TILE;
  d.row_floats = ((computed - 1) * v->stride_width + reach) * CHUNK;
  size_t tasks = v->batch * d.strips * d.chunks;
  if (sums) {
    d.sums = df_scratch(DF_SCRATCH_CALL, tasks * CHUNK);
    memset(d.sums, 0, tasks * CHUNK * sizeof(float));
  }
  df_parallel_for(tasks, run_task, &d);
  if (sums) merge(&d, sums);
}

void df_f32_depthwise_sums(
  const df_conv2d *v, const float *x, const float *packed, float *y,
  const df_epilogue *epilogue, float *sums) {
  if (v->batch == 0 || v->out_channels == 0) return;
  if (v->out_height == 0 || v->out_width == 0) {
    memset(sums, 0, v->batch * v->out_channels * sizeof(float));
    return;
  }
  df_run_depthwise(v, x, packed, y, epilogue, sums);
}
