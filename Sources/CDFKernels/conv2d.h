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

/// The depthwise convolution.
void df_run_depthwise(
  const df_conv2d *conv, const float *x, const float *weights, df_output output,
  const df_epilogue *epilogue);
/// The gradient of its weights.
void df_run_depthwise_weight_gradient(
  const df_conv2d *conv, const float *x, const float *gradient, float *weights);

#endif
