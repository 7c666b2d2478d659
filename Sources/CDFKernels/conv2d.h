// What conv2d.c and depthwise.c share.
#ifndef DF_CONV2D_H
#define DF_CONV2D_H

#include "kernels.h"

bool df_is_depthwise(const df_conv2d *conv);

/// The depthwise convolution; sums may be null.
void df_run_depthwise(
  const df_conv2d *conv, const float *x, const float *weights, float *y,
  const df_epilogue *epilogue, float *sums);

#endif
