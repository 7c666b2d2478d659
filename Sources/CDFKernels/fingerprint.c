// What pictures are compared by: small grey versions, sums of colours and detail, hashes. Each runs on the
// calling thread, since many pictures are measured at once.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/CDFKernels.h"

void df_u8_luma(size_t pixels, const uint8_t *x, uint8_t *y) {
  for (size_t i = 0; i < pixels; i++, x += 3) {
    // Weights in 1/65536; they add up to one.
    y[i] = (uint8_t)((19595u * x[0] + 38470u * x[1] + 7471u * x[2] + 32768u) >> 16);
  }
}

void df_u8_color_sums(size_t pixels, const uint8_t *x, df_color_sums *sums) {
  // Whole numbers of a few thousand pixels fit 32 bits, which is what makes the loop fast.
  enum { BLOCK = 4096 };
  *sums = (df_color_sums){{0}, {0}, 0};
  while (pixels > 0) {
    size_t count = pixels < BLOCK ? pixels : BLOCK;
    uint32_t sum[3] = {0}, squares[3] = {0};
    float saturation = 0;
    for (size_t i = 0; i < count; i++, x += 3) {
      uint32_t r = x[0], g = x[1], b = x[2];
      sum[0] += r, sum[1] += g, sum[2] += b;
      squares[0] += r * r, squares[1] += g * g, squares[2] += b * b;
      uint32_t high = r > g ? r : g, low = r < g ? r : g;
      high = high > b ? high : b, low = low < b ? low : b;
      saturation += high > 0 ? (float)(high - low) / (float)high : 0;
    }
    for (int c = 0; c < 3; c++) sums->sum[c] += sum[c], sums->squares[c] += squares[c];
    sums->saturation += (double)saturation;
    pixels -= count;
  }
}

void df_u8_detail(size_t height, size_t width, const uint8_t *x, df_detail *detail) {
  *detail = (df_detail){0};
  for (size_t j = 1; j + 1 < height; j++) {
    const uint8_t *up = x + (j - 1) * width, *row = up + width, *down = row + width;
    int64_t sum = 0, squares = 0, noise = 0;
    for (size_t i = 1; i + 1 < width; i++) {
      int sides = row[i - 1] + row[i + 1], ends = up[i] + down[i];
      int laplacian = sides + ends - 4 * row[i];
      sum += laplacian;
      squares += laplacian * laplacian;
      int corners = up[i - 1] + up[i + 1] + down[i - 1] + down[i + 1];
      noise += abs(corners - 2 * (sides + ends) + 4 * row[i]);
    }
    detail->laplacian += (double)sum;
    detail->laplacian_squares += (double)squares;
    detail->noise += (double)noise;
  }
  // Steps between neighbours, those across the borders of JPEG's blocks apart.
  for (size_t j = 0; j < height; j++) {
    const uint8_t *row = x + j * width;
    int64_t steps = 0, borders = 0;
    for (size_t i = 1; i < width; i++) steps += abs(row[i] - row[i - 1]);
    for (size_t i = 8; i < width; i += 8) borders += abs(row[i] - row[i - 1]);
    if (j > 0) {
      int64_t down = 0;
      for (size_t i = 0; i < width; i++) down += abs(row[i] - row[(ptrdiff_t)i - (ptrdiff_t)width]);
      steps += down;
      if (j % 8 == 0) borders += down;
    }
    detail->inner_steps += (double)(steps - borders);
    detail->border_steps += (double)borders;
  }
}

uint64_t df_u8_hash(size_t count, const uint8_t *x, uint64_t seed) {
  // Four lanes of multiply and rotate, then SplitMix64's finish.
  const uint64_t a = 0x9E3779B97F4A7C15u, b = 0xC2B2AE3D27D4EB4Fu;
  uint64_t lanes[4] = {seed ^ a, seed + b, seed ^ (a * b), seed - a};
  size_t left = count;
  for (; left >= 32; left -= 32, x += 32) {
    for (int l = 0; l < 4; l++) {
      uint64_t word;
      memcpy(&word, x + 8 * l, 8);
      uint64_t mixed = (lanes[l] ^ word) * a;
      lanes[l] = ((mixed << 31) | (mixed >> 33)) * b;
    }
  }
  uint64_t z = (uint64_t)count;
  for (int l = 0; l < 4; l++) z = (z ^ lanes[l]) * a, z ^= z >> 29;
  for (; left > 0; left--, x++) z = (z ^ *x) * b, z ^= z >> 32;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// ---- Lanczos as Pillow computes it -------------------------------------------------------------

enum { LANCZOS_BITS = 32 - 8 - 2 };

static double lanczos(double x) {
  if (x == 0) return 1;
  if (x <= -3 || x >= 3) return 0;
  const double t = 3.14159265358979323846 * x;
  return sin(t) / t * sin(t / 3) / (t / 3);
}

typedef struct taps {
  size_t most;
  size_t *start, *count;
  int32_t *weights;
} taps;

static void taps_free(taps *taps) {
  free(taps->start);
  free(taps->weights);
}

static bool taps_make(taps *taps, size_t in, size_t out) {
  const double scale = (double)in / (double)out, widening = scale > 1 ? scale : 1;
  const double support = 3 * widening;
  taps->most = (size_t)ceil(support) * 2 + 1;
  taps->start = malloc(2 * out * sizeof(size_t));
  taps->weights = calloc(out * taps->most, sizeof(int32_t));
  double *weights = malloc(taps->most * sizeof(double));
  if (!taps->start || !taps->weights || !weights) {
    taps_free(taps);
    free(weights);
    return false;
  }
  taps->count = taps->start + out;
  for (size_t i = 0; i < out; i++) {
    double centre = ((double)i + 0.5) * scale;
    double low = centre - support + 0.5, high = centre + support + 0.5;
    size_t first = low > 0 ? (size_t)low : 0, last = (size_t)high < in ? (size_t)high : in;
    double total = 0;
    for (size_t s = first; s < last; s++) {
      weights[s - first] = lanczos(((double)s - centre + 0.5) / widening);
      total += weights[s - first];
    }
    taps->start[i] = first;
    taps->count[i] = last - first;
    for (size_t s = 0; s < last - first; s++) {
      double weight = (total != 0 ? weights[s] / total : weights[s]) * (1 << LANCZOS_BITS);
      taps->weights[i * taps->most + s] = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }
  free(weights);
  return true;
}

static uint8_t lanczos_byte(int32_t sum) {
  sum >>= LANCZOS_BITS;
  return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

bool df_u8_lanczos(
  size_t in_height, size_t in_width, const uint8_t *x, size_t out_height, size_t out_width,
  uint8_t *y) {
  taps across, down;
  if (!taps_make(&across, in_width, out_width)) return false;
  if (!taps_make(&down, in_height, out_height)) {
    taps_free(&across);
    return false;
  }
  uint8_t *narrow = malloc(in_height * out_width);
  int32_t *sums = malloc(out_width * sizeof(int32_t));
  bool done = narrow && sums;
  for (size_t j = 0; done && j < in_height; j++) {
    for (size_t i = 0; i < out_width; i++) {
      const uint8_t *from = x + j * in_width + across.start[i];
      const int32_t *weights = across.weights + i * across.most;
      int32_t sum = 1 << (LANCZOS_BITS - 1);
      for (size_t t = 0; t < across.count[i]; t++) sum += from[t] * weights[t];
      narrow[j * out_width + i] = lanczos_byte(sum);
    }
  }
  for (size_t j = 0; done && j < out_height; j++) {
    for (size_t i = 0; i < out_width; i++) sums[i] = 1 << (LANCZOS_BITS - 1);
    for (size_t t = 0; t < down.count[j]; t++) {
      const uint8_t *from = narrow + (down.start[j] + t) * out_width;
      const int32_t weight = down.weights[j * down.most + t];
      for (size_t i = 0; i < out_width; i++) sums[i] += from[i] * weight;
    }
    for (size_t i = 0; i < out_width; i++) y[j * out_width + i] = lanczos_byte(sums[i]);
  }
  free(narrow);
  free(sums);
  taps_free(&across);
  taps_free(&down);
  return done;
}

// ---- Comparison --------------------------------------------------------------------------------

enum { MOST_SIDE = 64, DETAIL_REACH = 4 };

/// Takes away what a Gaussian of 1.5 pixels leaves of values, which only sees those that are there.
static void keep_detail(size_t rows, size_t columns, float *values) {
  // exp(-i^2 / (2 * 1.5^2))
  static const float weights[DETAIL_REACH + 1] = {1, 0.8007374f, 0.4111123f, 0.1353353f, 0.0285655f};
  float across[MOST_SIDE * MOST_SIDE];
  for (size_t j = 0; j < rows; j++) {
    for (size_t i = 0; i < columns; i++) {
      size_t first = i > DETAIL_REACH ? i - DETAIL_REACH : 0;
      size_t last = i + DETAIL_REACH < columns ? i + DETAIL_REACH : columns - 1;
      float sum = 0, total = 0;
      for (size_t k = first; k <= last; k++) {
        float weight = weights[k > i ? k - i : i - k];
        sum += weight * values[j * columns + k];
        total += weight;
      }
      across[j * columns + i] = sum / total;
    }
  }
  for (size_t j = 0; j < rows; j++) {
    size_t first = j > DETAIL_REACH ? j - DETAIL_REACH : 0;
    size_t last = j + DETAIL_REACH < rows ? j + DETAIL_REACH : rows - 1;
    float total = 0, sums[MOST_SIDE] = {0};
    for (size_t k = first; k <= last; k++) {
      float weight = weights[k > j ? k - j : j - k];
      for (size_t i = 0; i < columns; i++) sums[i] += weight * across[k * columns + i];
      total += weight;
    }
    for (size_t i = 0; i < columns; i++) values[j * columns + i] -= sums[i] / total;
  }
}

/// The correlation of values; -1 where either have less contrast than `least`.
static float correlation(size_t count, const float *a, const float *b, float least) {
  float sum_a = 0, sum_b = 0, squares_a = 0, squares_b = 0, products = 0;
  for (size_t i = 0; i < count; i++) {
    sum_a += a[i], sum_b += b[i];
    squares_a += a[i] * a[i], squares_b += b[i] * b[i], products += a[i] * b[i];
  }
  const float n = (float)count;
  const float variance_a = squares_a - sum_a * sum_a / n, variance_b = squares_b - sum_b * sum_b / n;
  if (!(variance_a > least * least * n && variance_b > least * least * n)) return -1;
  return (products - sum_a * sum_b / n) / sqrtf(variance_a * variance_b);
}

float df_u8_placed_correlation(
  size_t side, const uint8_t *a, const uint8_t *b, df_placement placement, float least,
  bool only_detail) {
  // Where each of b's rows and columns lies in a, and which of them do.
  size_t at[2][MOST_SIDE], first[2] = {0, 0}, count[2] = {0, 0};
  float part[2][MOST_SIDE];
  if (side > MOST_SIDE || side < 2) return -1;
  const float half = 0.5f * (float)side;
  for (int axis = 0; axis < 2; axis++) {
    const float shift = axis == 0 ? placement.down : placement.right;
    for (size_t i = 0; i < side; i++) {
      float place = ((float)i + 0.5f - half) * placement.scale + half + shift - 0.5f;
      // Half a pixel beyond the centres of the outermost is still in the picture.
      if (!(place > -0.5f && place < (float)side - 0.5f)) continue;
      place = place < 0 ? 0 : place > (float)(side - 1) ? (float)(side - 1) : place;
      size_t low = (size_t)place;
      if (low > side - 2) low = side - 2;
      if (count[axis] == 0) first[axis] = i;
      at[axis][count[axis]] = low;
      part[axis][count[axis]++] = place - (float)low;
    }
  }
  const size_t rows = count[0], columns = count[1];
  if ((float)(rows * columns) < least * (float)(side * side) || rows * columns == 0) return -1;
  float one[MOST_SIDE * MOST_SIDE], other[MOST_SIDE * MOST_SIDE];
  for (size_t j = 0; j < rows; j++) {
    const uint8_t *upper = a + at[0][j] * side, *lower = upper + side;
    const uint8_t *seen = b + (first[0] + j) * side;
    const float down = part[0][j];
    float line[MOST_SIDE];
    for (size_t i = 0; i < side; i++) {
      // About the middle grey: smaller sums lose less.
      line[i] = (float)upper[i] - 128 + down * ((float)lower[i] - (float)upper[i]);
    }
    for (size_t i = 0; i < columns; i++) {
      const float *pair = line + at[1][i];
      one[j * columns + i] = pair[0] + part[1][i] * (pair[1] - pair[0]);
      const size_t column = first[1] + i;
      other[j * columns + i] = (float)seen[placement.mirrored ? side - 1 - column : column] - 128;
    }
  }
  if (!only_detail) return correlation(rows * columns, one, other, 2);
  keep_detail(rows, columns, one);
  keep_detail(rows, columns, other);
  return correlation(rows * columns, one, other, 0.5f);
}

void df_f32_thumbnail(size_t in_side, const float *x, size_t out_side, uint8_t *y) {
  // A Gaussian as wide as a pixel of the result and half of its neighbours: finer detail would look
  // different wherever it came to lie.
  float weights[MOST_SIDE][MOST_SIDE], rows[MOST_SIDE][MOST_SIDE];
  if (in_side > MOST_SIDE || out_side > MOST_SIDE) return;
  const float step = (float)in_side / (float)out_side;
  const float deviation = step * sqrtf(1.0f / 12 + 0.25f);
  for (size_t i = 0; i < out_side; i++) {
    float total = 0;
    for (size_t k = 0; k < in_side; k++) {
      float distance = ((float)k - ((float)i + 0.5f) * step + 0.5f) / deviation;
      weights[i][k] = distance * distance < 12 ? expf(-0.5f * distance * distance) : 0;
      total += weights[i][k];
    }
    for (size_t k = 0; k < in_side; k++) weights[i][k] /= total;
  }
  for (size_t j = 0; j < out_side; j++) {
    float sums[MOST_SIDE] = {0};
    for (size_t k = 0; k < in_side; k++) {
      if (weights[j][k] == 0) continue;
      for (size_t i = 0; i < in_side; i++) sums[i] += weights[j][k] * x[k * in_side + i];
    }
    memcpy(rows[j], sums, sizeof sums);
  }
  for (size_t j = 0; j < out_side; j++) {
    for (size_t i = 0; i < out_side; i++) {
      float sum = 0.5f;
      for (size_t k = 0; k < in_side; k++) sum += weights[i][k] * rows[j][k];
      y[j * out_side + i] = sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
    }
  }
}
