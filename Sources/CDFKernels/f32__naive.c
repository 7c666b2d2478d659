// Every kernel in its plainest form.
#include <math.h>
#include <string.h>

#include "include/CDFKernels.h"

static float activate(float x, df_activation activation, float slope) {
  switch (activation) {
    case DF_IDENTITY: return x;
    case DF_RELU: return x < 0 ? 0 : x;
    case DF_LEAKY_RELU: return x < 0 ? x * slope : x;
    case DF_SILU: return x / (1 + expf(-x));
    case DF_SIGMOID: return 1 / (1 + expf(-x));
  }
  return x;
}

void df_f32_activate(
  size_t count, const float *x, float *y, df_activation activation, float slope) {
  for (size_t i = 0; i < count; i++) y[i] = activate(x[i], activation, slope);
}

size_t df_f32_packed_count(size_t k, size_t n) { return k * n; }

void df_f32_pack(size_t k, size_t n, const float *b, size_t ldb, float *packed) {
  for (size_t i = 0; i < k; i++) memcpy(packed + i * n, b + i * ldb, n * sizeof(float));
}

static void finish(float *y, size_t n, size_t offset, const df_epilogue *e) {
  if (!e) return;
  for (size_t j = 0; j < n; j++) {
    float v = y[j] + (e->bias ? e->bias[j] : 0);
    v = activate(v, e->activation, e->slope);
    y[j] = v + (e->residual ? e->residual[offset + j] : 0);
  }
}

typedef struct gemm {
  size_t n, k, lda, rows_per_scale, ldc;
  const float *a, *a_scale, *b;
  float *c;
  const df_epilogue *epilogue;
} gemm;

static void gemm_row(void *context, size_t row) {
  const gemm *g = context;
  const float *a = g->a + row * g->lda;
  const float *scale = g->a_scale ? g->a_scale + row / g->rows_per_scale * g->k : NULL;
  float *c = g->c + row * g->ldc;
  float line[4096];
  for (size_t j0 = 0; j0 < g->n; j0 += 4096) {
    size_t count = g->n - j0 < 4096 ? g->n - j0 : 4096;
    memset(line, 0, count * sizeof(float));
    for (size_t k = 0; k < g->k; k++) {
      float v = scale ? a[k] * scale[k] : a[k];
      const float *b = g->b + k * g->n + j0;
      for (size_t j = 0; j < count; j++) line[j] += v * b[j];
    }
    memcpy(c + j0, line, count * sizeof(float));
  }
  finish(c, g->n, row * g->ldc, g->epilogue);
}

void df_f32_gemm_packed(
  size_t m, size_t n, size_t k, const float *a, size_t lda, const float *a_scale,
  size_t rows_per_scale, const float *packed, float *c, size_t ldc, const df_epilogue *epilogue) {
  gemm g = {n, k, lda, rows_per_scale, ldc, a, a_scale, packed, c, epilogue};
  df_parallel_for(m, gemm_row, &g);
}

size_t df_f32_conv2d_packed_count(const df_conv2d *v) {
  return v->kernel_height * v->kernel_width * (v->in_channels / v->groups) * v->out_channels;
}

void df_f32_conv2d_pack(const df_conv2d *conv, const float *weights, float *packed) {
  memcpy(packed, weights, df_f32_conv2d_packed_count(conv) * sizeof(float));
}

typedef struct convolution {
  const df_conv2d *conv;
  const float *x, *w;
  float *y;
  const df_epilogue *epilogue;
} convolution;

static void conv_row(void *context, size_t index) {
  const convolution *p = context;
  const df_conv2d *v = p->conv;
  size_t b = index / v->out_height, oy = index % v->out_height;
  size_t gin = v->in_channels / v->groups, gout = v->out_channels / v->groups;
  for (size_t ox = 0; ox < v->out_width; ox++) {
    size_t offset = (index * v->out_width + ox) * v->out_channels;
    float *y = p->y + offset;
    memset(y, 0, v->out_channels * sizeof(float));
    for (size_t ky = 0; ky < v->kernel_height; ky++) {
      size_t iy = oy * v->stride_height + ky * v->dilation_height - v->pad_top;
      if (iy >= v->in_height) continue;
      for (size_t kx = 0; kx < v->kernel_width; kx++) {
        size_t ix = ox * v->stride_width + kx * v->dilation_width - v->pad_left;
        if (ix >= v->in_width) continue;
        const float *x = p->x + ((b * v->in_height + iy) * v->in_width + ix) * v->in_channels;
        const float *w = p->w + (ky * v->kernel_width + kx) * gin * v->out_channels;
        if (gin == 1 && gout == 1) {
          for (size_t c = 0; c < v->out_channels; c++) y[c] += x[c] * w[c];
          continue;
        }
        for (size_t g = 0; g < v->groups; g++) {
          for (size_t i = 0; i < gin; i++) {
            float value = x[g * gin + i];
            const float *line = w + i * v->out_channels + g * gout;
            for (size_t o = 0; o < gout; o++) y[g * gout + o] += value * line[o];
          }
        }
      }
    }
    finish(y, v->out_channels, offset, p->epilogue);
  }
}

void df_f32_conv2d_packed(
  const df_conv2d *conv, const float *x, const float *packed, float *y,
  const df_epilogue *epilogue) {
  convolution p = {conv, x, packed, y, epilogue};
  df_parallel_for(conv->batch * conv->out_height, conv_row, &p);
}

void df_f32_depthwise_sums(
  const df_conv2d *conv, const float *x, const float *packed, float *y,
  const df_epilogue *epilogue, float *sums) {
  df_f32_conv2d_packed(conv, x, packed, y, epilogue);
  df_f32_pixel_sums(
    conv->batch, conv->out_height * conv->out_width, conv->out_channels, y, sums);
}

void df_f32_scale_shift(
  size_t rows, size_t channels, const float *x, const float *scale, const float *shift, float *y,
  df_activation activation, float slope) {
  for (size_t i = 0; i < rows; i++) {
    for (size_t c = 0; c < channels; c++) {
      y[i * channels + c] =
        activate(x[i * channels + c] * scale[c] + shift[c], activation, slope);
    }
  }
}

void df_f32_group_norm(
  size_t batch, size_t pixels, size_t channels, size_t groups, float epsilon, const float *x,
  const float *scale, const float *shift, const float *residual, float *y,
  df_activation activation, float slope, float *sums) {
  size_t per = channels / groups;
  double count = (double)(pixels * per);
  for (size_t b = 0; b < batch; b++) {
    for (size_t g = 0; g < groups; g++) {
      size_t base = b * pixels * channels + g * per;
      double sum = 0, squares = 0;
      for (size_t p = 0; p < pixels; p++) {
        for (size_t c = 0; c < per; c++) sum += x[base + p * channels + c];
      }
      double mean = sum / count;
      for (size_t p = 0; p < pixels; p++) {
        for (size_t c = 0; c < per; c++) {
          double d = x[base + p * channels + c] - mean;
          squares += d * d;
        }
      }
      double factor = 1 / sqrt(squares / count + (double)epsilon);
      for (size_t p = 0; p < pixels; p++) {
        for (size_t c = 0; c < per; c++) {
          size_t i = base + p * channels + c;
          double v = (x[i] - mean) * factor * scale[g * per + c] + shift[g * per + c];
          float r = residual ? residual[i] : 0;
          y[i] = activate((float)v, activation, slope) + r;
        }
      }
    }
  }
  if (sums) df_f32_pixel_sums(batch, pixels, channels, y, sums);
}

void df_f32_pixel_sums(
  size_t batch, size_t pixels, size_t channels, const float *x, float *sums) {
  for (size_t b = 0; b < batch; b++) {
    for (size_t c = 0; c < channels; c++) {
      double sum = 0;
      for (size_t p = 0; p < pixels; p++) sum += x[(b * pixels + p) * channels + c];
      sums[b * channels + c] = (float)sum;
    }
  }
}

void df_f32_scale_channels(
  size_t batch, size_t pixels, size_t channels, const float *x, const float *scale, float *y) {
  for (size_t row = 0; row < batch * pixels; row++) {
    const float *s = scale + row / pixels * channels;
    for (size_t c = 0; c < channels; c++) y[row * channels + c] = x[row * channels + c] * s[c];
  }
}

void df_f32_add(size_t count, const float *a, const float *b, float *y) {
  for (size_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

void df_u8_normalize(
  size_t pixels, const uint8_t *x, const uint8_t order[3], const float scale[3],
  const float shift[3], float *y) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t c = 0; c < 3; c++) y[i * 3 + c] = x[i * 3 + order[c]] * scale[c] + shift[c];
  }
}
