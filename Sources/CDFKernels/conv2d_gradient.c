// Gradients of convolutions. That of the weights is a sum over output pixels of outer products of a
// window and a pixel. That of the input is, for a stride of one, the convolution of the output's
// gradient with the kernel turned round; for a depthwise convolution with a larger stride, one such
// convolution for each place that a pixel can have between the windows' beginnings; for any other,
// what a product makes of each output pixel's gradient, added to its window.
#include <string.h>

#include "conv2d.h"
#include "outer.h"

enum { SCATTERED_FLOATS = 64 * 1024 };

static size_t inner(const df_conv2d *v) {
  return v->kernel_height * v->kernel_width * (v->in_channels / v->groups);
}

static void gather_outer(
  const df_outer *o, size_t term, size_t terms, size_t row, size_t rows, float *to,
  size_t stride) {
  df_gather_windows(o->context, term, terms, row, rows, to, stride);
}

void df_f32_conv2d_weight_gradient(
  const df_conv2d *v, const float *x, const float *gradient, float *weights) {
  if (df_is_depthwise(v)) {
    df_run_depthwise_weight_gradient(v, x, gradient, weights);
    return;
  }
  size_t columns = v->out_channels / v->groups;
  bool pointwise = df_is_pointwise(v);
  for (size_t group = 0; group < v->groups; group++) {
    df_windows windows = df_windows_of(v, x, group);
    df_run_outer(&(df_outer){
      .kernels = df_kernels_current(),
      .terms = v->batch * v->out_height * v->out_width,
      .rows = inner(v),
      .columns = columns,
      .a = x,
      .lda = pointwise ? v->in_channels : 0,
      .b = gradient + group * columns,
      .ldb = v->out_channels,
      .gather = pointwise ? NULL : gather_outer,
      .context = &windows,
      .c = weights + group * columns,
      .ldc = v->out_channels,
    });
  }
}

// ---- By convolutions --------------------------------------------------------------------------

/// One axis of a convolution.
typedef struct axis {
  size_t in, kernel, stride, dilation, pad;
} axis;

static axis down(const df_conv2d *v) {
  return (axis){v->in_height, v->kernel_height, v->stride_height, v->dilation_height, v->pad_top};
}

static axis across(const df_conv2d *v) {
  return (axis){v->in_width, v->kernel_width, v->stride_width, v->dilation_width, v->pad_left};
}

/// Every stride-th input pixel, and the kernel elements that lead to those.
typedef struct phase {
  size_t first, count;  // pixels
  size_t start, taps;   // elements start, start + stride, ...
  size_t pad;           // of the convolution of the gradient
} phase;

/// The phase of the kernel elements from `start` on. Returns false where it is no convolution.
static bool make_phase(axis a, size_t start, phase *p) {
  size_t skipped = a.pad > start ? df_divide_up(a.pad - start, a.stride) : 0;
  p->start = start;
  p->taps = start < a.kernel ? df_divide_up(a.kernel - start, a.stride) : 0;
  p->first = skipped * a.stride + start - a.pad;
  p->count = p->first < a.in ? df_divide_up(a.in - p->first, a.stride) : 0;
  size_t reach = p->taps > 0 ? (p->taps - 1) * a.dilation : 0;
  p->pad = skipped <= reach ? reach - skipped : 0;
  return (a.stride == 1 || a.dilation == 1) && (skipped <= reach || p->taps == 0);
}

static bool has_phases(axis a) {
  phase p;
  for (size_t start = 0; start < a.stride; start++) {
    if (!make_phase(a, start, &p)) return false;
  }
  return true;
}

/// Whether the input's gradient is made of convolutions, of one where the stride is one.
static bool is_convolution(const df_conv2d *v) {
  bool strides = v->stride_height > 1 || v->stride_width > 1;
  return (df_is_depthwise(v) || !strides) && has_phases(down(v)) && has_phases(across(v));
}

/// Weights [kernel_height][kernel_width][in / groups][out] as those of the convolution of the
/// gradient, [taps][taps][out / groups][in]: turned round, inputs and outputs exchanged.
static void turn(
  const df_conv2d *v, phase y, phase x, const float *weights, float *to) {
  size_t inputs = v->in_channels / v->groups, outputs = v->out_channels / v->groups;
  for (size_t i = y.taps; i-- > 0;) {
    size_t ky = y.start + i * v->stride_height;
    for (size_t j = x.taps; j-- > 0;) {
      size_t kx = x.start + j * v->stride_width;
      const float *from = weights + (ky * v->kernel_width + kx) * inputs * v->out_channels;
      if (df_is_depthwise(v)) {
        memcpy(to, from, v->out_channels * sizeof(float));
        to += v->out_channels;
        continue;
      }
      for (size_t o = 0; o < outputs; o++) {
        for (size_t group = 0; group < v->groups; group++) {
          for (size_t c = 0; c < inputs; c++) {
            *to++ = from[c * v->out_channels + group * outputs + o];
          }
        }
      }
    }
  }
}

static void convolve_phase(
  const df_conv2d *v, phase y, phase x, const float *gradient, const float *weights, float *space,
  float *to) {
  if (y.taps * x.taps * y.count * x.count == 0) return;
  df_conv2d turned = {
    .batch = v->batch, .in_height = v->out_height, .in_width = v->out_width,
    .in_channels = v->out_channels, .out_height = y.count, .out_width = x.count,
    .out_channels = v->in_channels, .kernel_height = y.taps, .kernel_width = x.taps,
    .stride_height = 1, .stride_width = 1, .dilation_height = v->dilation_height,
    .dilation_width = v->dilation_width, .pad_top = y.pad, .pad_left = x.pad,
    .groups = v->groups};
  turn(v, y, x, weights, space);
  size_t row = v->in_width * v->in_channels;
  df_output output = {
    to + y.first * row + x.first * v->in_channels, v->stride_width * v->in_channels,
    v->stride_height * row, v->in_height * row};
  if (df_is_depthwise(v)) {
    df_run_depthwise(&turned, gradient, space, output, NULL);
    return;
  }
  float *packed = space + inner(v) * v->out_channels;
  df_f32_conv2d_pack(&turned, space, packed);
  df_f32_conv2d_packed(&turned, gradient, packed, to, NULL);
}

// ---- By products that are added up ------------------------------------------------------------

typedef struct scatter {
  const df_conv2d *conv;
  const df_kernels *kernels;
  const float *gradient, *packed;
  float *x;
  size_t rows;  // output pixels at a time
} scatter;

/// Adds what an output pixel's gradient is to its window of one group's channels.
static void add_window(
  const scatter *s, size_t oy, size_t ox, const float *from, float *image) {
  const df_conv2d *v = s->conv;
  size_t channels = v->in_channels / v->groups;
  ptrdiff_t top = (ptrdiff_t)(oy * v->stride_height) - (ptrdiff_t)v->pad_top;
  ptrdiff_t left = (ptrdiff_t)(ox * v->stride_width) - (ptrdiff_t)v->pad_left;
  for (size_t ky = 0; ky < v->kernel_height; ky++) {
    ptrdiff_t y = top + (ptrdiff_t)(ky * v->dilation_height);
    for (size_t kx = 0; kx < v->kernel_width; kx++, from += channels) {
      ptrdiff_t x = left + (ptrdiff_t)(kx * v->dilation_width);
      if (y < 0 || y >= (ptrdiff_t)v->in_height || x < 0 || x >= (ptrdiff_t)v->in_width) continue;
      float *to = image + ((size_t)y * v->in_width + (size_t)x) * v->in_channels;
      s->kernels->add(channels, to, from, to);
    }
  }
}

static void scatter_image(void *context, size_t image) {
  const scatter *s = context;
  const df_conv2d *v = s->conv;
  size_t inputs = v->in_channels / v->groups, outputs = v->out_channels / v->groups;
  size_t columns = inner(v), pixels = v->out_height * v->out_width;
  size_t size = v->in_height * v->in_width * v->in_channels;
  float *x = s->x + image * size;
  memset(x, 0, size * sizeof(float));
  float *scratch = df_scratch(DF_SCRATCH_TASK, s->rows * columns);
  for (size_t group = 0; group < v->groups; group++) {
    for (size_t first = 0; first < pixels; first += s->rows) {
      size_t rows = df_min(s->rows, pixels - first);
      const float *gradient =
        s->gradient + (image * pixels + first) * v->out_channels + group * outputs;
      s->kernels->gemm_block(&(df_gemm_block){
        .rows = rows, .columns = columns, .k = outputs, .segments = 1, .a = &gradient,
        .lda = v->out_channels,
        .b = s->packed + group * outputs * df_round_up(columns, s->kernels->lanes),
        .panel_stride = outputs * s->kernels->panel, .c = scratch, .ldc = columns, .first = true,
        .last = true});
      for (size_t i = 0; i < rows; i++) {
        size_t pixel = first + i;
        add_window(
          s, pixel / v->out_width, pixel % v->out_width, scratch + i * columns,
          x + group * inputs);
      }
    }
  }
}

// ---- Both -------------------------------------------------------------------------------------

size_t df_f32_conv2d_input_gradient_space(const df_conv2d *v) {
  size_t weights = inner(v) * v->out_channels;
  if (df_is_depthwise(v) && is_convolution(v)) return weights;
  size_t outputs = v->out_channels / v->groups, lanes = df_kernels_current()->lanes;
  // Either columns may be filled up to whole vectors.
  size_t packed = v->groups * df_max(
    outputs * df_round_up(inner(v), lanes),
    v->kernel_height * v->kernel_width * outputs
      * df_round_up(v->in_channels / v->groups, lanes));
  return weights + packed;
}

void df_f32_conv2d_input_gradient(
  const df_conv2d *v, const float *gradient, const float *weights, float *space, float *x) {
  if (v->batch == 0 || v->in_height * v->in_width * v->in_channels == 0) return;
  if (df_is_pointwise(v)) {
    size_t pixels = v->batch * v->in_height * v->in_width;
    df_f32_pack_transposed(v->out_channels, v->in_channels, weights, v->out_channels, space);
    df_f32_gemm_packed(
      pixels, v->in_channels, v->out_channels, gradient, v->out_channels, space, x,
      v->in_channels, NULL);
    return;
  }
  if (is_convolution(v)) {
    if (v->kernel_height < v->stride_height || v->kernel_width < v->stride_width) {
      memset(x, 0, v->batch * v->in_height * v->in_width * v->in_channels * sizeof(float));
    }
    for (size_t i = 0; i < v->stride_height; i++) {
      for (size_t j = 0; j < v->stride_width; j++) {
        phase down_phase, across_phase;
        make_phase(down(v), i, &down_phase);
        make_phase(across(v), j, &across_phase);
        convolve_phase(v, down_phase, across_phase, gradient, weights, space, x);
      }
    }
    return;
  }
  size_t outputs = v->out_channels / v->groups;
  for (size_t group = 0; group < v->groups; group++) {
    df_f32_pack_transposed(
      outputs, inner(v), weights + group * outputs, v->out_channels,
      space + group * outputs * df_round_up(inner(v), df_kernels_current()->lanes));
  }
  scatter s = {
    .conv = v, .kernels = df_kernels_current(), .gradient = gradient, .packed = space, .x = x,
    .rows = df_max(1, SCATTERED_FLOATS / inner(v))};
  df_parallel_for(v->batch, scatter_image, &s);
}
