// What blends one picture into another: masks from outlines, their blur, elastic warps, and the blend
// itself. Each runs on the calling thread, since many pictures are made at once.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/CDFKernels.h"
#include "pixels.h"

void df_u8_look_up_channels(
  size_t pixels, const uint8_t *x, const uint8_t table[3 * 256], uint8_t *y) {
  for (size_t i = 0; i < pixels; i++, x += 3, y += 3) {
    y[0] = table[x[0]];
    y[1] = table[256 + x[1]];
    y[2] = table[512 + x[2]];
  }
}

/// A byte sharpened, from three rows whose neighbours lie `left` and `right` of it.
static inline uint8_t sharpened(
  const uint8_t *up, const uint8_t *at, const uint8_t *down, ptrdiff_t left, ptrdiff_t right,
  float amount) {
  // A binomial blur over 3 x 3 pixels.
  int sum = up[left] + 2 * up[0] + up[right] + 2 * (at[left] + 2 * at[0] + at[right])
            + down[left] + 2 * down[0] + down[right];
  return df_to_byte((float)at[0] + amount * ((float)at[0] - (float)sum * (1.0f / 16)));
}

void df_u8_sharpen(
  size_t height, size_t width, const uint8_t *x, float amount, uint8_t *y) {
  size_t row = width * 3;
  for (size_t j = 0; j < height; j++) {
    // The rows above and below; at an edge, the one on the other side.
    const uint8_t *at = x + j * row;
    const uint8_t *up = j > 0 ? at - row : height > 1 ? at + row : at;
    const uint8_t *down = j + 1 < height ? at + row : j > 0 ? at - row : at;
    uint8_t *to = y + j * row;
    ptrdiff_t next = width > 1 ? 3 : 0;
    for (size_t i = 0; i < 3; i++) {
      to[i] = sharpened(up + i, at + i, down + i, next, next, amount);
      size_t last = row - 3 + i;
      to[last] = sharpened(up + last, at + last, down + last, -next, -next, amount);
    }
    for (size_t i = 3; i + 3 < row; i++) {
      to[i] = sharpened(up + i, at + i, down + i, -3, 3, amount);
    }
  }
}

/// Adds `weight` to each pixel of a row times the part of it that [from, to) covers.
static void cover(float *row, size_t width, float from, float to, float weight) {
  from = from > 0 ? from : 0;
  to = to < (float)width ? to : (float)width;
  if (!(from < to)) return;
  size_t first = (size_t)from, last = (size_t)to;
  if (first == last) {
    row[first] += weight * (to - from);
    return;
  }
  row[first] += weight * ((float)(first + 1) - from);
  for (size_t i = first + 1; i < last; i++) row[i] += weight;
  if (last < width) row[last] += weight * (to - (float)last);
}

enum { subrows = 4, most_crossings = 64 };

void df_f32_fill_polygon(
  size_t height, size_t width, size_t count, const float *points, float *y) {
  memset(y, 0, height * width * sizeof(float));
  if (count < 3) return;
  float crossings[most_crossings];
  for (size_t line = 0; line < height * subrows; line++) {
    // Pixels' centres are whole numbers; edges of the first are at -0.5.
    float level = ((float)line + 0.5f) / subrows - 0.5f;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
      const float *a = points + 2 * i, *b = points + 2 * (i + 1 < count ? i + 1 : 0);
      if ((a[1] <= level) == (b[1] <= level)) continue;
      float x = a[0] + (level - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) + 0.5f;
      if (found == most_crossings) break;
      size_t place = found++;
      for (; place > 0 && crossings[place - 1] > x; place--) {
        crossings[place] = crossings[place - 1];
      }
      crossings[place] = x;
    }
    float *row = y + line / subrows * width;
    for (size_t i = 0; i + 1 < found; i += 2) {
      cover(row, width, crossings[i], crossings[i + 1], 1.0f / subrows);
    }
  }
}

bool df_f32_blur(
  size_t height, size_t width, const float *x, size_t radius, const float *weights, float *y) {
  size_t wide = width + 2 * radius;
  float *room = malloc((height * width + wide) * sizeof(float));
  if (!room) return false;
  float *line = room + height * width;
  for (size_t j = 0; j < height; j++) {
    const float *from = x + j * width;
    for (size_t i = 0; i < radius; i++) {
      line[i] = from[df_mirrored((ptrdiff_t)i - (ptrdiff_t)radius, width)];
      line[radius + width + i] = from[df_mirrored((ptrdiff_t)(width + i), width)];
    }
    memcpy(line + radius, from, width * sizeof(float));
    float *to = room + j * width;
    const float *middle = line + radius;
    for (size_t i = 0; i < width; i++) to[i] = weights[0] * middle[i];
    for (size_t t = 1; t <= radius; t++) {
      const float *left = middle - t, *right = middle + t;
      float weight = weights[t];
      for (size_t i = 0; i < width; i++) to[i] += weight * (left[i] + right[i]);
    }
  }
  for (size_t j = 0; j < height; j++) {
    float *to = y + j * width;
    const float *from = room + j * width;
    for (size_t i = 0; i < width; i++) to[i] = weights[0] * from[i];
    for (size_t t = 1; t <= radius; t++) {
      const float *up = room + df_mirrored((ptrdiff_t)j - (ptrdiff_t)t, height) * width;
      const float *down = room + df_mirrored((ptrdiff_t)(j + t), height) * width;
      float weight = weights[t];
      for (size_t i = 0; i < width; i++) to[i] += weight * (up[i] + down[i]);
    }
  }
  free(room);
  return true;
}

void df_f32_ramp(size_t count, const float *x, float low, float high, float *y) {
  float scale = 1 / (high - low);
  for (size_t i = 0; i < count; i++) {
    float value = (x[i] - low) * scale;
    value = value > 0 ? value : 0;
    y[i] = value < 1 ? value : 1;
  }
}

/// The four weights of a uniform cubic B-spline, `t` into its interval.
static void spline(float t, float weights[4]) {
  float u = 1 - t;
  weights[0] = u * u * u * (1.0f / 6);
  weights[1] = (3 * t * t * t - 6 * t * t + 4) * (1.0f / 6);
  weights[2] = (3 * u * u * u - 6 * u * u + 4) * (1.0f / 6);
  weights[3] = t * t * t * (1.0f / 6);
}

/// A coordinate held inside a picture; NaN becomes 0.
static inline float hold(float value, float last) {
  if (!(value > 0)) return 0;
  return value < last ? value : last;
}

bool df_u8_warp_elastic(
  size_t in_height, size_t in_width, const uint8_t *x, const double map[6], size_t cells,
  const float *lattice, size_t height, size_t width, uint8_t *y) {
  if (in_height == 0 || in_width == 0 || cells == 0) return true;
  size_t knots = cells + 3;
  // Each column's weights and first knot, and a row's displacements at the knots.
  float *room = malloc((width * 4 + knots * 2) * sizeof(float));
  size_t *first = malloc(width * sizeof(size_t));
  if (!room || !first) {
    free(room);
    free(first);
    return false;
  }
  float *knot = room + width * 4;
  for (size_t i = 0; i < width; i++) {
    float place = ((float)i + 0.5f) / (float)width * (float)cells;
    size_t cell = (size_t)place < cells ? (size_t)place : cells - 1;
    first[i] = cell;
    spline(place - (float)cell, room + 4 * i);
  }
  float right = (float)(in_width - 1), bottom = (float)(in_height - 1);
  for (size_t j = 0; j < height; j++) {
    float place = ((float)j + 0.5f) / (float)height * (float)cells, down[4];
    size_t cell = (size_t)place < cells ? (size_t)place : cells - 1;
    spline(place - (float)cell, down);
    for (size_t k = 0; k < knots * 2; k++) {
      const float *at = lattice + cell * knots * 2 + k;
      knot[k] = down[0] * at[0] + down[1] * at[knots * 2] + down[2] * at[knots * 4]
                + down[3] * at[knots * 6];
    }
    uint8_t *to = y + j * width * 3;
    for (size_t i = 0; i < width; i++, to += 3) {
      const float *weights = room + 4 * i, *at = knot + 2 * first[i];
      float u = (float)i + weights[0] * at[0] + weights[1] * at[2] + weights[2] * at[4]
                + weights[3] * at[6];
      float v = (float)j + weights[0] * at[1] + weights[1] * at[3] + weights[2] * at[5]
                + weights[3] * at[7];
      float px = hold((float)(map[0] * u + map[1] * v + map[2]), right);
      float py = hold((float)(map[3] * u + map[4] * v + map[5]), bottom);
      size_t column = (size_t)px, row = (size_t)py;
      float across = px - (float)column, below = py - (float)row;
      const uint8_t *upper = x + (row * in_width + column) * 3;
      size_t next = column + 1 < in_width ? 3 : 0;
      const uint8_t *lower = row + 1 < in_height ? upper + in_width * 3 : upper;
      for (size_t c = 0; c < 3; c++) {
        float top = upper[c] + across * ((float)upper[next + c] - upper[c]);
        float low = lower[c] + across * ((float)lower[next + c] - lower[c]);
        to[c] = (uint8_t)(int)(top + below * (low - top) + 0.5f);
      }
    }
  }
  free(room);
  free(first);
  return true;
}

void df_u8_weighted_sums(
  size_t pixels, const uint8_t *x, const float *weights, double sums[7]) {
  memset(sums, 0, 7 * sizeof(double));
  // Blocks keep single precision exact enough.
  for (size_t start = 0; start < pixels; start += 256) {
    size_t end = start + 256 < pixels ? start + 256 : pixels;
    float sum[7] = {0};
    for (size_t i = start; i < end; i++) {
      float weight = weights[i];
      // Most of a mask is nothing.
      if (weight == 0) continue;
      sum[6] += weight;
      for (size_t c = 0; c < 3; c++) {
        float value = x[i * 3 + c], part = weight * value;
        sum[c] += part;
        sum[3 + c] += part * value;
      }
    }
    for (size_t k = 0; k < 7; k++) sums[k] += (double)sum[k];
  }
}

void df_u8_blend(
  size_t pixels, const uint8_t *x, const uint8_t *other, const float *mask, float share,
  uint8_t *y) {
  for (size_t i = 0; i < pixels; i++, x += 3, other += 3, y += 3) {
    float part = share * mask[i];
    for (size_t c = 0; c < 3; c++) {
      y[c] = df_to_byte((float)x[c] + part * ((float)other[c] - (float)x[c]));
    }
  }
}
