// The gradient of a group norm and the activation after it: one look at the maps for each channel's
// sums, one for the result.
#include <string.h>

#include "norm.h"

typedef struct job {
  df_maps maps;
  df_groups groups;
  bool fixed;
  const float *x, *gradient, *statistics;
  float *constants;  // [image][mean, scale, shift, factor, offset, what that lost][channel]
  // [image][chunk][sums, products][channel]; an image's first chunk gets the total.
  double *sums;
  float *y;
  df_activation activation;
  float slope;
} job;

enum {
  CONSTANTS = 6,
  // Rows that are summed in Float32 before they go into double precision: few, because sums of gradients
  // are often next to zero, and what a norm follows sees nothing else.
  SUMMED_ROWS = 16,
};

static df_affine_gradient part_of(const job *j, df_chunk chunk) {
  size_t channels = j->maps.channels;
  const float *constants = j->constants + chunk.image * CONSTANTS * channels;
  return (df_affine_gradient){
    .rows = chunk.rows,
    .channels = channels,
    .x = j->x + chunk.offset,
    .gradient = j->gradient + chunk.offset,
    .mean = constants,
    .scale = constants + channels,
    .shift = constants + 2 * channels,
    .factor = constants + 3 * channels,
    .offset = constants + 4 * channels,
    .rest = constants + 5 * channels,
    .activation = j->activation,
    .slope = j->slope,
  };
}

static void chunk_sums(void *context, size_t index) {
  const job *j = context;
  size_t channels = j->maps.channels;
  df_affine_gradient part = part_of(j, df_chunk_of(&j->maps, index));
  double *to = j->sums + index * 2 * channels;
  memset(to, 0, 2 * channels * sizeof(double));
  float *some = df_scratch(DF_SCRATCH_TASK, 2 * channels);
  part.sums = some;
  part.products = some + channels;
  for (size_t rest = part.rows; rest > 0; rest -= part.rows) {
    part.rows = df_min(SUMMED_ROWS, rest);
    memset(some, 0, 2 * channels * sizeof(float));
    j->maps.kernels->affine_gradient_sums(&part);
    for (size_t i = 0; i < 2 * channels; i++) to[i] += (double)some[i];
    part.x += part.rows * channels;
    part.gradient += part.rows * channels;
  }
}

static void begin_image(const job *j, size_t image) {
  size_t channels = j->maps.channels;
  float *constants = j->constants + image * CONSTANTS * channels;
  df_norm_constants_of(
    &j->groups, channels, j->statistics + image * j->groups.count * DF_STATISTICS,
    (df_norm_constants){constants, constants + channels, constants + 2 * channels});
}

/// An image's totals, and how its statistics pass the gradient on: they depend on every element.
static void finish_sums(const job *j, size_t image) {
  size_t channels = j->maps.channels, groups = j->groups.count, per_group = channels / groups;
  double *sums = j->sums + image * j->maps.chunks.count * 2 * channels;
  for (size_t chunk = 1; chunk < j->maps.chunks.count; chunk++) {
    for (size_t i = 0; i < 2 * channels; i++) sums[i] += sums[chunk * 2 * channels + i];
  }
  double *products = sums + channels;
  float *constants = j->constants + image * CONSTANTS * channels;
  const float *scale = constants + channels;
  float *factor = constants + 3 * channels, *offset = factor + channels, *lost = offset + channels;
  double count = (double)(j->maps.pixels * per_group);
  const float *statistics = j->statistics + image * groups * DF_STATISTICS;
  for (size_t group = 0; group < groups; group++, statistics += DF_STATISTICS) {
    double rest = (double)statistics[1];
    double inverse = (double)statistics[2] + (double)statistics[3];
    double sum = 0, product = 0;
    for (size_t c = group * per_group; c < (group + 1) * per_group; c++) {
      // Of the gradient and the normalised value.
      products[c] = (products[c] - rest * sums[c]) * inverse;
      sum += sums[c] * (double)scale[c];
      product += products[c] * (double)j->groups.scale[c];
    }
    // A group's gradients add up to zero. They do so here to the rounding of single elements: with
    // the constants as they are in Float32, and with what the offset loses as one.
    float slope = j->fixed ? 0 : (float)(-inverse * inverse * product / count);
    double start = j->fixed ? 0 : -sum / count - (double)slope * rest;
    for (size_t c = group * per_group; c < (group + 1) * per_group; c++) {
      factor[c] = slope;
      offset[c] = (float)start;
      lost[c] = (float)(start - (double)offset[c]);
    }
  }
}

static void chunk_gradient(void *context, size_t index) {
  const job *j = context;
  df_chunk chunk = df_chunk_of(&j->maps, index);
  df_affine_gradient part = part_of(j, chunk);
  part.y = j->y + chunk.offset;
  j->maps.kernels->affine_gradient(&part);
}

static void image_gradient(void *context, size_t image) {
  const job *j = context;
  size_t first = image * j->maps.chunks.count, end = first + j->maps.chunks.count;
  begin_image(j, image);
  for (size_t chunk = first; chunk < end; chunk++) chunk_sums(context, chunk);
  finish_sums(j, image);
  if (!j->y) return;
  for (size_t chunk = first; chunk < end; chunk++) chunk_gradient(context, chunk);
}

void df_f32_group_norm_gradient(
  size_t batch, size_t pixels, size_t channels, size_t groups, const float *x,
  const float *gradient, const float *statistics, bool fixed, const float *scale,
  const float *shift, df_activation activation, float slope, float *x_gradient,
  float *scale_gradient, float *shift_gradient) {
  if (channels == 0) return;
  if (batch == 0 || pixels == 0) {
    memset(scale_gradient, 0, channels * sizeof(float));
    memset(shift_gradient, 0, channels * sizeof(float));
    return;
  }
  job j = {
    .maps = df_maps_of(batch, pixels, channels), .groups = {groups, scale, shift},
    .fixed = fixed, .x = x, .gradient = gradient, .statistics = statistics, .y = x_gradient,
    .activation = activation, .slope = slope};
  size_t tasks = batch * j.maps.chunks.count;
  size_t sum_floats = tasks * 2 * channels * sizeof(double) / sizeof(float);
  float *memory = df_scratch(DF_SCRATCH_CALL, sum_floats + batch * CONSTANTS * channels);
  j.sums = (double *)(void *)memory;
  j.constants = memory + sum_floats;
  if (df_by_image(&j.maps)) {
    df_parallel_for(batch, image_gradient, &j);
  } else {
    for (size_t image = 0; image < batch; image++) begin_image(&j, image);
    df_parallel_for(tasks, chunk_sums, &j);
    for (size_t image = 0; image < batch; image++) finish_sums(&j, image);
    if (j.y) df_parallel_for(tasks, chunk_gradient, &j);
  }
  for (size_t c = 0; c < channels; c++) {
    double sum = 0, product = 0;
    for (size_t image = 0; image < batch; image++) {
      const double *sums = j.sums + image * j.maps.chunks.count * 2 * channels;
      sum += sums[c];
      product += sums[channels + c];
    }
    shift_gradient[c] = (float)sum;
    scale_gradient[c] = (float)product;
  }
}
