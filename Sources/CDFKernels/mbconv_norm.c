// Group norms between an inverted bottleneck's phases: sums of chunks of channels, and what they come to.
#include <math.h>
#include <string.h>

#include "mbconv.h"
#include "norm.h"

static void flush(df_tallying *t) {
  for (size_t c = 0; c < DF_CHUNK; c++) {
    t->total[c] += (double)t->sum[c];
    t->squares[c] += (double)t->square[c];
  }
  memset(t->sum, 0, sizeof t->sum);
  memset(t->square, 0, sizeof t->square);
  t->pending = 0;
}

void df_tally_add(const df_kernels *kernels, df_tallying *t, size_t pixels, const float *x) {
  if (t->count == 0) memcpy(t->origin, x, sizeof t->origin);
  t->count += pixels;
  while (pixels > 0) {
    size_t some = df_min(pixels, DF_SUMMED_ROWS - t->pending);
    kernels->moments(some, DF_CHUNK, x, t->origin, t->sum, t->square);
    t->pending += some;
    if (t->pending == DF_SUMMED_ROWS) flush(t);
    x += some * DF_CHUNK;
    pixels -= some;
  }
}

df_tally df_tally_end(df_tallying *t) {
  flush(t);
  df_tally tally = {.count = t->count};
  double count = (double)t->count;
  for (size_t c = 0; c < DF_CHUNK; c++) {
    double left = t->squares[c] - t->total[c] * t->total[c] / count;
    tally.mean[c] = (double)t->origin[c] + t->total[c] / count;
    tally.squares[c] = left < 0 ? 0 : left;  // NaN stays
  }
  return tally;
}

void df_tally_norm(
  const df_block_norm *norm, size_t channels, const df_tally *tallies, size_t parts,
  size_t stride, float *constants) {
  size_t per_group = channels / norm->groups, padded = df_round_up(channels, DF_CHUNK);
  memset(constants, 0, 3 * padded * sizeof(float));
  for (size_t first = 0; first < channels; first += per_group) {
    double total = 0, count = 0, squares = 0;
    for (size_t c = first; c < first + per_group; c++) {
      for (size_t part = 0; part < parts; part++) {
        const df_tally *t = &tallies[part * stride + c / DF_CHUNK];
        total += (double)t->count * t->mean[c % DF_CHUNK];
        count += (double)t->count;
      }
    }
    double mean = total / count;
    for (size_t c = first; c < first + per_group; c++) {
      for (size_t part = 0; part < parts; part++) {
        const df_tally *t = &tallies[part * stride + c / DF_CHUNK];
        double delta = t->mean[c % DF_CHUNK] - mean;
        squares += t->squares[c % DF_CHUNK] + (double)t->count * delta * delta;
      }
    }
    double inverse = 1 / sqrt(squares / count + (double)norm->epsilon);
    float statistics[DF_STATISTICS] = {(float)mean, 0, (float)inverse, 0};
    statistics[1] = (float)(mean - (double)statistics[0]);
    statistics[3] = (float)(inverse - (double)statistics[2]);
    df_groups group = {1, norm->scale + first, norm->shift + first};
    float *to = constants + first;
    df_norm_constants_of(
      &group, per_group, statistics, (df_norm_constants){to, to + padded, to + 2 * padded});
  }
}
