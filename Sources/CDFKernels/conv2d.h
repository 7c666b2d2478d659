// What convolutions and their gradients share.
#ifndef DF_CONV2D_H
#define DF_CONV2D_H

#include "kernels.h"

bool df_is_depthwise(const df_conv2d *conv);
/// Whether the convolution is a product over pixels that can be read in place.
bool df_is_pointwise(const df_conv2d *conv);

/// What a group's windows are gathered from.
typedef struct df_windows {
  const df_conv2d *conv;
  const float *x;    // at the group's first channel
  const float *end;  // of the input
} df_windows;

static inline df_windows df_windows_of(const df_conv2d *v, const float *x, size_t group) {
  return (df_windows){
    v, x + group * (v->in_channels / v->groups),
    x + v->batch * v->in_height * v->in_width * v->in_channels};
}

/// Elements start ... start + k - 1 of the windows of output pixels row ... row + rows - 1, to places
/// `stride` apart, with room for three floats more than a window.
void df_gather_windows(
  const df_windows *windows, size_t row, size_t rows, size_t start, size_t k, float *to,
  size_t stride);

/// Where a convolution writes: floats from one pixel, row and image to the next.
typedef struct df_output {
  float *y;
  size_t pixel, row, image;
} df_output;

static inline df_output df_plain_output(const df_conv2d *v, float *y) {
  size_t row = v->out_width * v->out_channels;
  return (df_output){y, v->out_channels, row, v->out_height * row};
}

/// A group's channels of an image, and the map to which they are copied: as many pixels wide as
/// stated, padded with zeros, each pixel's channels next to each other.
typedef struct df_group_map {
  const float *x;  // the group's first channel at the image's first pixel
  size_t pixel;    // floats from one of the image's pixels to the next
  size_t channels, width;
} df_group_map;

/// Rows first ... first + count - 1 of the padded map.
void df_pad_group(
  const df_conv2d *conv, const df_group_map *map, size_t first, size_t count, float *to);

/// Whether df_run_grouped can run the convolution: it has groups, and a kernel of a usual size.
bool df_grouped_fits(const df_conv2d *conv);
/// The convolution of several groups, with weights packed by df_f32_conv2d_pack. Runs on the pool.
void df_run_grouped(
  const df_conv2d *conv, const float *x, const float *packed, float *y,
  const df_epilogue *epilogue);

/// Floats in an odd number of cache lines, at least `floats`: the positions of Winograd's transforms
/// then do not fall into the same few places of a cache.
static inline size_t df_odd_lines(size_t floats) {
  return (df_divide_up(floats, DF_MOST_LANES) | 1) * DF_MOST_LANES;
}

/// Winograd's F(2x2, 3x3) of several groups: what df_f32_winograd_packed_count, df_f32_winograd_pack and
/// df_f32_winograd do for them.
size_t df_winograd_grouped_packed_count(const df_conv2d *conv);
void df_winograd_grouped_pack(const df_conv2d *conv, const float *weights, float *packed);
void df_run_winograd_grouped(
  const df_conv2d *conv, const float *x, size_t x_pixel, const float *packed, float *y,
  size_t y_pixel, const df_epilogue *epilogue);

/// The depthwise convolution.
void df_run_depthwise(
  const df_conv2d *conv, const float *x, const float *weights, df_output output,
  const df_epilogue *epilogue);
/// The gradient of its weights.
void df_run_depthwise_weight_gradient(
  const df_conv2d *conv, const float *x, const float *gradient, float *weights);

#endif
