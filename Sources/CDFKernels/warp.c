// Affine warps of RGB8 images: every output pixel is the mean of a small grid of bilinear samples of
// the input, so that shrinking does not alias.
#include <math.h>

#include "include/CDFKernels.h"

enum { rows_per_task = 8 };

typedef struct warp {
  size_t in_height, in_width, x_stride, out_height, out_width;
  const uint8_t *x;
  uint8_t *y;
  const double *map;
  size_t grid;
  bool replicate;
} warp;

/// A coordinate held where all further ones look the same; NaN becomes the lower end. Beyond the
/// image, black is one pixel away and the nearest pixel none.
static double hold(double value, size_t extent, bool replicate) {
  double low = replicate ? 0 : -1, high = (double)extent - (replicate ? 1 : 0);
  if (!(value > low)) return low;
  return value < high ? value : high;
}

/// Adds the bilinear sample at (px, py) to sum.
static void sample(const warp *w, double px, double py, float sum[3]) {
  px = hold(px, w->in_width, w->replicate);
  py = hold(py, w->in_height, w->replicate);
  double left = floor(px), top = floor(py);
  float across = (float)(px - left), down = (float)(py - top);
  ptrdiff_t column = (ptrdiff_t)left, row = (ptrdiff_t)top;
  ptrdiff_t width = (ptrdiff_t)w->in_width, height = (ptrdiff_t)w->in_height;
  float weights[4] = {
    (1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down};
  if (column >= 0 && row >= 0 && column + 1 < width && row + 1 < height) {
    const uint8_t *upper = w->x + (size_t)row * w->x_stride + (size_t)column * 3;
    const uint8_t *lower = upper + w->x_stride;
    for (int c = 0; c < 3; c++) {
      sum[c] += weights[0] * (float)upper[c] + weights[1] * (float)upper[c + 3]
        + weights[2] * (float)lower[c] + weights[3] * (float)lower[c + 3];
    }
    return;
  }
  // At the edge, what lies outside has weight 0 or is black: either way it adds nothing.
  for (int t = 0; t < 4; t++) {
    ptrdiff_t i = column + (t & 1), j = row + (t >> 1);
    if (i < 0 || j < 0 || i >= width || j >= height) continue;
    const uint8_t *pixel = w->x + (size_t)j * w->x_stride + (size_t)i * 3;
    for (int c = 0; c < 3; c++) sum[c] += weights[t] * (float)pixel[c];
  }
}

static void warp_rows(void *context, size_t task) {
  const warp *w = context;
  const double *m = w->map;
  double step = 1 / (double)w->grid, first = step / 2 - 0.5;
  float share = 1 / (float)(w->grid * w->grid);
  size_t end = (task + 1) * rows_per_task;
  if (end > w->out_height) end = w->out_height;
  for (size_t row = task * rows_per_task; row < end; row++) {
    uint8_t *to = w->y + row * w->out_width * 3;
    for (size_t column = 0; column < w->out_width; column++, to += 3) {
      float sum[3] = {0, 0, 0};
      for (size_t j = 0; j < w->grid; j++) {
        double v = (double)row + first + (double)j * step;
        for (size_t i = 0; i < w->grid; i++) {
          double u = (double)column + first + (double)i * step;
          sample(w, m[0] * u + m[1] * v + m[2], m[3] * u + m[4] * v + m[5], sum);
        }
      }
      for (int c = 0; c < 3; c++) {
        float value = sum[c] * share + 0.5f;
        to[c] = value < 255 ? (uint8_t)value : 255;
      }
    }
  }
}

void df_u8_warp(
  size_t in_height, size_t in_width, const uint8_t *x, size_t x_stride, const double map[6],
  size_t grid, bool replicate, size_t out_height, size_t out_width, uint8_t *y) {
  if (in_height == 0 || in_width == 0) return;
  warp w = {
    .in_height = in_height, .in_width = in_width, .x_stride = x_stride,
    .out_height = out_height, .out_width = out_width, .x = x, .y = y, .map = map,
    .grid = grid ? grid : 1, .replicate = replicate};
  df_parallel_for((out_height + rows_per_task - 1) / rows_per_task, warp_rows, &w);
}
