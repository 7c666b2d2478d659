// Group normalisation and sums over pixels. An image's pixels are cut into chunks by the shape
// alone; each chunk's sums are kept apart and added up in order, in double precision, so that
// results do not depend on the threads.
#include <math.h>
#include <string.h>

#include "kernels.h"

enum {
  CHUNK_FLOATS = 48 * 1024,
  // Rows that are summed in Float32 before they go into double precision.
  SUMMED_ROWS = 128,
};

/// Chunks of one image's pixels.
typedef struct chunks {
  size_t count, rows;
} chunks;

static chunks cut(size_t pixels, size_t channels) {
  chunks c;
  c.rows = df_min(df_max(1, pixels), df_max(8, CHUNK_FLOATS / df_max(1, channels)));
  c.count = df_divide_up(pixels, c.rows);
  return c;
}

typedef struct moments {
  double mean, squares;  // squares: of the deviations from the mean, summed
} moments;

typedef struct job {
  const df_kernels *kernels;
  chunks chunks;
  size_t pixels, channels, groups;
  const float *x, *residual, *shift;
  float *y;
  moments *moments;                       // [image][chunk][group]
  const float *means, *scales, *shifts;   // [image][channel] or null
  float *sums;                            // [image][chunk][channel] or null
  df_activation activation;
  float slope;
} job;

typedef struct part {
  size_t image, row, rows, offset;
} part;

static part part_of(const job *j, size_t index) {
  part p;
  size_t chunk = index % j->chunks.count;
  p.image = index / j->chunks.count;
  p.row = chunk * j->chunks.rows;
  p.rows = df_min(j->chunks.rows, j->pixels - p.row);
  p.offset = (p.image * j->pixels + p.row) * j->channels;
  return p;
}

/// Chan, Golub and LeVeque 1979: the moments of two samples together.
static moments joined(moments a, double count_a, moments b, double count_b) {
  double count = count_a + count_b, delta = b.mean - a.mean;
  return (moments){
    a.mean + delta * (count_b / count),
    a.squares + b.squares + delta * delta * (count_a * count_b / count)};
}

static void chunk_moments(void *context, size_t index) {
  const job *j = context;
  part p = part_of(j, index);
  size_t channels = j->channels, per_group = channels / j->groups;
  moments *to = j->moments + index * j->groups;
  float *sum = df_scratch(DF_SCRATCH_TASK, 2 * channels), *squares = sum + channels;
  for (size_t done = 0; done < p.rows; done += SUMMED_ROWS) {
    size_t rows = df_min(SUMMED_ROWS, p.rows - done);
    const float *x = j->x + p.offset + done * channels;
    memset(sum, 0, 2 * channels * sizeof(float));
    // Deviations from a pixel at hand keep the squares small when the mean is not.
    j->kernels->moments(rows, channels, x, x, sum, squares);
    double count = (double)(rows * per_group);
    for (size_t group = 0; group < j->groups; group++) {
      size_t first = group * per_group;
      // The group's sums of deviations from one of its values, and of their squares.
      double origin = (double)x[first], total = 0, square = 0;
      for (size_t c = first; c < first + per_group; c++) {
        double d = (double)x[c] - origin, s = (double)sum[c];
        total += s + (double)rows * d;
        square += (double)squares[c] + d * (2 * s + (double)rows * d);
      }
      moments m = {origin + total / count, fmax(0, square - total * total / count)};
      to[group] = done == 0 ? m : joined(to[group], (double)(done * per_group), m, count);
    }
  }
}

static void chunk_affine(void *context, size_t index) {
  const job *j = context;
  part p = part_of(j, index);
  size_t constants = p.image * j->channels;
  float *sums = j->sums ? j->sums + index * j->channels : NULL;
  if (sums) memset(sums, 0, j->channels * sizeof(float));
  j->kernels->affine(&(df_affine){
    .rows = p.rows,
    .channels = j->channels,
    .x = j->x + p.offset,
    .mean = j->means ? j->means + constants : NULL,
    .scale = j->scales + constants,
    .shift = j->shifts ? j->shifts + constants : j->shift,
    .residual = j->residual ? j->residual + p.offset : NULL,
    .y = j->y + p.offset,
    .sums = sums,
    .activation = j->activation,
    .slope = j->slope,
  });
}

/// Each image's chunks added up in order.
static void merge_sums(const job *j, size_t batch, float *sums) {
  for (size_t image = 0; image < batch; image++) {
    for (size_t c = 0; c < j->channels; c++) {
      double sum = 0;
      for (size_t chunk = 0; chunk < j->chunks.count; chunk++) {
        sum += j->sums[(image * j->chunks.count + chunk) * j->channels + c];
      }
      sums[image * j->channels + c] = (float)sum;
    }
  }
}

void df_f32_group_norm(
  size_t batch, size_t pixels, size_t channels, size_t groups, float epsilon, const float *x,
  const float *scale, const float *shift, const float *residual, float *y,
  df_activation activation, float slope, float *sums) {
  if (batch == 0 || channels == 0) return;
  if (pixels == 0) {
    if (sums) memset(sums, 0, batch * channels * sizeof(float));
    return;
  }
  job j = {
    .kernels = df_kernels_current(), .chunks = cut(pixels, channels), .pixels = pixels,
    .channels = channels, .groups = groups, .x = x, .residual = residual, .y = y,
    .activation = activation, .slope = slope};
  size_t tasks = batch * j.chunks.count;
  size_t moment_floats = tasks * groups * sizeof(moments) / sizeof(float);
  size_t sum_floats = sums ? tasks * channels : 0;
  float *memory = df_scratch(DF_SCRATCH_CALL, moment_floats + 3 * batch * channels + sum_floats);
  j.moments = (moments *)(void *)memory;
  float *means = memory + moment_floats, *scales = means + batch * channels;
  float *shifts = scales + batch * channels;
  j.means = means;
  j.scales = scales;
  j.shifts = shifts;
  j.sums = sums ? shifts + batch * channels : NULL;
  df_parallel_for(tasks, chunk_moments, &j);

  size_t per_group = channels / groups;
  for (size_t image = 0; image < batch; image++) {
    for (size_t group = 0; group < groups; group++) {
      const moments *from = j.moments + image * j.chunks.count * groups + group;
      moments all = from[0];
      size_t rows = df_min(j.chunks.rows, pixels);
      for (size_t chunk = 1; chunk < j.chunks.count; chunk++) {
        size_t more = df_min(j.chunks.rows, pixels - rows);
        all = joined(
          all, (double)(rows * per_group), from[chunk * groups], (double)(more * per_group));
        rows += more;
      }
      double variance = all.squares / (double)(pixels * per_group);
      double inverse = 1 / sqrt(variance + (double)epsilon);
      for (size_t c = group * per_group; c < (group + 1) * per_group; c++) {
        // What the mean loses as a Float32 goes into the shift.
        float mean = (float)all.mean;
        double factor = inverse * (double)scale[c];
        means[image * channels + c] = mean;
        scales[image * channels + c] = (float)factor;
        shifts[image * channels + c] =
          (float)((double)shift[c] + ((double)mean - all.mean) * factor);
      }
    }
  }
  df_parallel_for(tasks, chunk_affine, &j);
  if (sums) merge_sums(&j, batch, sums);
}

static void chunk_sums(void *context, size_t index) {
  const job *j = context;
  part p = part_of(j, index);
  float *sums = j->sums + index * j->channels;
  memset(sums, 0, j->channels * sizeof(float));
  j->kernels->row_sums(p.rows, j->channels, j->x + p.offset, sums);
}

void df_f32_pixel_sums(
  size_t batch, size_t pixels, size_t channels, const float *x, float *sums) {
  if (batch == 0 || channels == 0) return;
  job j = {
    .kernels = df_kernels_current(), .chunks = cut(pixels, channels), .pixels = pixels,
    .channels = channels, .x = x};
  size_t tasks = batch * j.chunks.count;
  j.sums = df_scratch(DF_SCRATCH_CALL, tasks * channels);
  df_parallel_for(tasks, chunk_sums, &j);
  merge_sums(&j, batch, sums);
}

void df_f32_scale_channels(
  size_t batch, size_t pixels, size_t channels, const float *x, const float *scale, float *y) {
  if (batch == 0 || pixels == 0 || channels == 0) return;
  job j = {
    .kernels = df_kernels_current(), .chunks = cut(pixels, channels), .pixels = pixels,
    .channels = channels, .x = x, .scales = scale, .y = y};
  df_parallel_for(batch * j.chunks.count, chunk_affine, &j);
}

void df_f32_scale_shift(
  size_t rows, size_t channels, const float *x, const float *scale, const float *shift, float *y,
  df_activation activation, float slope) {
  if (rows == 0 || channels == 0) return;
  job j = {
    .kernels = df_kernels_current(), .chunks = cut(rows, channels), .pixels = rows,
    .channels = channels, .x = x, .scales = scale, .shift = shift, .y = y,
    .activation = activation, .slope = slope};
  df_parallel_for(j.chunks.count, chunk_affine, &j);
}
