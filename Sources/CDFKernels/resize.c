// Resizing of 8-bit and Float32 images: two separable passes over a table of taps an axis. Each
// output row first blends its source rows (contiguous, so the compiler vectorises it), then each
// output pixel blends columns of that row.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/CDFKernels.h"

/// What one axis reads: output i blends source start[i] ... start[i] + taps[i] - 1.
typedef struct axis {
  size_t *start, *taps, most;
  float *weights;  // most for each output
} axis;

static void axis_free(axis *axis) {
  free(axis->start);
  free(axis->weights);
}

/// The taps of output `i`: writes weights, sets *start, returns the number of taps. Areas' weights are
/// the share of each source in the output, or 1 where `out` divides `in`.
static size_t fill(
  size_t in, size_t out, size_t i, df_resample method, size_t *start, float *weights) {
  double step = (double)in / (double)out;
  if (method == DF_NEAREST) {
    // PyTorch computes the ratio and the product in Float32.
    size_t source = (size_t)floorf((float)i * ((float)in / (float)out));
    *start = source < in ? source : in - 1;
    weights[0] = 1;
    return 1;
  }
  if (method == DF_AREA && in > out) {
    double low = (double)i * step, high = (double)(i + 1) * step;
    size_t first = (size_t)low, last = (size_t)ceil(high - 1e-9 * (double)in);
    if (last > in) last = in;
    if (last <= first) last = first + 1;
    double total = 0;
    for (size_t s = first; s < last; s++) {
      double from = low > (double)s ? low : (double)s;
      double to = high < (double)(s + 1) ? high : (double)(s + 1);
      weights[s - first] = to > from ? (float)(to - from) : 0;
      total += to > from ? to - from : 0;
    }
    if (in % out == 0) total = 1;
    for (size_t s = first; s < last; s++) weights[s - first] /= (float)total;
    *start = first;
    return last - first;
  }
  double centre = ((double)i + 0.5) * step - 0.5;
  if (centre < 0) centre = 0;
  size_t left = (size_t)centre;
  if (left > in - 1) left = in - 1;
  size_t right = left + 1 < in ? left + 1 : left;
  float fraction = (float)(centre - (double)left);
  *start = left;
  weights[0] = right == left ? 1 : 1 - fraction;
  if (right == left || fraction == 0) return 1;
  weights[1] = fraction;
  return 2;
}

static bool axis_make(axis *axis, size_t in, size_t out, df_resample method) {
  axis->most = method == DF_NEAREST ? 1 : 2;
  if (method == DF_AREA && in > out) axis->most = in / out + 3;
  axis->start = NULL;
  axis->weights = NULL;
  if (out > SIZE_MAX / axis->most / sizeof(size_t) / 2) return false;
  axis->start = malloc(2 * out * sizeof(size_t));
  axis->weights = malloc(out * axis->most * sizeof(float));
  if (!axis->start || !axis->weights) {
    axis_free(axis);
    return false;
  }
  axis->taps = axis->start + out;
  for (size_t i = 0; i < out; i++) {
    axis->taps[i] =
      fill(in, out, i, method, &axis->start[i], axis->weights + i * axis->most);
  }
  return true;
}

typedef struct resize {
  axis rows, columns;
  size_t in_width, out_width, out_height, channels, x_stride, rows_per_task;
  const uint8_t *bytes;  // one of these two is the input
  const float *floats;
  uint8_t *to_bytes;
  float *to_floats;
  float *lines;  // in_width * channels and one more for each task
  // What sums of weighted sources are multiplied by, and what is then added to those that become bytes.
  float scale, bias;
} resize;

static void blend_rows(const resize *r, size_t row, float *line) {
  size_t count = r->in_width * r->channels;
  for (size_t t = 0; t < r->rows.taps[row]; t++) {
    float weight = r->rows.weights[row * r->rows.most + t];
    size_t offset = (r->rows.start[row] + t) * r->x_stride;
    if (r->bytes) {
      const uint8_t *x = r->bytes + offset;
      if (t == 0) {
        for (size_t i = 0; i < count; i++) line[i] = weight * (float)x[i];
      } else {
        for (size_t i = 0; i < count; i++) line[i] += weight * (float)x[i];
      }
    } else {
      const float *x = r->floats + offset;
      if (t == 0) {
        for (size_t i = 0; i < count; i++) line[i] = weight * x[i];
      } else {
        for (size_t i = 0; i < count; i++) line[i] += weight * x[i];
      }
    }
  }
}

/// Rounds half to even and clamps: adding 1.5 * 2^23 leaves the integer in the low bits.
static uint8_t to_byte(float value) {
  if (!(value > 0)) return 0;
  if (value >= 255) return 255;
  float shifted = value + 12582912.0f;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  return (uint8_t)bits;
}

typedef float vec4 __attribute__((vector_size(16)));

/// Blends the columns of a line of RGB pixels, which is followed by a float more.
static void blend_colours(const resize *r, const float *line, uint8_t *y) {
  for (size_t i = 0; i < r->out_width; i++, y += 3) {
    const float *source = line + r->columns.start[i] * 3;
    const float *weights = r->columns.weights + i * r->columns.most;
    vec4 sum = {0, 0, 0, 0};
    for (size_t t = 0; t < r->columns.taps[i]; t++) {
      vec4 pixel;
      memcpy(&pixel, source + t * 3, sizeof pixel);
      sum += weights[t] * pixel;
    }
    sum = sum * r->scale + r->bias;
    for (int c = 0; c < 3; c++) y[c] = to_byte(sum[c]);
  }
}

static void resize_rows(void *context, size_t task) {
  const resize *r = context;
  size_t channels = r->channels;
  float *line = r->lines + task * (r->in_width * channels + 1);
  size_t end = (task + 1) * r->rows_per_task;
  if (end > r->out_height) end = r->out_height;
  for (size_t row = task * r->rows_per_task; row < end; row++) {
    blend_rows(r, row, line);
    if (r->to_bytes && channels == 3) {
      blend_colours(r, line, r->to_bytes + row * r->out_width * 3);
      continue;
    }
    for (size_t i = 0; i < r->out_width; i++) {
      const float *source = line + r->columns.start[i] * channels;
      const float *weights = r->columns.weights + i * r->columns.most;
      size_t taps = r->columns.taps[i];
      size_t at = (row * r->out_width + i) * channels;
      for (size_t c = 0; c < channels; c++) {
        float sum = 0;
        for (size_t t = 0; t < taps; t++) sum += weights[t] * source[t * channels + c];
        sum *= r->scale;
        if (r->to_bytes) {
          r->to_bytes[at + c] = to_byte(sum + r->bias);
        } else {
          r->to_floats[at + c] = sum;
        }
      }
    }
  }
}

/// Nearest neighbours need no blending: whole pixels are copied.
static void copy_rows(void *context, size_t task) {
  const resize *r = context;
  size_t size = r->bytes ? 1 : sizeof(float), pixel = r->channels * size;
  const char *x = r->bytes ? (const char *)r->bytes : (const char *)r->floats;
  char *y = r->bytes ? (char *)r->to_bytes : (char *)r->to_floats;
  size_t end = (task + 1) * r->rows_per_task;
  if (end > r->out_height) end = r->out_height;
  for (size_t row = task * r->rows_per_task; row < end; row++) {
    const char *from = x + r->rows.start[row] * r->x_stride * size;
    char *to = y + row * r->out_width * pixel;
    for (size_t i = 0; i < r->out_width; i++, to += pixel) {
      memcpy(to, from + r->columns.start[i] * pixel, pixel);
    }
  }
}

static bool blend_all(resize *r, size_t tasks) {
  if (r->in_width >= SIZE_MAX / sizeof(float) / r->channels / tasks) return false;
  // The float after a line is read, not used.
  r->lines = calloc(tasks * (r->in_width * r->channels + 1), sizeof(float));
  if (!r->lines) return false;
  df_parallel_for(tasks, resize_rows, r);
  free(r->lines);
  return true;
}

/// The factor by which an axis shrinks if its weights are 1, otherwise 1.
static size_t whole_factor(size_t in, size_t out, df_resample method) {
  return method == DF_AREA && in % out == 0 ? in / out : 1;
}

static bool run(resize *r, size_t in_height, df_resample method) {
  if (r->out_height == 0 || r->out_width == 0 || r->channels == 0) return true;
  if (in_height == 0 || r->in_width == 0) return false;
  // By whole factors, bytes are added up exactly, multiplied once and rounded to even, and at half the
  // size rounded up: to the bit what OpenCV makes of them, and so what published networks have seen.
  size_t down = whole_factor(in_height, r->out_height, method);
  size_t across = whole_factor(r->in_width, r->out_width, method);
  r->scale = 1 / ((float)down * (float)across);
  r->bias = down == 2 && across == 2 ? 0x1p-10f : 0;
  if (!axis_make(&r->rows, in_height, r->out_height, method)) return false;
  if (!axis_make(&r->columns, r->in_width, r->out_width, method)) {
    axis_free(&r->rows);
    return false;
  }
  size_t tasks = (size_t)df_thread_count() * 4;
  if (tasks > r->out_height) tasks = r->out_height;
  r->rows_per_task = (r->out_height + tasks - 1) / tasks;
  tasks = (r->out_height + r->rows_per_task - 1) / r->rows_per_task;
  bool done = true;
  if (method == DF_NEAREST) {
    df_parallel_for(tasks, copy_rows, r);
  } else {
    done = blend_all(r, tasks);
  }
  axis_free(&r->rows);
  axis_free(&r->columns);
  return done;
}

bool df_u8_resize(
  size_t in_height, size_t in_width, size_t channels, const uint8_t *x, size_t x_stride,
  size_t out_height, size_t out_width, uint8_t *y, df_resample method) {
  resize r = {
    .in_width = in_width, .out_width = out_width, .out_height = out_height,
    .channels = channels, .x_stride = x_stride, .bytes = x, .to_bytes = y};
  return run(&r, in_height, method);
}

bool df_f32_resize(
  size_t in_height, size_t in_width, size_t channels, const float *x, size_t x_stride,
  size_t out_height, size_t out_width, float *y, df_resample method) {
  resize r = {
    .in_width = in_width, .out_width = out_width, .out_height = out_height,
    .channels = channels, .x_stride = x_stride, .floats = x, .to_floats = y};
  return run(&r, in_height, method);
}

/// Gives each output pixel's gradient of a row to the columns that it was blended from.
static void spread_columns(const resize *r, const float *gradient, float *line) {
  size_t channels = r->channels;
  memset(line, 0, r->in_width * channels * sizeof(float));
  for (size_t i = 0; i < r->out_width; i++, gradient += channels) {
    float *to = line + r->columns.start[i] * channels;
    for (size_t t = 0; t < r->columns.taps[i]; t++, to += channels) {
      float weight = r->columns.weights[i * r->columns.most + t] * r->scale;
      for (size_t c = 0; c < channels; c++) to[c] += weight * gradient[c];
    }
  }
}

bool df_f32_resize_gradient(
  size_t in_height, size_t in_width, size_t channels, size_t out_height, size_t out_width,
  const float *gradient, float *x, df_resample method) {
  size_t count = in_width * channels;
  memset(x, 0, in_height * count * sizeof(float));
  if (in_height * count * out_height * out_width == 0) return true;
  resize r = {.in_width = in_width, .out_width = out_width, .channels = channels};
  r.scale = 1 / ((float)whole_factor(in_height, out_height, method)
    * (float)whole_factor(in_width, out_width, method));
  if (!axis_make(&r.rows, in_height, out_height, method)) return false;
  bool done = axis_make(&r.columns, in_width, out_width, method);
  float *line = done ? malloc(count * sizeof(float)) : NULL;
  for (size_t row = 0; line && row < out_height; row++) {
    spread_columns(&r, gradient + row * out_width * channels, line);
    for (size_t t = 0; t < r.rows.taps[row]; t++) {
      float weight = r.rows.weights[row * r.rows.most + t];
      float *to = x + (r.rows.start[row] + t) * count;
      for (size_t i = 0; i < count; i++) to[i] += weight * line[i];
    }
  }
  if (done) axis_free(&r.columns);
  axis_free(&r.rows);
  done = line != NULL;
  free(line);
  return done;
}
