// Changes of RGB8 images that make training data more varied. Each runs on the calling thread, since many
// images are changed at once.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/CDFKernels.h"
#include "pixels.h"

void df_u8_look_up(size_t count, const uint8_t *x, const uint8_t table[256], uint8_t *y) {
  for (size_t i = 0; i < count; i++) y[i] = table[x[i]];
}

void df_u8_histograms(size_t pixels, const uint8_t *x, uint32_t *counts) {
  memset(counts, 0, 3 * 256 * sizeof(uint32_t));
  for (size_t i = 0; i < pixels; i++, x += 3) {
    counts[x[0]]++;
    counts[256 + x[1]]++;
    counts[512 + x[2]]++;
  }
}

void df_u8_grey(size_t pixels, const uint8_t *x, uint8_t *y) {
  for (size_t i = 0; i < pixels; i++, x += 3, y += 3) {
    // Weights in 1/65536; they add up to one.
    uint32_t sum = 19595u * x[0] + 38470u * x[1] + 7471u * x[2];
    y[0] = y[1] = y[2] = (uint8_t)((sum + 32768) >> 16);
  }
}

void df_u8_shift_hsv(
  size_t pixels, const uint8_t *x, float hue, float saturation, float value, uint8_t *y) {
  // Hue in sixths of a turn, within 0 to 6.
  float turn = 6 * (hue - floorf(hue));
  for (size_t i = 0; i < pixels; i++, x += 3, y += 3) {
    float r = x[0], g = x[1], b = x[2];
    float high = fmaxf(r, fmaxf(g, b)), low = fminf(r, fminf(g, b)), chroma = high - low;
    float h = 0, s = high > 0 ? chroma / high : 0, v = high * (1.0f / 255);
    if (chroma > 0) {
      float scale = 1 / chroma;
      float of_red = (g - b) * scale, of_green = (b - r) * scale + 2, of_blue = (r - g) * scale + 4;
      h = high == r ? of_red : high == g ? of_green : of_blue;
      h = h < 0 ? h + 6 : h;
    }
    h += turn;
    h = h >= 6 ? h - 6 : h;
    s = fminf(fmaxf(s + saturation, 0), 1);
    v = fminf(fmaxf(v + value, 0), 1) * 255;
    // Each channel is v less a trapezoid of the hue (Smith 1978, in closed form).
    for (int c = 0; c < 3; c++) {
      float k = h + (c == 0 ? 5 : c == 1 ? 3 : 1);
      k = k >= 6 ? k - 6 : k;
      float part = fminf(fmaxf(fminf(k, 4 - k), 0), 1);
      y[c] = df_to_byte(v - v * s * part);
    }
  }
}

bool df_u8_filter(
  size_t height, size_t width, const uint8_t *x, size_t taps, const df_tap *tap, uint8_t *y) {
  size_t across = 0, down = 0;
  for (size_t t = 0; t < taps; t++) {
    size_t right = (size_t)abs(tap[t].right), below = (size_t)abs(tap[t].down);
    if (right > across) across = right;
    if (below > down) down = below;
  }
  // The image as floats with as much of its mirror image around it as the taps reach.
  size_t row = (width + 2 * across) * 3, rows = height + 2 * down;
  float *wide = malloc((rows * row + width * 3) * sizeof(float));
  if (!wide) return false;
  float *sum = wide + rows * row;
  for (size_t j = 0; j < rows; j++) {
    const uint8_t *from = x + df_mirrored((ptrdiff_t)j - (ptrdiff_t)down, height) * width * 3;
    float *to = wide + j * row;
    for (size_t i = 0; i < width * 3; i++) to[across * 3 + i] = from[i];
    for (size_t i = 0; i < across; i++) {
      size_t left = df_mirrored((ptrdiff_t)i - (ptrdiff_t)across, width) * 3;
      size_t right = df_mirrored((ptrdiff_t)(width + i), width) * 3;
      for (size_t c = 0; c < 3; c++) {
        to[i * 3 + c] = from[left + c];
        to[(across + width + i) * 3 + c] = from[right + c];
      }
    }
  }
  for (size_t j = 0; j < height; j++) {
    for (size_t i = 0; i < width * 3; i++) sum[i] = 0;
    for (size_t t = 0; t < taps; t++) {
      const float *from = wide + (size_t)((ptrdiff_t)(j + down) + tap[t].down) * row
                          + (size_t)((ptrdiff_t)across + tap[t].right) * 3;
      float weight = tap[t].weight;
      for (size_t i = 0; i < width * 3; i++) sum[i] += weight * from[i];
    }
    for (size_t i = 0; i < width * 3; i++) y[j * width * 3 + i] = df_to_byte(sum[i]);
  }
  free(wide);
  return true;
}

/// SplitMix64 (Steele, Lea and Flood 2014).
static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void df_u8_add_noise(
  size_t pixels, const uint8_t *x, const float deviations[256], const float table[4096],
  uint64_t seed, bool is_grey, uint8_t *y) {
  for (size_t i = 0; i < pixels; i++, x += 3, y += 3) {
    uint64_t bits = next_random(&seed);
    for (int c = 0; c < 3; c++) {
      float normal = table[bits & 4095];
      if (!is_grey) bits >>= 12;
      y[c] = df_to_byte((float)x[c] + deviations[x[c]] * normal);
    }
  }
}

void df_u8_mix(size_t count, const uint8_t *x, const uint8_t *other, float share, uint8_t *y) {
  for (size_t i = 0; i < count; i++) {
    y[i] = df_to_byte((1 - share) * (float)x[i] + share * (float)other[i]);
  }
}
