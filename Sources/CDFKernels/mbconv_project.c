// The second phase of an inverted bottleneck: the excitation's gates, and the projection of what they scale.
//
// A gate is a factor of one input channel of a product, so it can be put into the channel's pixels or into
// its weights: into what is smaller. Where there are few pixels the product is cut by its inner dimension,
// so that each thread reads its own weights and its own channels.
#include <string.h>

#include "mbconv.h"

enum {
  SEGMENTS = 16,    // chunks of the inner dimension taken at once
  TASK_ROWS = 112,  // rows that are worth reading the weights for
};

/// Gates of the chunks first ... last - 1.
static void excite(const df_mbconv_run *r, size_t first, size_t last) {
  const df_mbconv *b = r->block;
  size_t channel = first * DF_CHUNK;
  const float *rows = r->squeezed;
  df_gemm_block block = {
    .rows = b->depthwise.batch, .columns = df_min(r->channels, last * DF_CHUNK) - channel,
    .k = b->squeezed, .segments = 1, .a = &rows, .lda = b->squeezed, .c = r->gates + channel,
    .ldc = r->chunks * DF_CHUNK, .first = true, .last = true,
    .bias = b->excite_bias ? b->excite_bias + channel : NULL, .activation = DF_SIGMOID};
  df_gemm_columns(r->kernels, block, b->excite + channel * b->squeezed, b->squeezed, 0);
}

/// Puts gates into the pixels of chunks.
static void scale(const df_mbconv_run *r, size_t first, size_t last) {
  for (size_t chunk = first; chunk < last; chunk++) {
    for (size_t image = 0; image < r->block->depthwise.batch; image++) {
      float *x = r->filtered + (chunk * r->out_rows + image * r->out_pixels) * DF_CHUNK;
      r->kernels->affine(&(df_affine){
        .rows = r->out_pixels, .channels = DF_CHUNK, .x = x, .y = x,
        .scale = r->gates + (image * r->chunks + chunk) * DF_CHUNK});
    }
  }
}

/// Computes the gates of chunks and puts them into their pixels.
static void gate(const df_mbconv_run *r, size_t first, size_t last) {
  excite(r, first, last);
  scale(r, first, last);
}

typedef struct span {
  size_t first, count;
} span;

/// The product of some rows with some chunks' weights; the first chunks' adds bias and residual.
static void multiply(
  const df_mbconv_run *r, const float *weights, span rows, span chunks, float *y) {
  const df_mbconv *b = r->block;
  bool is_whole = chunks.first == 0, is_last = b->norms[2].groups == 0;
  size_t columns = b->out_channels;
  const float *a[SEGMENTS];
  for (size_t done = 0; done < chunks.count; done += SEGMENTS) {
    size_t chunk = chunks.first + done, count = df_min(SEGMENTS, chunks.count - done);
    for (size_t i = 0; i < count; i++) {
      a[i] = r->filtered + ((chunk + i) * r->out_rows + rows.first) * DF_CHUNK;
    }
    df_gemm_block block = {
      .rows = rows.count, .columns = columns, .k = DF_CHUNK, .segments = count,
      .last_k = df_chunk_channels(r, chunk + count - 1), .a = a, .lda = DF_CHUNK, .c = y,
      .ldc = columns, .first = done == 0, .last = done + count == chunks.count,
      .bias = is_whole ? b->project_bias : NULL,
      .residual = is_whole && is_last && b->has_residual ? r->x + rows.first * columns : NULL};
    df_gemm_columns(r->kernels, block, weights, r->channels, chunk * DF_CHUNK);
  }
}

typedef struct rows_job {
  const df_mbconv_run *run;
  const float *weights;
  size_t rows;  // of a task
} rows_job;

static void multiply_rows(void *context, size_t index) {
  const rows_job *j = context;
  const df_mbconv_run *r = j->run;
  span rows = {index * j->rows, df_min(j->rows, r->out_rows - index * j->rows)};
  float *y = r->y + rows.first * r->block->out_channels;
  multiply(r, j->weights, rows, (span){0, r->chunks}, y);
}

static void by_rows(const df_mbconv_run *r, const float *weights) {
  size_t tile = r->kernels->tile_rows, tasks = df_max(4, r->out_rows / TASK_ROWS);
  size_t rows = df_divide_up(r->out_rows, tasks);
  if (rows > 4 * tile) rows = df_round_up(rows, tile);
  rows_job job = {r, weights, rows};
  df_parallel_for(df_divide_up(r->out_rows, rows), multiply_rows, &job);
}

static void gate_range(void *context, size_t index) {
  const df_mbconv_run *r = context;
  size_t first = index * r->range, last = df_min(r->chunks, first + r->range);
  gate(r, first, last);
}

static span part_chunks(const df_mbconv_run *r, size_t part) {
  size_t first = r->chunks * part / DF_MBCONV_PARTS;
  return (span){first, r->chunks * (part + 1) / DF_MBCONV_PARTS - first};
}

static void multiply_part(void *context, size_t part) {
  const df_mbconv_run *r = context;
  span chunks = part_chunks(r, part), rows = {0, r->out_rows};
  if (r->block->reduce) gate(r, chunks.first, chunks.first + chunks.count);
  float *y = part == 0 ? r->y : r->partial + part * r->out_rows * r->block->out_channels;
  multiply(r, r->block->project, rows, chunks, y);
}

static void add_parts(void *context, size_t index) {
  const df_mbconv_run *r = context;
  size_t all = r->out_rows * r->block->out_channels, share = df_divide_up(all, DF_MBCONV_PARTS);
  size_t first = df_min(all, index * share), count = df_min(all - first, share);
  for (size_t part = 1; part < DF_MBCONV_PARTS && count > 0; part++) {
    r->kernels->add(count, r->y + first, r->partial + part * all + first, r->y + first);
  }
}

/// The weights with an image's gates in them.
static void scale_weights(const df_mbconv_run *r) {
  const df_kernels *kernels = r->kernels;
  size_t columns = r->block->out_channels;
  for (size_t column = 0; column < columns; column += kernels->panel) {
    size_t width = df_round_up(df_min(kernels->panel, columns - column), kernels->lanes);
    size_t offset = column * r->channels;
    kernels->scale_rows(
      r->channels, width, r->block->project + offset, r->gates, r->scaled + offset);
  }
}

void df_mbconv_project(df_mbconv_run *r) {
  const df_mbconv *b = r->block;
  bool is_gated = b->reduce != NULL;
  if (is_gated && r->out_pixels >= DF_MBCONV_LARGE) {
    excite(r, 0, r->chunks);
    scale_weights(r);
    by_rows(r, r->scaled);
  } else if (r->out_rows >= DF_MBCONV_FEW_ROWS || r->chunks < DF_MBCONV_PARTS) {
    if (is_gated) df_parallel_for(r->ranges, gate_range, r);
    by_rows(r, b->project);
  } else {
    df_parallel_for(DF_MBCONV_PARTS, multiply_part, r);
    df_parallel_for(DF_MBCONV_PARTS, add_parts, r);
  }
  const df_block_norm *norm = &b->norms[2];
  if (norm->groups > 0) {
    df_f32_group_norm(
      b->depthwise.batch, r->out_pixels, b->out_channels, norm->groups, norm->epsilon, r->y,
      norm->scale, norm->shift, b->has_residual ? r->x : NULL, r->y, DF_IDENTITY, 0, NULL);
  }
}
