// What norms and sums over pixels share: an image's pixels are cut into chunks by the shape alone; each
// chunk's sums are kept apart and added up in order, in double precision, so that results do not
// depend on the threads.
#ifndef DF_NORM_H
#define DF_NORM_H

#include "kernels.h"

enum {
  // Rows that are summed in Float32 before they go into double precision.
  DF_SUMMED_ROWS = 128,
  // What df_f32_group_norm writes of a group: mean, what that lost as a Float32, and the same of the
  // deviation's reciprocal.
  DF_STATISTICS = 4,
};

/// Chunks of one image's pixels.
typedef struct df_chunks {
  size_t count, rows;
} df_chunks;

/// A chunk's place.
typedef struct df_chunk {
  size_t image, rows, offset;
} df_chunk;

/// Maps of a batch.
typedef struct df_maps {
  const df_kernels *kernels;
  df_chunks chunks;
  size_t batch, pixels, channels;
} df_maps;

df_maps df_maps_of(size_t batch, size_t pixels, size_t channels);
df_chunk df_chunk_of(const df_maps *maps, size_t index);
/// Whether a task had better be an image, which then stays near for the second look at it, or a chunk.
/// Results are the same.
bool df_by_image(const df_maps *maps);

/// The groups' share of a norm, and what it means for each channel.
typedef struct df_groups {
  size_t count;
  const float *scale, *shift;  // of each channel
} df_groups;

/// An image's norm: y = (x - mean[c]) * scale[c] + shift[c].
typedef struct df_norm_constants {
  float *mean, *scale, *shift;
} df_norm_constants;

/// From an image's statistics.
void df_norm_constants_of(
  const df_groups *groups, size_t channels, const float *statistics, df_norm_constants to);
/// Of every image: [image][mean, scale, shift][channel].
void df_norm_constants_of_batch(
  const df_maps *maps, const df_groups *groups, const float *statistics, float *constants);

/// Each image's chunks' sums [image][chunk][channel] added up in order.
void df_merge_sums(const df_maps *maps, const float *chunks, float *sums);

#endif
