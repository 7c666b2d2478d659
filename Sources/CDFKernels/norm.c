// Group normalisation.
#include <math.h>
#include <string.h>

#include "norm.h"

enum { CHUNK_FLOATS = 48 * 1024 };

df_maps df_maps_of(size_t batch, size_t pixels, size_t channels) {
  df_chunks c;
  c.rows = df_min(df_max(1, pixels), df_max(8, CHUNK_FLOATS / df_max(1, channels)));
  c.count = df_divide_up(pixels, c.rows);
  return (df_maps){df_kernels_current(), c, batch, pixels, channels};
}

df_chunk df_chunk_of(const df_maps *maps, size_t index) {
  df_chunk c;
  size_t row = index % maps->chunks.count * maps->chunks.rows;
  c.image = index / maps->chunks.count;
  c.rows = df_min(maps->chunks.rows, maps->pixels - row);
  c.offset = (c.image * maps->pixels + row) * maps->channels;
  return c;
}

bool df_by_image(const df_maps *maps) {
  size_t threads = (size_t)df_thread_count();
  return maps->batch % threads == 0 || maps->batch > 4 * threads;
}

void df_norm_constants_of(
  const df_groups *groups, size_t channels, const float *statistics, df_norm_constants to) {
  size_t per_group = channels / groups->count;
  for (size_t group = 0; group < groups->count; group++, statistics += DF_STATISTICS) {
    double rest = (double)statistics[1];
    double inverse = (double)statistics[2] + (double)statistics[3];
    for (size_t c = group * per_group; c < (group + 1) * per_group; c++) {
      // What the mean lost as a Float32 goes into the shift.
      double factor = inverse * (double)groups->scale[c];
      to.mean[c] = statistics[0];
      to.scale[c] = (float)factor;
      to.shift[c] = (float)((double)groups->shift[c] - rest * factor);
    }
  }
}

void df_norm_constants_of_batch(
  const df_maps *maps, const df_groups *groups, const float *statistics, float *constants) {
  size_t channels = maps->channels;
  for (size_t image = 0; image < maps->batch; image++, constants += 3 * channels) {
    df_norm_constants_of(
      groups, channels, statistics + image * groups->count * DF_STATISTICS,
      (df_norm_constants){constants, constants + channels, constants + 2 * channels});
  }
}

typedef struct moments {
  double mean, squares;  // squares: of the deviations from the mean, summed
} moments;

typedef struct job {
  df_maps maps;
  df_groups groups;
  float epsilon;
  const float *x, *residual;
  float *y;
  moments *moments;   // [image][chunk][group]
  float *statistics;  // [image][group][DF_STATISTICS]
  float *constants;   // [image][mean, scale, shift][channel]
  df_activation activation;
  float slope;
} job;

/// Chan, Golub and LeVeque 1979: the moments of two samples together.
static moments joined(moments a, double count_a, moments b, double count_b) {
  double count = count_a + count_b, delta = b.mean - a.mean;
  return (moments){
    a.mean + delta * (count_b / count),
    a.squares + b.squares + delta * delta * (count_a * count_b / count)};
}

static void chunk_moments(void *context, size_t index) {
  const job *j = context;
  df_chunk chunk = df_chunk_of(&j->maps, index);
  size_t channels = j->maps.channels, groups = j->groups.count, per_group = channels / groups;
  moments *to = j->moments + index * groups;
  float *sum = df_scratch(DF_SCRATCH_TASK, 2 * channels), *squares = sum + channels;
  for (size_t done = 0; done < chunk.rows; done += DF_SUMMED_ROWS) {
    size_t rows = df_min(DF_SUMMED_ROWS, chunk.rows - done);
    const float *x = j->x + chunk.offset + done * channels;
    memset(sum, 0, 2 * channels * sizeof(float));
    // Deviations from a pixel at hand keep the squares small when the mean is not.
    j->maps.kernels->moments(rows, channels, x, x, sum, squares);
    double count = (double)(rows * per_group);
    for (size_t group = 0; group < groups; group++) {
      size_t first = group * per_group;
      // The group's sums of deviations from one of its values, and of their squares.
      double origin = (double)x[first], total = 0, square = 0;
      for (size_t c = first; c < first + per_group; c++) {
        double d = (double)x[c] - origin, s = (double)sum[c];
        total += s + (double)rows * d;
        square += (double)squares[c] + d * (2 * s + (double)rows * d);
      }
      double left = square - total * total / count;
      moments m = {origin + total / count, left < 0 ? 0 : left};  // NaN stays
      to[group] = done == 0 ? m : joined(to[group], (double)(done * per_group), m, count);
    }
  }
}

/// An image's group's moments from its chunks'.
static moments whole(const job *j, size_t image, size_t group) {
  size_t groups = j->groups.count, per_group = j->maps.channels / groups;
  df_chunks chunks = j->maps.chunks;
  const moments *from = j->moments + image * chunks.count * groups + group;
  moments all = from[0];
  size_t rows = df_min(chunks.rows, j->maps.pixels);
  for (size_t chunk = 1; chunk < chunks.count; chunk++) {
    size_t more = df_min(chunks.rows, j->maps.pixels - rows);
    all = joined(
      all, (double)(rows * per_group), from[chunk * groups], (double)(more * per_group));
    rows += more;
  }
  return all;
}

static void finish_statistics(const job *j, size_t image) {
  size_t groups = j->groups.count, per_group = j->maps.channels / groups;
  float *statistics = j->statistics + image * groups * DF_STATISTICS;
  for (size_t group = 0; group < groups; group++, statistics += DF_STATISTICS) {
    moments all = whole(j, image, group);
    double variance = all.squares / (double)(j->maps.pixels * per_group);
    double inverse = 1 / sqrt(variance + (double)j->epsilon);
    statistics[0] = (float)all.mean;
    statistics[1] = (float)(all.mean - (double)statistics[0]);
    statistics[2] = (float)inverse;
    statistics[3] = (float)(inverse - (double)statistics[2]);
  }
}

static df_norm_constants constants_of(const job *j, size_t image) {
  size_t channels = j->maps.channels;
  float *constants = j->constants + image * 3 * channels;
  return (df_norm_constants){constants, constants + channels, constants + 2 * channels};
}

static void finish_constants(const job *j, size_t image) {
  df_norm_constants_of(
    &j->groups, j->maps.channels, j->statistics + image * j->groups.count * DF_STATISTICS,
    constants_of(j, image));
}

static void chunk_affine(void *context, size_t index) {
  const job *j = context;
  df_chunk chunk = df_chunk_of(&j->maps, index);
  df_norm_constants constants = constants_of(j, chunk.image);
  size_t channels = j->maps.channels;
  j->maps.kernels->affine(&(df_affine){
    .rows = chunk.rows,
    .channels = channels,
    .x = j->x + chunk.offset,
    .mean = constants.mean,
    .scale = constants.scale,
    .shift = constants.shift,
    .residual = j->residual ? j->residual + chunk.offset : NULL,
    .y = j->y + chunk.offset,
    .activation = j->activation,
    .slope = j->slope,
  });
}

static void image_norm(void *context, size_t image) {
  const job *j = context;
  size_t first = image * j->maps.chunks.count, end = first + j->maps.chunks.count;
  for (size_t chunk = first; chunk < end; chunk++) chunk_moments(context, chunk);
  finish_statistics(j, image);
  if (!j->y) return;
  finish_constants(j, image);
  for (size_t chunk = first; chunk < end; chunk++) chunk_affine(context, chunk);
}

void df_f32_group_norm(
  size_t batch, size_t pixels, size_t channels, size_t groups, float epsilon, const float *x,
  const float *scale, const float *shift, const float *residual, float *y,
  df_activation activation, float slope, float *statistics) {
  if (batch == 0 || channels == 0) return;
  if (pixels == 0) {
    if (statistics) memset(statistics, 0, batch * groups * DF_STATISTICS * sizeof(float));
    return;
  }
  job j = {
    .maps = df_maps_of(batch, pixels, channels), .groups = {groups, scale, shift},
    .epsilon = epsilon, .x = x, .residual = residual, .y = y, .activation = activation,
    .slope = slope};
  size_t tasks = batch * j.maps.chunks.count;
  size_t moment_floats = tasks * groups * sizeof(moments) / sizeof(float);
  size_t statistics_floats = statistics ? 0 : batch * groups * DF_STATISTICS;
  size_t constant_floats = y ? batch * 3 * channels : 0;
  float *memory = df_scratch(
    DF_SCRATCH_CALL, moment_floats + statistics_floats + constant_floats);
  j.moments = (moments *)(void *)memory;
  j.statistics = statistics ? statistics : memory + moment_floats;
  j.constants = memory + moment_floats + statistics_floats;

  if (df_by_image(&j.maps)) {
    df_parallel_for(batch, image_norm, &j);
  } else {
    df_parallel_for(tasks, chunk_moments, &j);
    for (size_t image = 0; image < batch; image++) {
      finish_statistics(&j, image);
      if (y) finish_constants(&j, image);
    }
    if (y) df_parallel_for(tasks, chunk_affine, &j);
  }
}

void df_f32_group_norm_again(
  size_t batch, size_t pixels, size_t channels, size_t groups, const float *x,
  const float *statistics, const float *scale, const float *shift, float *y,
  df_activation activation, float slope) {
  if (batch == 0 || channels == 0 || pixels == 0) return;
  job j = {
    .maps = df_maps_of(batch, pixels, channels), .groups = {groups, scale, shift}, .x = x, .y = y,
    .activation = activation, .slope = slope};
  j.constants = df_scratch(DF_SCRATCH_CALL, batch * 3 * channels);
  df_norm_constants_of_batch(&j.maps, &j.groups, statistics, j.constants);
  df_parallel_for(batch * j.maps.chunks.count, chunk_affine, &j);
}

void df_f32_channel_statistics(
  size_t rows, size_t channels, const float *x, float *mean, float *variance) {
  if (rows == 0 || channels == 0) return;
  job j = {.maps = df_maps_of(1, rows, channels), .groups = {.count = channels}, .x = x};
  size_t tasks = j.maps.chunks.count;
  j.moments = (moments *)(void *)df_scratch(
    DF_SCRATCH_CALL, tasks * channels * sizeof(moments) / sizeof(float));
  df_parallel_for(tasks, chunk_moments, &j);
  for (size_t c = 0; c < channels; c++) {
    moments all = whole(&j, 0, c);
    mean[c] = (float)all.mean;
    variance[c] = (float)(all.squares / (double)rows);
  }
}
