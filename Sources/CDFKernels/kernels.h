// What the instruction sets implement, as seen by the drivers that cut work into tasks. A kernel
// runs on the calling thread, keeps the order of every sum fixed, and allocates nothing.
#ifndef DF_KERNELS_H
#define DF_KERNELS_H

#include "include/CDFKernels.h"

/// The most vector lanes that any instruction set here has; scratch is padded to multiples of it.
enum { DF_MOST_LANES = 16, DF_DEPTHWISE_CHANNELS = 32, DF_DEPTHWISE_TILE = 8 };

/// A block of a product: rows x columns of C, over segments of `k` consecutive terms of the inner
/// dimension. A row of A may have its segments in several places: a convolution's window.
typedef struct df_gemm_block {
  size_t rows, columns, k, segments;
  size_t last_k;          // terms of the last segment, if not k
  const float *const *a;  // each segment's first row
  size_t lda;
  const float *b;       // the first panel, at this block's first term
  size_t panel_stride;  // floats from one full panel to the next
  float *c;
  size_t ldc;
  bool first, last;  // whether to start from the bias, and whether to finish
  const float *bias, *residual;  // at the block's first column and element; may be null
  df_activation activation;
  float slope;
  const float *slopes;  // at the block's first column; may be null
  bool residual_first;  // as an epilogue's
} df_gemm_block;

/// One row of depthwise outputs for some channels, in chunks of DF_DEPTHWISE_CHANNELS. Inputs come
/// from padded rows in which a pixel takes that many floats, one such row a chunk; or, for a tile's
/// width of outputs and channels that fill whole vectors, from where they are.
typedef struct df_depthwise_row {
  const float *const *rows;  // kernel_height of them, at the first output's first tap
  size_t chunk_stride;       // floats from a chunk's pixel to the next chunk's
  size_t in_stride;          // floats from one input pixel to the next
  const float *weights;      // [chunk][kernel_height][kernel_width][DF_DEPTHWISE_CHANNELS]
  const float *bias;         // [chunk][DF_DEPTHWISE_CHANNELS]
  size_t kernel_height, kernel_width, stride, dilation;
  size_t width, channels;  // outputs in the row, channels of each
  size_t pixel_stride;     // floats from one output pixel to the next
  const float *residual;   // laid out as the output; may be null
  float *y;
  float *sums;  // [chunk][DF_DEPTHWISE_CHANNELS], added to; may be null
  df_activation activation;
  float slope;
} df_depthwise_row;

/// Part of a convolution's weight gradient: C = A transposed * B, or added to C unless `first`, over
/// `terms` rows of A and B. Columns of B fill whole vectors; C has `columns` of them.
typedef struct df_outer_block {
  size_t terms, rows, columns;
  const float *a, *b;
  size_t lda, ldb;
  float *c;
  size_t ldc;
  bool first;
} df_outer_block;

/// A row of depthwise outputs' part of the weights' gradient.
typedef struct df_depthwise_outer_row {
  const float *const *rows;                // as a df_depthwise_row's
  size_t chunk_stride, in_stride;          // likewise
  size_t kernel_height, kernel_width, stride, dilation;
  size_t width, channels;
  const float *gradient;  // of the row's outputs
  size_t pixel_stride;    // floats from one of its pixels to the next
  float *sums;            // [chunk][kernel_height][kernel_width][DF_DEPTHWISE_CHANNELS], added to
} df_depthwise_outer_row;

/// A row of a max pool: the most of `rows` rows, then of `kernel` pixels in each of `width` places,
/// `stride` apart, fewer where the input ends.
typedef struct df_pool_row {
  const float *const *x;
  size_t rows, in_width, channels, kernel, stride, width;
  float *line;  // in_width pixels and a vector more
  float *y;
} df_pool_row;

/// A tile of a Winograd convolution: 6x6 pixels or 4x4 outputs, and what they become, or come from, at 36
/// positions; or 4x4 pixels, 2x2 outputs and 16 positions. A position's floats fill whole vectors.
typedef struct df_winograd_tile {
  size_t channels;
  float *products;  // of the tile at the first position
  size_t position;  // floats from one position to the next
  const float *x;
  size_t x_row, x_pixel;  // floats from one to the next
  float *y;
  size_t y_row, y_pixel;
  size_t rows, columns;  // of the outputs that are to be written
  const float *bias, *slopes, *residual;  // as a df_gemm_block's; the residual lies as y does
  df_activation activation;
  float slope;
} df_winograd_tile;

/// A row of a 3x3 depthwise convolution in a chain: pixels are `channels` floats apart, and so are the
/// outputs, beyond which a vector may be written.
typedef struct df_chain_row {
  const float *const *rows;  // three, at the first output's first tap, or the first pixel
  size_t channels, stride, width;
  size_t in_width;  // pixels of a row that lies there without padding; 0: it is padded
  const float *weights;  // bias and nine taps, `period` floats apart, by df_f32_chain_pack
  size_t period;
  df_activation activation;
  float slope;
  float *y;
} df_chain_row;

/// y = activation((x - mean[c]) * scale[c] + shift[c]) + residual over rows of `channels`.
typedef struct df_affine {
  size_t rows, channels;
  const float *x, *mean, *scale, *shift;  // mean and shift may be null
  const float *residual;                  // may be null
  float *y;
  float *sums;  // channels, added to; may be null
  df_activation activation;
  float slope;
} df_affine;

/// The gradient of y = activation(z), z = (x - mean[c]) * scale[c] + shift[c], over rows of `channels`.
typedef struct df_affine_gradient {
  size_t rows, channels;
  const float *x, *gradient, *mean, *scale, *shift;
  df_activation activation;
  float slope;
  float *sums, *products;  // added to: sums of z's gradient, and of its products with x - mean
  // y = z's gradient * scale + offset + ((x - mean) * factor + rest)
  const float *factor, *offset, *rest;
  float *y;
} df_affine_gradient;

typedef struct df_kernels {
  df_isa isa;
  size_t lanes;
  size_t panel;        // columns of a full panel: a whole number of vectors
  size_t tile_rows;    // rows of the largest register tile
  size_t inner;        // the most terms of the inner dimension taken at once
  void (*gemm_block)(const df_gemm_block *block);
  void (*depthwise_row)(const df_depthwise_row *row);
  /// Copies `channels` of each of `pixels` pixels, `stride` floats apart, into padded rows, one for
  /// each chunk, `chunk_stride` apart, filled up with zeros to a whole vector.
  void (*copy_pixels)(
    size_t pixels, size_t channels, size_t stride, const float *x, size_t chunk_stride, float *to);
  void (*activate)(
    size_t count, const float *x, float *y, df_activation activation, float slope);
  void (*affine)(const df_affine *affine);
  /// Adds to sum[c] and squares[c] the sums over rows of x - origin[c] and of its square.
  void (*moments)(
    size_t rows, size_t channels, const float *x, const float *origin, float *sum,
    float *squares);
  /// Adds to sum[c] the sum over rows of x.
  void (*row_sums)(size_t rows, size_t channels, const float *x, float *sum);
  void (*add)(size_t count, const float *a, const float *b, float *y);
  /// y[row][i] = x[row][i] * scale[row], `width` a row.
  void (*scale_rows)(
    size_t rows, size_t width, const float *x, const float *scale, float *y);
  void (*outer_block)(const df_outer_block *block);
  void (*depthwise_outer_row)(const df_depthwise_outer_row *row);
  /// y[i] = gradient[i] * the activation's slope at x[i].
  void (*activation_gradient)(
    size_t count, const float *x, const float *gradient, float *y, df_activation activation,
    float slope);
  /// sums and products, or y.
  void (*affine_gradient_sums)(const df_affine_gradient *gradient);
  void (*affine_gradient)(const df_affine_gradient *gradient);
  /// Adds to sum[c] the sum over rows of a * b.
  void (*row_dots)(size_t rows, size_t channels, const float *a, const float *b, float *sum);
  /// to[i] = bytes[i] * scale[i % 3] + shift[i % 3].
  void (*normalize)(
    size_t count, const uint8_t *bytes, const float scale[3], const float shift[3], float *to);
  /// sums[i] = the sum of bytes[i] over `rows` rows, `stride` apart.
  void (*byte_sums)(
    size_t count, size_t rows, const uint8_t *bytes, size_t stride, int32_t *sums);
  void (*pool_row)(const df_pool_row *row);
  /// Packs a panel of `columns` columns of k elements, which lie `ldb` floats apart.
  void (*pack_transposed)(
    size_t k, size_t columns, const float *b, size_t ldb, float *packed);
  /// Products from pixels, and outputs from products.
  void (*winograd_input)(const df_winograd_tile *tile);
  void (*winograd_output)(const df_winograd_tile *tile);
  void (*winograd2_input)(const df_winograd_tile *tile);
  void (*winograd2_output)(const df_winograd_tile *tile);
  void (*chain_row)(const df_chain_row *row);
  /// y[c] = the most of x over rows x columns pixels of `channels`; minus infinity where there are none.
  void (*max_window)(
    size_t rows, size_t columns, size_t channels, const float *x, size_t row_stride, float *y);
  /// As df_f32_lstm_step and df_f32_lstm_step_gradient.
  void (*lstm_step)(
    size_t hidden, float *gates, const float *recurrent, float *cell, float *output);
  void (*lstm_step_gradient)(
    size_t hidden, const float *gates, const float *cell_before, const float *cell,
    const float *output_gradient, float *cell_gradient, float *gates_gradient);
} df_kernels;

/// The kernels that the calling thread's requests use. Drivers ask once and hand the answer to
/// their tasks, which may run on other threads.
const df_kernels *df_kernels_current(void);

extern const df_kernels df_kernels__portable;
#if defined(__x86_64__)
extern const df_kernels df_kernels__avx2;
extern const df_kernels df_kernels__avx512;
#elif defined(__aarch64__)
extern const df_kernels df_kernels__neon;
#endif

/// C = epilogue(A * B) in tasks on the pool. A's rows lie at `a`, or `gather` writes `k` of their
/// elements from `start` on, for rows row ... row + rows - 1, to places `stride` apart.
typedef struct df_product {
  const df_kernels *kernels;
  size_t m, n, k;
  const float *a;
  size_t lda;
  void (*gather)(
    const struct df_product *product, size_t row, size_t rows, size_t start, size_t k,
    float *to, size_t stride);
  const void *context;  // for gather
  const float *packed;
  float *c;
  size_t ldc;
  df_epilogue epilogue;
} df_product;
void df_run_product(const df_product *product);

/// One block on the calling thread: b, panel_stride and the split into full panels and a last one are filled
/// in. `panels` is where B's panels begin at the block's first column, the first of a panel; `k` is all of
/// B's terms and `start` the block's first one.
void df_gemm_columns(
  const df_kernels *kernels, df_gemm_block block, const float *panels, size_t k, size_t start);

/// Memory of this thread, 64-byte aligned, at least `floats` long, kept for the next call with the
/// same slot. Kernels ask for amounts that do not grow with a file's contents; running out of
/// memory here ends the process.
float *df_scratch(int slot, size_t floats);
enum { DF_SCRATCH_TASK = 0, DF_SCRATCH_CALL = 1, DF_SCRATCH_SLOTS = 2 };

static inline size_t df_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t df_max(size_t a, size_t b) { return a > b ? a : b; }
static inline size_t df_divide_up(size_t a, size_t b) { return (a + b - 1) / b; }
static inline size_t df_round_up(size_t a, size_t b) { return df_divide_up(a, b) * b; }

#endif
