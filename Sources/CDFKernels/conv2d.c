// Two-dimensional convolutions. A pointwise one is a product over pixels, read in place. Any other
// is a product whose rows are gathered block by block: a row is one output pixel's window, and the
// windows of a block never leave the cache. Those of several groups are in grouped.c, depthwise ones in
// depthwise.c.
#include <string.h>

#include "conv2d.h"

bool df_is_depthwise(const df_conv2d *v) {
  return v->groups == v->in_channels && v->groups == v->out_channels;
}

bool df_is_pointwise(const df_conv2d *v) {
  return v->kernel_height == 1 && v->kernel_width == 1 && v->stride_height == 1
    && v->stride_width == 1 && v->pad_top == 0 && v->pad_left == 0 && v->groups == 1
    && v->out_height == v->in_height && v->out_width == v->in_width;
}

static size_t inner(const df_conv2d *v) {
  return v->kernel_height * v->kernel_width * (v->in_channels / v->groups);
}

size_t df_f32_conv2d_packed_count(const df_conv2d *v) {
  if (df_is_depthwise(v)) return v->kernel_height * v->kernel_width * v->out_channels;
  return v->groups * df_f32_packed_count(inner(v), v->out_channels / v->groups);
}

void df_f32_conv2d_pack(const df_conv2d *v, const float *weights, float *packed) {
  if (df_is_depthwise(v)) {
    memcpy(packed, weights, df_f32_conv2d_packed_count(v) * sizeof(float));
    return;
  }
  size_t columns = v->out_channels / v->groups, k = inner(v);
  for (size_t group = 0; group < v->groups; group++) {
    df_f32_pack(k, columns, weights + group * columns, v->out_channels, packed);
    packed += df_f32_packed_count(k, columns);
  }
}

/// memcpy for the short runs of few-channel inputs, where a call would take longer than the copy.
static inline void copy(float *to, const float *from, size_t count) {
  if (count > 64) {
    memcpy(to, from, count * sizeof(float));
    return;
  }
  size_t i = 0;
  for (; i + 4 <= count; i += 4) memcpy(to + i, from + i, 4 * sizeof(float));
  for (; i < count; i++) to[i] = from[i];
}

/// Elements first ... last - 1 of a window's row: `channels` of kernel_width pixels, the first of
/// them at column `left` of the input row `x` (null when the row lies outside).
static void gather_window_row(
  const df_conv2d *v, const float *x, ptrdiff_t left, size_t first, size_t last, float *to) {
  size_t channels = v->in_channels / v->groups;
  ptrdiff_t width = (ptrdiff_t)v->in_width;
  if (!x) {
    memset(to, 0, (last - first) * sizeof(float));
    return;
  }
  if (v->dilation_width == 1 && v->groups == 1) {
    // One run of the input, cut at its borders.
    ptrdiff_t begin = left * (ptrdiff_t)channels + (ptrdiff_t)first;
    ptrdiff_t end = left * (ptrdiff_t)channels + (ptrdiff_t)last;
    ptrdiff_t limit = width * (ptrdiff_t)channels;
    for (; begin < end && begin < 0; begin++) *to++ = 0;
    ptrdiff_t inside = end < limit ? end : limit;
    if (begin < inside) {
      copy(to, x + begin, (size_t)(inside - begin));
      to += inside - begin;
      begin = inside;
    }
    for (; begin < end; begin++) *to++ = 0;
    return;
  }
  while (first < last) {
    size_t tap = first / channels, channel = first % channels;
    size_t count = df_min(last - first, channels - channel);
    ptrdiff_t column = left + (ptrdiff_t)(tap * v->dilation_width);
    if (column >= 0 && column < width) {
      copy(to, x + (size_t)column * v->in_channels + channel, count);
    } else {
      memset(to, 0, count * sizeof(float));
    }
    to += count;
    first += count;
  }
}

/// Whole windows whose rows are short runs: copied in fours, beyond their ends where there is room,
/// for the next run overwrites that. `to` has room for three floats more than a window.
static inline void gather_short_window(
  const float *x, const float *end, size_t pitch, size_t lines, size_t line, float *to) {
  bool room = (size_t)(end - x) >= (lines - 1) * pitch + df_round_up(line, 4);
  for (size_t ky = 0; ky < lines; ky++, x += pitch, to += line) {
    if (room) {
      for (size_t i = 0; i < line; i += 4) memcpy(to + i, x + i, 4 * sizeof(float));
    } else {
      for (size_t i = 0; i < line; i++) to[i] = x[i];
    }
  }
}

/// Where a window begins.
typedef struct window {
  size_t image;
  ptrdiff_t top, left;
} window;

/// Elements start ... start + k - 1 of a window.
static void gather_window(
  const df_windows *source, window at, size_t start, size_t k, float *to) {
  const df_conv2d *v = source->conv;
  size_t line = v->kernel_width * (v->in_channels / v->groups);
  size_t pitch = v->in_width * v->in_channels;
  const float *image = source->x + at.image * v->in_height * pitch;
  bool runs = v->dilation_width == 1 && v->dilation_height == 1 && v->groups == 1;
  bool inside = at.left >= 0 && at.left + (ptrdiff_t)v->kernel_width <= (ptrdiff_t)v->in_width
    && at.top >= 0 && at.top + (ptrdiff_t)v->kernel_height <= (ptrdiff_t)v->in_height;
  if (runs && inside && line <= 64 && k == v->kernel_height * line) {
    const float *x = image + (size_t)at.top * pitch + (size_t)at.left * v->in_channels;
    gather_short_window(x, source->end, pitch, v->kernel_height, line, to);
    return;
  }
  for (size_t element = start; element < start + k;) {
    size_t ky = element / line, first = element % line;
    size_t last = df_min(line, first + (start + k - element));
    ptrdiff_t iy = at.top + (ptrdiff_t)(ky * v->dilation_height);
    bool outside = iy < 0 || iy >= (ptrdiff_t)v->in_height;
    gather_window_row(v, outside ? NULL : image + (size_t)iy * pitch, at.left, first, last, to);
    to += last - first;
    element += last - first;
  }
}

void df_gather_windows(
  const df_windows *windows, size_t row, size_t rows, size_t start, size_t k, float *to,
  size_t stride) {
  const df_conv2d *v = windows->conv;
  size_t ox = row % v->out_width;
  size_t oy = row / v->out_width % v->out_height, image = row / v->out_width / v->out_height;
  for (size_t i = 0; i < rows; i++) {
    window at = {
      image, (ptrdiff_t)(oy * v->stride_height) - (ptrdiff_t)v->pad_top,
      (ptrdiff_t)(ox * v->stride_width) - (ptrdiff_t)v->pad_left};
    gather_window(windows, at, start, k, to + i * stride);
    if (++ox == v->out_width) {
      ox = 0;
      if (++oy == v->out_height) {
        oy = 0;
        image++;
      }
    }
  }
}

static void gather_product(
  const df_product *p, size_t row, size_t rows, size_t start, size_t k, float *to,
  size_t stride) {
  df_gather_windows(p->context, row, rows, start, k, to, stride);
}

static void run_product(
  const df_conv2d *v, const float *x, const float *packed, float *y, size_t group,
  const df_epilogue *epilogue) {
  size_t columns = v->out_channels / v->groups, k = inner(v);
  const df_kernels *kernels = df_kernels_current();
  df_windows windows = df_windows_of(v, x, group);
  df_product product = {
    .kernels = kernels,
    .m = v->batch * v->out_height * v->out_width,
    .n = columns,
    .k = k,
    .gather = gather_product,
    .context = &windows,
    .packed = packed + group * k * df_round_up(columns, kernels->lanes),
    .c = y + group * columns,
    .ldc = v->out_channels,
  };
  if (epilogue) {
    product.epilogue = *epilogue;
    if (epilogue->bias) product.epilogue.bias += group * columns;
    if (epilogue->residual) product.epilogue.residual += group * columns;
    if (epilogue->slopes) product.epilogue.slopes += group * columns;
  }
  df_run_product(&product);
}

void df_f32_conv2d_packed(
  const df_conv2d *v, const float *x, const float *packed, float *y,
  const df_epilogue *epilogue) {
  if (v->batch == 0 || v->out_height == 0 || v->out_width == 0 || v->out_channels == 0) return;
  if (df_is_depthwise(v)) {
    df_run_depthwise(v, x, packed, df_plain_output(v, y), epilogue);
    return;
  }
  if (df_is_pointwise(v)) {
    df_f32_gemm_packed(
      v->batch * v->out_height * v->out_width, v->out_channels, v->in_channels, x,
      v->in_channels, packed, y, v->out_channels, epilogue);
    return;
  }
  if (df_grouped_fits(v)) {
    df_run_grouped(v, x, packed, y, epilogue);
    return;
  }
  for (size_t group = 0; group < v->groups; group++) run_product(v, x, packed, y, group, epilogue);
}
