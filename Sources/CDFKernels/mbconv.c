// Inverted bottlenecks for inference, in two phases and without a map of the widened channels.
//
// First, chunk by chunk of the widened channels: an image's rows are widened into a ring of padded rows,
// filtered from there, summed, and multiplied into the squeeze's product, while all of a chunk is in the
// nearest caches. Then come the gates and the projection (mbconv_project.c). With group norms the widened
// maps are written after all, for a norm needs all of its group: their statistics are taken while they are
// written, and the norm is applied as the ring is filled.
//
// How work is cut depends on shapes alone, and partial sums are added in order.
#include <string.h>

#include "conv2d.h"
#include "mbconv.h"

enum {
  NARROW = 12,      // maps this narrow are widened at once: a row would not fill a tile
  TASKS = 10,       // of an image, for balance
  FEW_CHUNKS = 6,   // so few are cut into strips, where rows widened twice count for little:
  HIGH = 32,        // in maps this high
  AT_ONCE = 448,    // pixels widened together
  TOGETHER = 16,    // images in one go
};

static bool has_norms(const df_mbconv *b) { return b->norms[1].groups > 0; }

static size_t chunks_of(const df_conv2d *v) { return df_divide_up(v->out_channels, DF_CHUNK); }

size_t df_f32_mbconv_filters_count(const df_conv2d *v) {
  return chunks_of(v) * (v->kernel_height * v->kernel_width + 1) * DF_CHUNK;
}

void df_f32_mbconv_pack_filters(
  const df_conv2d *v, const float *weights, const float *bias, float *packed) {
  size_t taps = v->kernel_height * v->kernel_width;
  memset(packed, 0, df_f32_mbconv_filters_count(v) * sizeof(float));
  for (size_t chunk = 0; chunk < chunks_of(v); chunk++) {
    size_t first = chunk * DF_CHUNK, bytes = df_min(DF_CHUNK, v->out_channels - first) * sizeof(float);
    for (size_t tap = 0; tap < taps; tap++, packed += DF_CHUNK) {
      memcpy(packed, weights + tap * v->out_channels + first, bytes);
    }
    if (bias) memcpy(packed, bias + first, bytes);
    packed += DF_CHUNK;
  }
}

/// A task's own memory.
typedef struct workspace {
  float *ring, *zeros;
  float *wide;         // widened pixels of some images
  const float **taps;  // the rows under one output row
} workspace;

static workspace make_workspace(const df_mbconv_run *r) {
  const df_conv2d *v = &r->block->depthwise;
  size_t ring = v->kernel_height * r->pitch;
  size_t wide = r->at_once ? df_max(AT_ONCE, r->in_pixels) * DF_CHUNK : 0;
  size_t pointers = v->kernel_height * sizeof(float *) / sizeof(float);
  float *memory = df_scratch(DF_SCRATCH_TASK, ring + r->pitch + wide + pointers);
  memset(memory, 0, (ring + r->pitch) * sizeof(float));
  return (workspace){
    memory, memory + ring, memory + ring + r->pitch,
    (const float **)(void *)(memory + ring + r->pitch + wide)};
}

/// Widens `rows` pixels of x for a chunk.
static void widen(const df_mbconv_run *r, size_t chunk, const float *x, size_t rows, float *to) {
  const df_mbconv *b = r->block;
  size_t first = chunk * DF_CHUNK;
  df_gemm_block block = {
    .rows = rows, .columns = df_chunk_channels(r, chunk), .k = b->in_channels, .segments = 1, .a = &x,
    .lda = b->in_channels, .c = to, .ldc = DF_CHUNK, .first = true, .last = true,
    .bias = b->widen_bias ? b->widen_bias + first : NULL, .activation = r->activation};
  df_gemm_columns(r->kernels, block, b->widen + first * b->in_channels, b->in_channels, 0);
}

/// The norm of some pixels of a chunk, and its activation.
static void normalize(
  const df_mbconv_run *r, const float *constants, size_t image, size_t chunk, size_t pixels,
  const float *x, float *y, float *sums) {
  size_t all = r->chunks * DF_CHUNK;
  const float *mean = constants + 3 * image * all + chunk * DF_CHUNK;
  r->kernels->affine(&(df_affine){
    .rows = pixels, .channels = DF_CHUNK, .x = x, .mean = mean, .scale = mean + all,
    .shift = mean + 2 * all, .y = y, .sums = sums, .activation = r->block->activation});
}

/// An image's input row for a chunk, where the filter reads it. `wide` is the image's widened pixels.
static void make_row(
  const df_mbconv_run *r, const float *wide, size_t chunk, size_t image, size_t row, float *to) {
  const df_mbconv *b = r->block;
  size_t width = b->depthwise.in_width, pixel = row * width;
  const float *x = r->x + (image * r->in_pixels + pixel) * b->in_channels;
  if (!b->widen) {
    r->kernels->copy_pixels(
      width, df_chunk_channels(r, chunk), b->in_channels, x + chunk * DF_CHUNK, 0, to);
  } else if (has_norms(b)) {
    normalize(
      r, r->constants[0], image, chunk, width,
      r->widened + (chunk * r->in_rows + image * r->in_pixels + pixel) * DF_CHUNK, to, NULL);
  } else if (wide) {
    memcpy(to, wide + pixel * DF_CHUNK, width * DF_CHUNK * sizeof(float));
  } else {
    widen(r, chunk, x, width, to);
  }
}

/// The squeeze's product with what a chunk's channels sum to.
static void squeeze(
  const df_mbconv_run *r, size_t chunk, size_t image, size_t strip, float *sums) {
  const df_mbconv *b = r->block;
  if (!b->reduce) return;
  for (size_t c = 0; c < DF_CHUNK; c++) sums[c] /= (float)r->out_pixels;
  const float *means = sums;
  size_t part = (chunk * r->strips + strip) * b->depthwise.batch + image;
  df_gemm_block block = {
    .rows = 1, .columns = b->squeezed, .k = df_chunk_channels(r, chunk), .segments = 1, .a = &means,
    .lda = DF_CHUNK, .c = r->parts + part * b->squeezed, .ldc = b->squeezed, .first = true,
    .last = true};
  df_gemm_columns(r->kernels, block, b->reduce, r->channels, chunk * DF_CHUNK);
}

static void filter_strip(
  const df_mbconv_run *r, const workspace *w, const float *wide, size_t chunk, size_t image,
  size_t strip) {
  const df_conv2d *v = &r->block->depthwise;
  size_t kernel = v->kernel_height, first = strip * r->strip_height;
  size_t last = df_min(v->out_height, first + r->strip_height);
  const float *weights = r->block->filters + chunk * (r->taps + 1) * DF_CHUNK;
  float *y = r->filtered
    + (chunk * r->out_rows + image * r->out_pixels + first * v->out_width) * DF_CHUNK;
  float sums[DF_CHUNK] = {0};
  df_tallying tallying = {0};
  size_t start = first * v->stride_height;
  size_t next = start > v->pad_top ? start - v->pad_top : 0;
  for (size_t row = first; row < last; row++, y += v->out_width * DF_CHUNK) {
    ptrdiff_t top = (ptrdiff_t)(row * v->stride_height) - (ptrdiff_t)v->pad_top;
    for (; next < v->in_height && (ptrdiff_t)next < top + (ptrdiff_t)kernel; next++) {
      float *to = w->ring + next % kernel * r->pitch + v->pad_left * DF_CHUNK;
      make_row(r, wide, chunk, image, next, to);
    }
    for (size_t ky = 0; ky < kernel; ky++) {
      ptrdiff_t at = top + (ptrdiff_t)ky;
      bool outside = at < 0 || at >= (ptrdiff_t)v->in_height;
      w->taps[ky] = outside ? w->zeros : w->ring + (size_t)at % kernel * r->pitch;
    }
    r->kernels->depthwise_row(&(df_depthwise_row){
      .rows = w->taps, .in_stride = DF_CHUNK, .weights = weights,
      .bias = weights + r->taps * DF_CHUNK, .kernel_height = kernel,
      .kernel_width = v->kernel_width, .stride = v->stride_width, .dilation = 1,
      .width = v->out_width, .channels = df_chunk_channels(r, chunk), .pixel_stride = DF_CHUNK,
      .y = y, .sums = has_norms(r->block) || !r->block->reduce ? NULL : sums,
      .activation = r->activation});
    if (has_norms(r->block)) df_tally_add(r->kernels, &tallying, v->out_width, y);
  }
  if (has_norms(r->block)) {
    r->tallies[1][(image * r->strips + strip) * r->chunks + chunk] = df_tally_end(&tallying);
  } else {
    squeeze(r, chunk, image, strip, sums);
  }
}

static void filter_task(void *context, size_t index) {
  const df_mbconv_run *r = context;
  workspace w = make_workspace(r);
  size_t strip = index % r->strips, first = index / r->strips * r->range;
  size_t images = r->block->depthwise.batch;
  for (size_t chunk = first; chunk < df_min(r->chunks, first + r->range); chunk++) {
    size_t some = df_max(1, AT_ONCE / r->in_pixels);
    for (size_t image = 0; image < images; image++) {
      if (r->at_once && image % some == 0) {
        size_t pixels = df_min(some, images - image) * r->in_pixels;
        const float *x = r->x + image * r->in_pixels * r->block->in_channels;
        widen(r, chunk, x, pixels, w.wide);
      }
      const float *wide = r->at_once ? w.wide + image % some * r->in_pixels * DF_CHUNK : NULL;
      filter_strip(r, &w, wide, chunk, image, strip);
    }
  }
}

/// Widened maps with their tallies, before a norm.
static void widen_task(void *context, size_t index) {
  enum { PIXELS = 112 };
  const df_mbconv_run *r = context;
  for (size_t chunk = index * r->range; chunk < df_min(r->chunks, (index + 1) * r->range); chunk++) {
    for (size_t image = 0; image < r->block->depthwise.batch; image++) {
      df_tallying tallying = {0};
      for (size_t pixel = 0; pixel < r->in_pixels; pixel += PIXELS) {
        size_t pixels = df_min(PIXELS, r->in_pixels - pixel), row = image * r->in_pixels + pixel;
        float *to = r->widened + (chunk * r->in_rows + row) * DF_CHUNK;
        widen(r, chunk, r->x + row * r->block->in_channels, pixels, to);
        df_tally_add(r->kernels, &tallying, pixels, to);
      }
      r->tallies[0][image * r->chunks + chunk] = df_tally_end(&tallying);
    }
  }
}

/// The norm of what was filtered, and the squeeze.
static void normalize_task(void *context, size_t index) {
  const df_mbconv_run *r = context;
  for (size_t chunk = index * r->range; chunk < df_min(r->chunks, (index + 1) * r->range); chunk++) {
    for (size_t image = 0; image < r->block->depthwise.batch; image++) {
      float sums[DF_CHUNK] = {0};
      float *y = r->filtered + (chunk * r->out_rows + image * r->out_pixels) * DF_CHUNK;
      normalize(r, r->constants[1], image, chunk, r->out_pixels, y, y, sums);
      squeeze(r, chunk, image, 0, sums);
    }
  }
}

static void make_constants(const df_mbconv_run *r, int norm, size_t parts) {
  for (size_t image = 0; image < r->block->depthwise.batch; image++) {
    df_tally_norm(
      &r->block->norms[norm], r->channels, r->tallies[norm] + image * parts * r->chunks, parts,
      r->chunks, r->constants[norm] + 3 * image * r->chunks * DF_CHUNK);
  }
}

static void filter(df_mbconv_run *r) {
  const df_mbconv *b = r->block;
  size_t images = b->depthwise.batch, parts = r->chunks;
  if (has_norms(b) && b->widen) {
    df_parallel_for(r->ranges, widen_task, r);
    make_constants(r, 0, 1);
  }
  df_parallel_for(r->ranges * r->strips, filter_task, r);
  if (has_norms(b)) {
    make_constants(r, 1, r->strips);
    r->strips = 1;
    df_parallel_for(r->ranges, normalize_task, r);
  } else {
    parts *= r->strips;
  }
  if (!b->reduce) return;
  for (size_t image = 0; image < images; image++) {
    float *to = r->squeezed + image * b->squeezed;
    memset(to, 0, b->squeezed * sizeof(float));
    if (b->reduce_bias) memcpy(to, b->reduce_bias, b->squeezed * sizeof(float));
  }
  r->kernels->row_sums(parts, images * b->squeezed, r->parts, r->squeezed);
  r->kernels->activate(images * b->squeezed, r->squeezed, r->squeezed, DF_SILU, 0);
}

/// Plans a run; returns the floats that it needs at `space`, which may be null.
static size_t plan(df_mbconv_run *r, const df_mbconv *b, float *space) {
  const df_conv2d *v = &b->depthwise;
  size_t batch = v->batch;
  *r = (df_mbconv_run){.block = b, .kernels = df_kernels_current()};
  r->channels = v->out_channels;
  r->chunks = chunks_of(v);
  r->taps = v->kernel_height * v->kernel_width;
  r->in_pixels = v->in_height * v->in_width;
  r->out_pixels = v->out_height * v->out_width;
  r->in_rows = batch * r->in_pixels;
  r->out_rows = batch * r->out_pixels;
  r->activation = has_norms(b) ? DF_IDENTITY : b->activation;
  r->at_once = b->widen && !has_norms(b) && v->in_width < NARROW;
  bool widens_rows = b->widen && !has_norms(b);
  r->strips = 1;
  if (r->chunks < FEW_CHUNKS && v->out_height >= HIGH) {
    r->strips = widens_rows ? 2 : df_divide_up(TASKS, r->chunks);
  }
  r->strip_height = df_divide_up(v->out_height, r->strips);
  r->strips = df_divide_up(v->out_height, r->strip_height);
  r->range = df_max(1, r->chunks / TASKS);
  r->ranges = df_divide_up(r->chunks, r->range);
  // The last tile of a row may compute pixels that are not there.
  size_t tiles = df_round_up(v->out_width, DF_DEPTHWISE_TILE);
  size_t reach = (tiles - 1) * v->stride_width + v->kernel_width;
  r->pitch = df_max(reach, v->pad_left + v->in_width) * DF_CHUNK;

  size_t used = 0, padded = r->chunks * DF_CHUNK;
#define TAKE(POINTER, FLOATS) \
  POINTER = space ? (void *)(space + used) : NULL, used += df_round_up(FLOATS, DF_MOST_LANES)
  TAKE(r->filtered, padded * r->out_rows);
  TAKE(r->parts, r->chunks * r->strips * batch * b->squeezed);
  TAKE(r->squeezed, batch * b->squeezed);
  TAKE(r->gates, batch * padded);
  TAKE(r->scaled, r->channels * df_round_up(b->out_channels, DF_MOST_LANES));
  TAKE(r->partial, DF_MBCONV_PARTS * DF_MBCONV_FEW_ROWS * b->out_channels);
  if (has_norms(b)) {
    size_t tally = sizeof(df_tally) / sizeof(float);
    TAKE(r->widened, b->widen ? padded * r->in_rows : 0);
    TAKE(r->constants[0], 3 * batch * padded);
    TAKE(r->constants[1], 3 * batch * padded);
    TAKE(r->tallies[0], batch * r->chunks * tally);
    TAKE(r->tallies[1], batch * r->strips * r->chunks * tally);
  }
#undef TAKE
  return used;
}

/// The images that go through the block together: where maps are large, one.
static size_t together(const df_conv2d *v) {
  if (v->out_height * v->out_width >= DF_MBCONV_LARGE) return 1;
  return df_divide_up(v->batch, df_divide_up(v->batch, TOGETHER));
}

size_t df_f32_mbconv_space(const df_mbconv *block) {
  if (block->depthwise.batch == 0) return 0;
  df_mbconv some = *block;
  some.depthwise.batch = together(&some.depthwise);
  df_mbconv_run run;
  return plan(&run, &some, NULL);
}

void df_f32_mbconv(const df_mbconv *block, const float *x, float *space, float *y) {
  const df_conv2d *v = &block->depthwise;
  if (v->batch == 0 || v->out_height * v->out_width == 0) return;
  size_t most = together(v);
  for (size_t image = 0; image < v->batch; image += most) {
    df_mbconv some = *block;
    some.depthwise.batch = df_min(most, v->batch - image);
    df_mbconv_run run;
    plan(&run, &some, space);
    run.x = x + image * run.in_pixels * block->in_channels;
    run.y = y + image * run.out_pixels * block->out_channels;
    filter(&run);
    df_mbconv_project(&run);
  }
}
