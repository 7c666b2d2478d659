// Points that are found again in a copy of a picture, however it was cut, scaled or shifted: extremes of
// differences of Gaussians in place and scale (Lowe 2004), each with a code of the signs of its
// surroundings' lowest frequencies, as a perceptual hash of them. On the calling thread.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/CDFKernels.h"

enum {
  SIDE = DF_KEYPOINT_SIDE,
  PIXELS = SIDE * SIDE,
  LEVELS = 9,      // blurred pictures
  PER_OCTAVE = 3,  // of them while the blur doubles
  BORDER = 4,      // pixels at the edges that have no points
  PATCH = 16,      // samples across a point's surroundings
  MOST_RADIUS = 24,
};
static const float FIRST_BLUR = 1.4f;
/// How far a point's surroundings reach, in its scales.
static const float REACH = 4.5f;
/// The least contrast of a point, in grey levels.
static const float LEAST = 0.8f;

typedef struct pyramid {
  float levels[LEVELS][PIXELS];
  float padded[SIDE + 2 * MOST_RADIUS];
  float line[PIXELS];
} pyramid;

static float blur_of(float level) { return FIRST_BLUR * exp2f(level / PER_OCTAVE); }

/// y = x blurred, the outermost pixels repeated beyond the edges.
static void blur(pyramid *p, const float *x, float deviation, float *y) {
  int radius = (int)ceilf(3 * deviation);
  if (radius > MOST_RADIUS) radius = MOST_RADIUS;
  float weights[MOST_RADIUS + 1], total = 0;
  for (int i = 0; i <= radius; i++) {
    weights[i] = expf(-0.5f * (float)(i * i) / (deviation * deviation));
    total += i == 0 ? weights[i] : 2 * weights[i];
  }
  for (int i = 0; i <= radius; i++) weights[i] /= total;
  for (int row = 0; row < SIDE; row++) {
    const float *from = x + row * SIDE;
    for (int i = 0; i < radius; i++) {
      p->padded[i] = from[0];
      p->padded[radius + SIDE + i] = from[SIDE - 1];
    }
    memcpy(p->padded + radius, from, SIDE * sizeof(float));
    float *to = p->line + row * SIDE;
    for (int i = 0; i < SIDE; i++) to[i] = weights[0] * p->padded[radius + i];
    for (int t = 1; t <= radius; t++) {
      const float *left = p->padded + radius - t, *right = p->padded + radius + t;
      for (int i = 0; i < SIDE; i++) to[i] += weights[t] * (left[i] + right[i]);
    }
  }
  for (int row = 0; row < SIDE; row++) {
    float *to = y + row * SIDE;
    for (int i = 0; i < SIDE; i++) to[i] = weights[0] * p->line[row * SIDE + i];
    for (int t = 1; t <= radius; t++) {
      const float *up = p->line + (row < t ? 0 : row - t) * SIDE;
      const float *down = p->line + (row + t >= SIDE ? SIDE - 1 : row + t) * SIDE;
      for (int i = 0; i < SIDE; i++) to[i] += weights[t] * (up[i] + down[i]);
    }
  }
}

/// Where a parabola through three values has its extreme, from the middle one.
static float extreme(float low, float middle, float high) {
  float bend = low - 2 * middle + high;
  if (bend == 0) return 0;
  float place = 0.5f * (low - high) / bend;
  return place < -0.5f ? -0.5f : place > 0.5f ? 0.5f : place;
}

/// The difference of two levels.
static inline float difference(const pyramid *p, int level, int place) {
  return p->levels[level + 1][place] - p->levels[level][place];
}

static bool is_extreme(const pyramid *p, int level, int place, float value) {
  const float sign = value > 0 ? 1 : -1;
  for (int l = level - 1; l <= level + 1; l++) {
    for (int row = -SIDE; row <= SIDE; row += SIDE) {
      for (int i = -1; i <= 1; i++) {
        if (l == level && row == 0 && i == 0) continue;
        if (sign * difference(p, l, place + row + i) >= sign * value) return false;
      }
    }
  }
  return true;
}

/// cos(pi * k * (2 i + 1) / (2 PATCH)).
static void cosines(float table[8][PATCH]) {
  for (int k = 0; k < 8; k++) {
    for (int i = 0; i < PATCH; i++) {
      table[k][i] = cosf(3.14159265f * (float)(k * (2 * i + 1)) / (2 * PATCH));
    }
  }
}

static uint64_t code_of(
  const float *grey, const pyramid *p, const df_keypoint *point, float table[8][PATCH]) {
  // Coarse surroundings are sampled from a blurred picture.
  const float *from = grey;
  for (int l = 0; l < LEVELS; l++) {
    if (blur_of((float)l) <= 0.45f * point->scale) from = p->levels[l];
  }
  const float radius = REACH * point->scale;
  float columns[8][PATCH] = {{0}};  // [frequency down][sample across]
  int at[PATCH];
  float part[PATCH];
  for (int i = 0; i < PATCH; i++) {
    float x = point->x + ((float)(2 * i + 1) / PATCH - 1) * radius;
    x = x < 0 ? 0 : x > SIDE - 1 ? SIDE - 1 : x;
    at[i] = x >= SIDE - 1 ? SIDE - 2 : (int)x;
    part[i] = x - (float)at[i];
  }
  for (int j = 0; j < PATCH; j++) {
    float y = point->y + ((float)(2 * j + 1) / PATCH - 1) * radius;
    y = y < 0 ? 0 : y > SIDE - 1 ? SIDE - 1 : y;
    int row = y >= SIDE - 1 ? SIDE - 2 : (int)y;
    float down = y - (float)row;
    const float *upper = from + row * SIDE, *lower = upper + SIDE;
    float values[PATCH];
    for (int i = 0; i < PATCH; i++) {
      float high = upper[at[i]] + part[i] * (upper[at[i] + 1] - upper[at[i]]);
      float low = lower[at[i]] + part[i] * (lower[at[i] + 1] - lower[at[i]]);
      values[i] = high + down * (low - high);
    }
    for (int k = 0; k < 8; k++) {
      for (int i = 0; i < PATCH; i++) columns[k][i] += table[k][j] * values[i];
    }
  }
  uint64_t code = 0;
  for (int k = 0; k < 8; k++) {
    for (int l = 0; l < 8; l++) {
      float sum = 0;
      for (int i = 0; i < PATCH; i++) sum += table[l][i] * columns[k][i];
      code = code << 1 | (sum > 0 ? 1 : 0);
    }
  }
  return code;
}

size_t df_f32_keypoints(const float *grey, size_t most, df_keypoint *points) {
  pyramid *p = malloc(sizeof *p);
  if (!p || most == 0) {
    free(p);
    return 0;
  }
  blur(p, grey, FIRST_BLUR, p->levels[0]);
  for (int l = 1; l < LEVELS; l++) {
    float low = blur_of((float)(l - 1)), high = blur_of((float)l);
    blur(p, p->levels[l - 1], sqrtf(high * high - low * low), p->levels[l]);
  }
  size_t count = 0;
  for (int l = 1; l < LEVELS - 2; l++) {
    for (int row = BORDER; row < SIDE - BORDER; row++) {
      for (int column = BORDER; column < SIDE - BORDER; column++) {
        int place = row * SIDE + column;
        float value = difference(p, l, place), strength = fabsf(value);
        if (strength < LEAST || (count == most && strength <= points[count - 1].strength)) continue;
        if (!is_extreme(p, l, place, value)) continue;
        df_keypoint point = {
          .x = (float)column
               + extreme(difference(p, l, place - 1), value, difference(p, l, place + 1)),
          .y = (float)row
               + extreme(difference(p, l, place - SIDE), value, difference(p, l, place + SIDE)),
          .scale = blur_of(
            (float)l + extreme(difference(p, l - 1, place), value, difference(p, l + 1, place))),
          .strength = strength};
        // The strongest first.
        size_t i = count < most ? count++ : count - 1;
        for (; i > 0 && points[i - 1].strength < strength; i--) points[i] = points[i - 1];
        points[i] = point;
      }
    }
  }
  float table[8][PATCH];
  cosines(table);
  for (size_t i = 0; i < count; i++) points[i].code = code_of(grey, p, &points[i], table);
  free(p);
  return count;
}
