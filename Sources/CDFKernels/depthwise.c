// Depthwise convolutions. A task is one image's strip of rows for some of the channels. It copies
// the input rows that it needs into a ring of padded rows, in which the channels of a chunk are
// neighbours: the kernel then knows no borders and no channel tails, and a row is read from memory
// once, in one run.
#include <string.h>

#include "conv2d.h"

enum {
  CHUNK = DF_DEPTHWISE_CHANNELS,
  STRIP_PIXELS = 3136,       // outputs that make a strip worth its start
  NEAR_FLOATS = 300 * 1024,  // of an image that is in the second cache already
  NARROW_FLOATS = 4 * 1024,  // of a ring in the first cache
  WIDE_FLOATS = 8 * 1024,
  NEAR_OUTPUTS = 64,  // of a row, for a block
  FAR_OUTPUTS = 8,
};

typedef struct depthwise {
  const df_conv2d *conv;
  const df_kernels *kernels;
  const float *x, *weights;
  df_output output;
  df_epilogue epilogue;
  const float *gradient;  // of the output, for the weights' gradient: nothing is convolved then
  size_t strips, strip_rows;
  size_t group, groups;  // channels of a task, and how many such groups there are
  size_t block;          // outputs of a row taken at a time
  size_t row_floats;     // of a chunk's padded row
  bool in_place;         // whether tiles away from the borders read the input where it is
  float *sums;  // for the weights' gradient: [image][strip][channel, in whole groups][taps]
} depthwise;

/// A task's own memory.
typedef struct workspace {
  float *weights, *bias, *ring;
  float *zeros;  // a padded row of each chunk, or a tile's pixels of the input
  const float **taps;  // the rows under one output row
} workspace;

typedef struct span {
  size_t from, count;  // outputs of a row
} span;

static workspace prepare(const depthwise *d, size_t channel, size_t channels) {
  const df_conv2d *v = d->conv;
  size_t taps = v->kernel_height * v->kernel_width, chunks = d->group / CHUNK;
  size_t line = chunks * d->row_floats;
  size_t zeros = d->in_place ? df_max(line, d->row_floats / CHUNK * v->in_channels) : line;
  size_t constants = (taps + 1) * d->group;
  size_t floats = df_round_up(constants + zeros + v->kernel_height * line, CHUNK);
  size_t pointers = v->kernel_height * sizeof(float *) / sizeof(float);
  float *memory = df_scratch(DF_SCRATCH_TASK, floats + pointers);
  workspace w = {
    .weights = memory,
    .bias = memory + taps * d->group,
    .zeros = memory + constants,
    .ring = memory + constants + zeros,
    .taps = (const float **)(void *)(memory + floats),
  };
  memset(memory, 0, (constants + zeros) * sizeof(float));
  if (d->gradient) return w;
  for (size_t c = 0; c < channels; c += CHUNK) {
    const float *from = d->weights + channel + c;
    float *to = w.weights + c * taps;
    for (size_t t = 0; t < taps; t++) {
      memcpy(
        to + t * CHUNK, from + t * v->out_channels, df_min(CHUNK, channels - c) * sizeof(float));
    }
  }
  if (d->epilogue.bias) memcpy(w.bias, d->epilogue.bias + channel, channels * sizeof(float));
  return w;
}

/// Fills one padded row of each chunk: zeros left and right, the input's pixels between.
static void fill_row(
  const depthwise *d, const float *x, span outputs, size_t channels, float *row) {
  const df_conv2d *v = d->conv;
  size_t pixels = d->row_floats / CHUNK;
  ptrdiff_t left = (ptrdiff_t)(outputs.from * v->stride_width) - (ptrdiff_t)v->pad_left;
  size_t before = left < 0 ? df_min((size_t)-left, pixels) : 0;
  size_t first = left < 0 ? 0 : (size_t)left;
  size_t count = first < v->in_width ? df_min(v->in_width - first, pixels - before) : 0;
  size_t after = pixels - before - count;
  for (size_t c = 0; c < channels; c += CHUNK) {
    float *chunk = row + c / CHUNK * d->row_floats;
    memset(chunk, 0, before * CHUNK * sizeof(float));
    memset(chunk + (before + count) * CHUNK, 0, after * CHUNK * sizeof(float));
  }
  d->kernels->copy_pixels(
    count, channels, v->in_channels, x + first * v->in_channels, d->row_floats,
    row + before * CHUNK);
}

static void run_span(
  const depthwise *d, const workspace *w, size_t image, size_t first_row, size_t last_row,
  span outputs, size_t channel, size_t channels, float *sums) {
  const df_conv2d *v = d->conv;
  const float *x = d->x + image * v->in_height * v->in_width * v->in_channels + channel;
  const float **taps = w->taps;
  size_t line = d->group / CHUNK * d->row_floats;
  size_t pitch = v->in_width * v->in_channels;
  ptrdiff_t left = (ptrdiff_t)(outputs.from * v->stride_width) - (ptrdiff_t)v->pad_left;
  size_t reach = (v->kernel_width - 1) * v->dilation_width + 1;
  size_t pixels = (outputs.count - 1) * v->stride_width + reach;
  bool in_place = d->in_place && outputs.count == DF_DEPTHWISE_TILE && left >= 0
    && (size_t)left + pixels <= v->in_width;
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
      if (in_place) {
        taps[ky] = x + (size_t)iy * pitch + (size_t)left * v->in_channels;
        continue;
      }
      size_t slot = reuse ? (size_t)iy % v->kernel_height : ky;
      float *row = w->ring + slot * line;
      if (!reuse || iy > filled) {
        fill_row(d, x + (size_t)iy * pitch, outputs, channels, row);
        filled = iy;
      }
      taps[ky] = row;
    }
    size_t chunk_stride = in_place ? CHUNK : d->row_floats;
    size_t in_stride = in_place ? v->in_channels : CHUNK;
    size_t offset = image * d->output.image + oy * d->output.row
      + outputs.from * d->output.pixel + channel;
    if (d->gradient) {
      d->kernels->depthwise_outer_row(&(df_depthwise_outer_row){
        .rows = taps,
        .chunk_stride = chunk_stride,
        .in_stride = in_stride,
        .kernel_height = v->kernel_height,
        .kernel_width = v->kernel_width,
        .stride = v->stride_width,
        .dilation = v->dilation_width,
        .width = outputs.count,
        .channels = channels,
        .gradient = d->gradient + offset,
        .pixel_stride = d->output.pixel,
        .sums = sums,
      });
      continue;
    }
    d->kernels->depthwise_row(&(df_depthwise_row){
      .rows = taps,
      .chunk_stride = chunk_stride,
      .in_stride = in_stride,
      .weights = w->weights,
      .bias = w->bias,
      .kernel_height = v->kernel_height,
      .kernel_width = v->kernel_width,
      .stride = v->stride_width,
      .dilation = v->dilation_width,
      .width = outputs.count,
      .channels = channels,
      .pixel_stride = d->output.pixel,
      .residual = d->epilogue.residual ? d->epilogue.residual + offset : NULL,
      .y = d->output.y + offset,
      .activation = d->epilogue.activation,
      .slope = d->epilogue.slope,
    });
  }
}

static void run_task(void *context, size_t index) {
  const depthwise *d = context;
  const df_conv2d *v = d->conv;
  size_t group = index % d->groups, strip = index / d->groups % d->strips;
  size_t image = index / d->groups / d->strips;
  size_t channel = group * d->group, channels = df_min(d->group, v->out_channels - channel);
  workspace w = prepare(d, channel, channels);
  size_t taps = v->kernel_height * v->kernel_width;
  float *sums = d->gradient ? d->sums + index * d->group * taps : NULL;
  size_t first = strip * d->strip_rows;
  size_t last = df_min(v->out_height, first + d->strip_rows);
  for (size_t from = 0; from < v->out_width; from += d->block) {
    span outputs = {from, df_min(d->block, v->out_width - from)};
    run_span(d, &w, image, first, last, outputs, channel, channels, sums);
  }
}

/// Chooses strips, blocks and groups. Strips depend on the shape alone, so that the order of the
/// sums does too.
static void plan(depthwise *d) {
  const df_conv2d *v = d->conv;
  size_t rows = df_min(v->out_height, df_max(4, STRIP_PIXELS / v->out_width));
  d->strips = df_divide_up(v->out_height, rows);
  d->strip_rows = df_divide_up(v->out_height, d->strips);
  d->strips = df_divide_up(v->out_height, d->strip_rows);

  // Where the input comes from afar, a task takes many channels of few columns: runs long enough
  // for the processor to fetch ahead, and not worth a copy. Where it is near, few channels of whole
  // rows. Either way the rows in use stay in the first cache.
  bool near = v->in_height * v->in_width * v->in_channels <= NEAR_FLOATS;
  size_t most = near ? NARROW_FLOATS : WIDE_FLOATS;
  size_t reach = (v->kernel_width - 1) * v->dilation_width + 1;
  d->block = df_min(v->out_width, near ? NEAR_OUTPUTS : FAR_OUTPUTS);
  d->in_place = !near && v->in_channels % d->kernels->lanes == 0 && v->in_channels != CHUNK;
  // The last tile of a row may compute pixels that are not there.
  size_t computed = df_round_up(d->block, DF_DEPTHWISE_TILE);
  d->row_floats = ((computed - 1) * v->stride_width + reach) * CHUNK;

  size_t chunks = df_divide_up(v->out_channels, CHUNK);
  size_t together = df_max(near ? 1 : 2, most / (v->kernel_height * d->row_floats));
  size_t threads = (size_t)df_thread_count();
  size_t wanted = threads == 1 ? 1 : df_divide_up(4 * threads, v->batch * d->strips);
  d->groups = df_min(chunks, df_max(df_divide_up(chunks, together), wanted));
  d->group = df_divide_up(chunks, d->groups) * CHUNK;
  d->groups = df_divide_up(v->out_channels, d->group);
}

void df_run_depthwise(
  const df_conv2d *v, const float *x, const float *weights, df_output output,
  const df_epilogue *epilogue) {
  depthwise d = {
    .conv = v, .kernels = df_kernels_current(), .x = x, .weights = weights, .output = output};
  if (epilogue) d.epilogue = *epilogue;
  plan(&d);
  df_parallel_for(v->batch * d.strips * d.groups, run_task, &d);
}

/// Adds up a group's tasks in order, by a chunk of channels and a tap.
static void merge_group(const depthwise *d, size_t group, float *weights) {
  const df_conv2d *v = d->conv;
  size_t taps = v->kernel_height * v->kernel_width;
  for (size_t part = 0; part < d->group / CHUNK * taps; part++) {
    size_t chunk = part / taps, tap = part % taps;
    size_t channel = group * d->group + chunk * CHUNK;
    if (channel >= v->out_channels) break;
    double sums[CHUNK] = {0};
    for (size_t strip = 0; strip < v->batch * d->strips; strip++) {
      const float *some = d->sums + (strip * d->groups + group) * d->group * taps + part * CHUNK;
      for (size_t c = 0; c < CHUNK; c++) sums[c] += (double)some[c];
    }
    float *to = weights + tap * v->out_channels + channel;
    for (size_t c = 0; c < df_min(CHUNK, v->out_channels - channel); c++) to[c] = (float)sums[c];
  }
}

void df_run_depthwise_weight_gradient(
  const df_conv2d *v, const float *x, const float *gradient, float *weights) {
  depthwise d = {
    .conv = v, .kernels = df_kernels_current(), .x = x, .gradient = gradient,
    .output = df_plain_output(v, NULL)};
  plan(&d);
  size_t tasks = v->batch * d.strips * d.groups;
  size_t floats = tasks * d.group * v->kernel_height * v->kernel_width;
  d.sums = df_scratch(DF_SCRATCH_CALL, floats);
  memset(d.sums, 0, floats * sizeof(float));
  df_parallel_for(tasks, run_task, &d);
  for (size_t group = 0; group < d.groups; group++) merge_group(&d, group, weights);
}
