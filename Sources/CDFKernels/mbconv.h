// What the phases of an inverted bottleneck block share.
#ifndef DF_MBCONV_H
#define DF_MBCONV_H

#include "kernels.h"

enum {
  DF_CHUNK = DF_DEPTHWISE_CHANNELS,
  DF_MBCONV_LARGE = 400,     // output pixels of an image for which its weights are gated instead
  DF_MBCONV_FEW_ROWS = 392,  // pixels of all images, below which the projection is cut by its channels
  DF_MBCONV_PARTS = 4,       // into so many
};

/// Sums of a chunk of channels over some pixels, in double precision: n values' mean, and their squared
/// deviations from it.
typedef struct df_tally {
  double mean[DF_CHUNK], squares[DF_CHUNK];
  size_t count;
} df_tally;

/// Tallies while they are made: deviations from the first pixel, which keeps their squares small.
typedef struct df_tallying {
  float origin[DF_CHUNK], sum[DF_CHUNK], square[DF_CHUNK];
  double total[DF_CHUNK], squares[DF_CHUNK];
  size_t pending, count;
} df_tallying;

void df_tally_add(const df_kernels *kernels, df_tallying *t, size_t pixels, const float *x);
df_tally df_tally_end(df_tallying *t);
/// An image's norm from the tallies of its chunks, [part][chunk], which are `parts` for each chunk and
/// `stride` apart: `constants` is [mean, scale, shift][chunk][DF_CHUNK].
void df_tally_norm(
  const df_block_norm *norm, size_t channels, const df_tally *tallies, size_t parts,
  size_t stride, float *constants);

/// A block at work. Widened maps are cut into chunks of DF_CHUNK channels, each [image][pixel][DF_CHUNK].
typedef struct df_mbconv_run {
  const df_mbconv *block;
  const df_kernels *kernels;
  const float *x;
  float *y;
  size_t channels, chunks, taps;
  size_t in_pixels, out_pixels;  // of an image
  size_t in_rows, out_rows;      // pixels of the batch
  size_t strips, strip_height;   // of an image's output rows
  size_t ranges, range;          // tasks' chunks, and how many a task has
  bool at_once;                  // whether a chunk's maps are widened before any row is filtered
  size_t pitch;                  // floats of a padded row
  df_activation activation;      // of the convolutions before a norm

  float *widened;    // with norms only
  float *filtered;
  float *parts;      // [chunk][strip][image][squeezed]: the squeeze's product, chunk by chunk
  float *squeezed;   // [image][squeezed]
  float *gates;      // [image][chunk][DF_CHUNK]
  float *scaled;     // the projection's weights with an image's gates in them
  float *partial;    // products of parts of the channels
  df_tally *tallies[2];  // [image][strip][chunk]
  float *constants[2];   // [image][mean, scale, shift][chunk][DF_CHUNK]
} df_mbconv_run;

/// Gates and the projection: from `filtered` and `squeezed` to y.
void df_mbconv_project(df_mbconv_run *run);

static inline size_t df_chunk_channels(const df_mbconv_run *r, size_t chunk) {
  return df_min(DF_CHUNK, r->channels - chunk * DF_CHUNK);
}

#endif
