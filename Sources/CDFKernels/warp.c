// Affine warps of RGB8 images: every output pixel is the mean of a small grid of bilinear samples of
// the input, so that shrinking does not alias.
#include <string.h>

#include "include/CDFKernels.h"

typedef float vec4 __attribute__((vector_size(16)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));

enum { rows_per_task = 8 };

typedef struct warp {
  size_t in_height, in_width, x_stride, out_height, out_width;
  const uint8_t *x;
  uint8_t *y;
  const double *map;
  size_t grid;
  bool replicate;
  bool inside;  // no sample reads beyond the image
} warp;

/// A coordinate held where all further ones look the same; NaN becomes the lower end. Beyond the
/// image, black is one pixel away and the nearest pixel none.
static double hold(double value, size_t extent, bool replicate) {
  double low = replicate ? 0 : -1, high = (double)extent - (replicate ? 1 : 0);
  if (!(value > low)) return low;
  return value < high ? value : high;
}

/// A pixel and the byte after it as numbers.
static vec4 pixel(const uint8_t *x) {
  bytes4 bytes;
  memcpy(&bytes, x, sizeof bytes);
  return __builtin_convertvector(bytes, vec4);
}

/// The bilinear sample in the first three lanes, `across` and `down` from the pixel at (column, row),
/// which has two more in its row and a row below it.
static vec4 blend(const warp *w, size_t column, size_t row, float across, float down) {
  const uint8_t *upper = w->x + row * w->x_stride + column * 3;
  const uint8_t *lower = upper + w->x_stride;
  vec4 left = pixel(upper), right = pixel(upper + 3);
  vec4 top = left + across * (right - left);
  left = pixel(lower);
  right = pixel(lower + 3);
  vec4 bottom = left + across * (right - left);
  return top + down * (bottom - top);
}

/// The sample at (px, py), wherever that is.
static vec4 sample(const warp *w, double px, double py) {
  px = hold(px, w->in_width, w->replicate);
  py = hold(py, w->in_height, w->replicate);
  // Neither is below -1: rounding towards 0 is rounding down, one further up.
  ptrdiff_t column = (ptrdiff_t)(px + 1) - 1, row = (ptrdiff_t)(py + 1) - 1;
  float across = (float)(px - (double)column), down = (float)(py - (double)row);
  ptrdiff_t width = (ptrdiff_t)w->in_width, height = (ptrdiff_t)w->in_height;
  if (column >= 0 && row >= 0 && column + 2 < width && row + 1 < height) {
    return blend(w, (size_t)column, (size_t)row, across, down);
  }
  // At the edge, what lies outside has weight 0 or is black: either way it adds nothing.
  vec4 sum = {0, 0, 0, 0};
  for (int t = 0; t < 4; t++) {
    ptrdiff_t i = column + (t & 1), j = row + (t >> 1);
    if (i < 0 || j < 0 || i >= width || j >= height) continue;
    const uint8_t *at = w->x + (size_t)j * w->x_stride + (size_t)i * 3;
    float weight = (t & 1 ? across : 1 - across) * (t >> 1 ? down : 1 - down);
    for (int c = 0; c < 3; c++) sum[c] += weight * (float)at[c];
  }
  return sum;
}

/// The same where the sample is inside, which most are.
static inline vec4 sample_inside(const warp *w, double px, double py) {
  int column = (int)px, row = (int)py;
  return blend(
    w, (size_t)column, (size_t)row, (float)(px - (double)column), (float)(py - (double)row));
}

/// Whether the output's corners, and with them all of it, are read from well inside the input.
static bool is_inside(const warp *w) {
  const double *m = w->map;
  for (int corner = 0; corner < 4; corner++) {
    double u = corner & 1 ? (double)w->out_width : -1, v = corner >> 1 ? (double)w->out_height : -1;
    double px = m[0] * u + m[1] * v + m[2], py = m[3] * u + m[4] * v + m[5];
    if (!(px >= 0 && py >= 0)) return false;
    if (!(px < (double)w->in_width - 3 && py < (double)w->in_height - 2)) return false;
  }
  return w->in_width < INT32_MAX && w->in_height < INT32_MAX;
}

static void warp_rows(void *context, size_t task) {
  const warp *w = context;
  const double *m = w->map;
  double step = 1 / (double)w->grid, first = step / 2 - 0.5;
  float share = 1 / (float)(w->grid * w->grid);
  // A sample that begins before these reads nothing beyond the image, whose extents fit an int.
  double right = w->in_width < INT32_MAX ? (double)w->in_width - 2 : 0;
  double bottom = w->in_height < INT32_MAX ? (double)w->in_height - 1 : 0;
  size_t end = (task + 1) * rows_per_task;
  if (end > w->out_height) end = w->out_height;
  for (size_t row = task * rows_per_task; row < end; row++) {
    uint8_t *to = w->y + row * w->out_width * 3;
    for (size_t column = 0; column < w->out_width; column++, to += 3) {
      vec4 sum = {0, 0, 0, 0};
      for (size_t j = 0; j < w->grid; j++) {
        double v = (double)row + first + (double)j * step;
        for (size_t i = 0; i < w->grid; i++) {
          double u = (double)column + first + (double)i * step;
          double px = m[0] * u + m[1] * v + m[2], py = m[3] * u + m[4] * v + m[5];
          bool inside = w->inside || (px >= 0 && py >= 0 && px < right && py < bottom);
          sum += inside ? sample_inside(w, px, py) : sample(w, px, py);
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
  w.inside = is_inside(&w);
  df_parallel_for((out_height + rows_per_task - 1) / rows_per_task, warp_rows, &w);
}
