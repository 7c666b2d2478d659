// Each channel's scaling, and sums over pixels.
#include <string.h>

#include "norm.h"

typedef struct job {
  df_maps maps;
  const float *a, *b, *scale, *shift;
  bool by_image;  // whether each image has a scale and a shift of its own
  float *y;
  float *sums;  // [image][chunk][channel]
  df_activation activation;
  float slope;
} job;

void df_merge_sums(const df_maps *maps, const float *chunks, float *sums) {
  size_t channels = maps->channels, count = maps->chunks.count;
  for (size_t image = 0; image < maps->batch; image++) {
    for (size_t c = 0; c < channels; c++) {
      double sum = 0;
      for (size_t chunk = 0; chunk < count; chunk++) {
        sum += (double)chunks[(image * count + chunk) * channels + c];
      }
      sums[image * channels + c] = (float)sum;
    }
  }
}

static void chunk_sums(void *context, size_t index) {
  const job *j = context;
  df_chunk chunk = df_chunk_of(&j->maps, index);
  size_t channels = j->maps.channels;
  float *sums = j->sums + index * channels;
  memset(sums, 0, channels * sizeof(float));
  const float *a = j->a + chunk.offset;
  if (j->b) {
    j->maps.kernels->row_dots(chunk.rows, channels, a, j->b + chunk.offset, sums);
  } else {
    j->maps.kernels->row_sums(chunk.rows, channels, a, sums);
  }
}

static void chunk_affine(void *context, size_t index) {
  const job *j = context;
  df_chunk chunk = df_chunk_of(&j->maps, index);
  size_t constants = j->by_image ? chunk.image * j->maps.channels : 0;
  j->maps.kernels->affine(&(df_affine){
    .rows = chunk.rows,
    .channels = j->maps.channels,
    .x = j->a + chunk.offset,
    .scale = j->scale + constants,
    .shift = j->shift ? j->shift + constants : NULL,
    .y = j->y + chunk.offset,
    .activation = j->activation,
    .slope = j->slope,
  });
}

void df_f32_pixel_dots(
  size_t batch, size_t pixels, size_t channels, const float *a, const float *b, float *sums) {
  if (batch == 0 || channels == 0) return;
  job j = {.maps = df_maps_of(batch, pixels, channels), .a = a, .b = b};
  size_t tasks = batch * j.maps.chunks.count;
  j.sums = df_scratch(DF_SCRATCH_CALL, tasks * channels);
  df_parallel_for(tasks, chunk_sums, &j);
  df_merge_sums(&j.maps, j.sums, sums);
}

void df_f32_pixel_sums(
  size_t batch, size_t pixels, size_t channels, const float *x, float *sums) {
  df_f32_pixel_dots(batch, pixels, channels, x, NULL, sums);
}

void df_f32_scale_channels(
  size_t batch, size_t pixels, size_t channels, const float *x, const float *scale,
  const float *shift, float *y) {
  if (batch == 0 || pixels == 0 || channels == 0) return;
  job j = {
    .maps = df_maps_of(batch, pixels, channels), .a = x, .scale = scale, .shift = shift,
    .by_image = true, .y = y};
  df_parallel_for(batch * j.maps.chunks.count, chunk_affine, &j);
}

void df_f32_scale_shift(
  size_t rows, size_t channels, const float *x, const float *scale, const float *shift, float *y,
  df_activation activation, float slope) {
  if (rows == 0 || channels == 0) return;
  job j = {
    .maps = df_maps_of(1, rows, channels), .a = x, .scale = scale, .shift = shift, .y = y,
    .activation = activation, .slope = slope};
  df_parallel_for(j.maps.chunks.count, chunk_affine, &j);
}
