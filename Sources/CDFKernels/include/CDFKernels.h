// The SIMD kernels of dfkit. Everything is Float32; activations are NHWC; a pixel's channels are
// contiguous. Names are df_<type>_<operation>. Each kernel is written once over a vector width and
// compiled per instruction set (AVX2+FMA, AVX-512, NEON, portable); one is chosen when first used.
#ifndef CDFKERNELS_H
#define CDFKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Instruction sets -------------------------------------------------------------------------

typedef enum df_isa {
  DF_ISA_PORTABLE = 0,
  DF_ISA_NEON = 1,
  DF_ISA_AVX2 = 2,
  DF_ISA_AVX512 = 3,
} df_isa;

/// The instruction set in use: the best that the processor has, unless the environment's DFKIT_ISA
/// (portable, neon, avx2, avx512) names a lesser one.
df_isa df_isa_current(void);
/// Whether this processor (and this build) can run `isa`.
bool df_isa_supported(df_isa isa);
/// Uses `isa` for what the calling thread asks for from now on, on whichever threads that runs (for
/// tests); returns false and changes nothing if it cannot. Weights packed under one instruction set
/// are only valid under it.
bool df_isa_select(df_isa isa);
/// "portable", "neon", "avx2" or "avx512".
const char *df_isa_name(df_isa isa);

// ---- Threads ----------------------------------------------------------------------------------

/// Calls body(context, i) once for every i in 0..<count, on the caller and on the pool's workers.
/// Nested calls, and calls while another caller has the pool, run on the calling thread alone.
/// Which thread takes which index is not fixed; what a body computes must not depend on it.
void df_parallel_for(size_t count, void (*body)(void *context, size_t index), void *context);
/// Whether df_parallel_for on the calling thread leaves the pool to other threads and runs there alone,
/// for threads that work beside those that need the pool.
void df_keep_to_thread(bool keep);
/// Threads that df_parallel_for uses, the caller included. Starts as the processors available.
int df_thread_count(void);
/// Sets that number (1 to 256). Takes effect with the next df_parallel_for.
void df_set_thread_count(int count);
/// Whether df_parallel_for on the calling thread runs there alone: inside another call of it, and where
/// df_keep_to_thread says so.
bool df_is_kept_to_thread(void);

// ---- Activations and epilogues ----------------------------------------------------------------

typedef enum df_activation {
  DF_IDENTITY = 0,
  DF_RELU = 1,
  DF_LEAKY_RELU = 2,  // negative inputs times slope
  DF_SILU = 3,        // x * sigmoid(x)
  DF_SIGMOID = 4,
  DF_RELU6 = 5,       // inputs held in 0...6
} df_activation;

/// What happens to an output element y in channel c, in this order:
/// y += bias[c] (if bias); y = activation(y);
/// y += residual (if residual, which is laid out as the output).
typedef struct df_epilogue {
  const float *bias;
  const float *residual;
  df_activation activation;
  float slope;
  const float *slopes;  // DF_LEAKY_RELU's slope of each channel, instead of slope, if not null: PReLU.
                        // Not for depthwise convolutions.
  bool residual_first;  // y += residual comes before DF_RELU. Only for df_f32_gemm_packed.
} df_epilogue;

/// y[i] = activation(x[i]); x and y may be the same.
void df_f32_activate(size_t count, const float *x, float *y, df_activation activation, float slope);

/// y[i] = gradient[i] * the activation's slope at x[i], which is 0 at 0 for ReLU, as PyTorch's; y may be
/// x or gradient.
void df_f32_activation_gradient(
  size_t count, const float *x, const float *gradient, float *y, df_activation activation,
  float slope);

// ---- Products with packed weights -------------------------------------------------------------

/// Floats that df_f32_pack needs for a K x N matrix.
size_t df_f32_packed_count(size_t k, size_t n);
/// Packs a row-major K x N matrix (row stride ldb) in panels of the register tile's width.
void df_f32_pack(size_t k, size_t n, const float *b, size_t ldb, float *packed);

/// The same for a K x N matrix that lies transposed: b is N x K (row stride ldb).
void df_f32_pack_transposed(size_t k, size_t n, const float *b, size_t ldb, float *packed);

/// Multiplies each column of a packed K x N matrix by its scale, in double precision.
void df_f32_scale_packed(size_t k, size_t n, const double *scale, float *packed);

/// C = epilogue(A * B): A is M x K (row stride lda), B packed by df_f32_pack, C is M x N (row
/// stride ldc; a residual has the same row stride). Runs on the pool.
void df_f32_gemm_packed(
  size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, float *c,
  size_t ldc, const df_epilogue *epilogue);

/// C = A transposed * B: A is terms x rows (row stride lda), B terms x columns (ldb), C rows x columns
/// (ldc). Runs on the pool; the order of summation does not depend on threads.
void df_f32_gemm_transposed(
  size_t terms, size_t rows, size_t columns, const float *a, size_t lda, const float *b,
  size_t ldb, float *c, size_t ldc);

#include "CDFConvolutions.h"

// ---- Norms and reductions over pixels ---------------------------------------------------------

/// y = activation(x * scale[c] + shift[c]) over `rows` pixels of `channels`; x and y may be the
/// same.
void df_f32_scale_shift(
  size_t rows, size_t channels, const float *x, const float *scale, const float *shift, float *y,
  df_activation activation, float slope);

/// Group normalisation (Wu and He 2018) of x [batch][pixels][channels], then the activation, then
/// the residual's addition if residual is not null. x and y may be the same. When statistics
/// is not null it receives, [batch][groups][4], each group's mean, what the mean lost as a Float32, the same
/// of 1 / deviation, and y may then be null. As one image with as many groups as channels this is a batch
/// norm by the batch's own statistics.
void df_f32_group_norm(
  size_t batch, size_t pixels, size_t channels, size_t groups, float epsilon, const float *x,
  const float *scale, const float *shift, const float *residual, float *y,
  df_activation activation, float slope, float *statistics);

/// df_f32_group_norm's output, the same to the bit, from the statistics that it wrote.
void df_f32_group_norm_again(
  size_t batch, size_t pixels, size_t channels, size_t groups, const float *x,
  const float *statistics, const float *scale, const float *shift, float *y,
  df_activation activation, float slope);

/// The gradients of a group norm and its activation from that of its output. `fixed` means that the
/// statistics are not x's. x_gradient may be null, or the output's gradient.
void df_f32_group_norm_gradient(
  size_t batch, size_t pixels, size_t channels, size_t groups, const float *x,
  const float *gradient, const float *statistics, bool fixed, const float *scale,
  const float *shift, df_activation activation, float slope, float *x_gradient,
  float *scale_gradient, float *shift_gradient);

/// Each channel's mean and biased variance over `rows` pixels, at least one.
void df_f32_channel_statistics(
  size_t rows, size_t channels, const float *x, float *mean, float *variance);

/// sums[b][c] = sum over pixels of x[b][pixel][c].
void df_f32_pixel_sums(
  size_t batch, size_t pixels, size_t channels, const float *x, float *sums);

/// sums[b][c] = sum over pixels of a[b][pixel][c] * b[b][pixel][c].
void df_f32_pixel_dots(
  size_t batch, size_t pixels, size_t channels, const float *a, const float *b, float *sums);

/// y[b][pixel][c] = x[b][pixel][c] * scale[b][c] + shift[b][c] (if shift); x and y may be the same.
void df_f32_scale_channels(
  size_t batch, size_t pixels, size_t channels, const float *x, const float *scale,
  const float *shift, float *y);

/// y[i] = a[i] + b[i]; y may be a or b.
void df_f32_add(size_t count, const float *a, const float *b, float *y);

// ---- Long short-term memory -------------------------------------------------------------------

/// One step of one sequence (Hochreiter and Schmidhuber 1997), on the calling thread. `gates` is
/// [4][hidden]: input, forget, candidate, output. It holds the part of their sums that comes from the input,
/// and receives the gates themselves; `recurrent`, laid out alike, is the part that comes from the output
/// before. `cell` is updated.
void df_f32_lstm_step(
  size_t hidden, float *gates, const float *recurrent, float *cell, float *output);

/// The part of the gates' sums [batch][4][hidden] that comes from the outputs [batch][hidden] of the step
/// before; `packed` are the weights [hidden][4][hidden] by df_f32_pack. Steps that alternate `backward` read
/// less from afar; the sums are the same. Runs on the pool.
void df_f32_lstm_product(
  size_t batch, size_t hidden, const float *outputs, const float *packed, bool backward,
  float *sums);

/// The gradients of such a step's sums from that of its output, on the calling thread. `cell` is the cell
/// after the step, `cell_before` that before it (null: zeros). `cell_gradient` holds what later steps ask of
/// the cell after the step, and receives the gradient of the cell before it.
void df_f32_lstm_step_gradient(
  size_t hidden, const float *gates, const float *cell_before, const float *cell,
  const float *output_gradient, float *cell_gradient, float *gates_gradient);

// ---- Pixels -----------------------------------------------------------------------------------

/// y[i][c] = x[i][order[c]] * scale[c] + shift[c] for RGB8 pixels; order is a permutation of 0..2
/// (RGB: 0 1 2, BGR: 2 1 0).
void df_u8_normalize(
  size_t pixels, const uint8_t *x, const uint8_t order[3], const float scale[3],
  const float shift[3], float *y);

typedef enum df_resample {
  DF_NEAREST = 0,   // source pixel floor(x * in / out), as PyTorch's "nearest"
  DF_BILINEAR = 1,  // half-pixel centres, no antialias, as PyTorch's align_corners=False
  DF_AREA = 2,  // box average along an axis that shrinks, as OpenCV's; bilinear along one that grows
} df_resample;

/// Resizes x [in_height][in_width][channels] (row stride in bytes given) to y, tightly packed,
/// rounding half to even. Returns false when memory runs out.
bool df_u8_resize(
  size_t in_height, size_t in_width, size_t channels, const uint8_t *x, size_t x_stride,
  size_t out_height, size_t out_width, uint8_t *y, df_resample method);
/// The same for Float32, row stride in elements.
bool df_f32_resize(
  size_t in_height, size_t in_width, size_t channels, const float *x, size_t x_stride,
  size_t out_height, size_t out_width, float *y, df_resample method);

/// The gradient of df_f32_resize's input (tightly packed) from that of its output, on the calling
/// thread. Returns false when memory runs out.
bool df_f32_resize_gradient(
  size_t in_height, size_t in_width, size_t channels, size_t out_height, size_t out_width,
  const float *gradient, float *x, df_resample method);

/// Warps RGB8 x [in_height][in_width] (row stride in bytes given, the image not empty) to y, tightly
/// packed. `map` takes an output pixel (column, row) to the input's: m0 * column + m1 * row + m2 and
/// m3 * column + m4 * row + m5; whole numbers are pixels' centres. Each output pixel is the mean of
/// grid x grid bilinear samples spread evenly over it. Outside the input is black, or its nearest
/// pixel.
void df_u8_warp(
  size_t in_height, size_t in_width, const uint8_t *x, size_t x_stride, const double map[6],
  size_t grid, bool replicate, size_t out_height, size_t out_width, uint8_t *y);

// ---- Changes of RGB8 images, on the calling thread ----------------------------------------------

/// y[i] = table[x[i]]; x and y may be the same.
void df_u8_look_up(size_t count, const uint8_t *x, const uint8_t table[256], uint8_t *y);
/// counts is [3][256]: how many pixels have each value in each channel.
void df_u8_histograms(size_t pixels, const uint8_t *x, uint32_t *counts);
/// All channels become 0.299 R + 0.587 G + 0.114 B; x and y may be the same.
void df_u8_grey(size_t pixels, const uint8_t *x, uint8_t *y);
/// Hue is turned by `hue` (1 is a whole turn), saturation and value, 0 to 1, are added to and held there;
/// x and y may be the same.
void df_u8_shift_hsv(
  size_t pixels, const uint8_t *x, float hue, float saturation, float value, uint8_t *y);

/// A tap of a filter: what is `right` and `down` of a pixel, times `weight`.
typedef struct df_tap {
  int right, down;
  float weight;
} df_tap;
/// y = the sum of taps, rounded; beyond an edge the image is mirrored at the edge's pixels. Returns false when memory
/// runs out.
bool df_u8_filter(
  size_t height, size_t width, const uint8_t *x, size_t taps, const df_tap *tap, uint8_t *y);

/// y = x + deviations[x] * a random number of the table of 4096 that a generator seeded with `seed` picks,
/// held in 0...255; where `is_grey`, a pixel's channels get one number. x and y may be the same.
void df_u8_add_noise(
  size_t pixels, const uint8_t *x, const float deviations[256], const float table[4096],
  uint64_t seed, bool is_grey, uint8_t *y);
/// y = (1 - share) * x + share * other, rounded; y may be either.
void df_u8_mix(size_t count, const uint8_t *x, const uint8_t *other, float share, uint8_t *y);

// ---- Blending of RGB8 images, on the calling thread ---------------------------------------------

/// Each channel by a table of its own, red, green, blue; x and y may be the same.
void df_u8_look_up_channels(
  size_t pixels, const uint8_t *x, const uint8_t table[3 * 256], uint8_t *y);
/// y = x plus `amount` times what a binomial blur over 3 x 3 pixels takes away; beyond an edge the image is
/// mirrored at the edge's pixels.
void df_u8_sharpen(size_t height, size_t width, const uint8_t *x, float amount, uint8_t *y);
/// y [height][width] = the part of each pixel, 0 to 1, that a polygon of `count` points (x, y) covers, by the
/// even-odd rule: exact along rows, by four lines a row across them. Whole numbers are pixels' centres. Points
/// must be finite; a polygon crosses a row at most 64 times.
void df_f32_fill_polygon(
  size_t height, size_t width, size_t count, const float *points, float *y);
/// y = x blurred along both axes by weights[0] at the middle and weights[t] at `t` on either side, up to
/// `radius`; beyond an edge the map is mirrored at the edge's elements. x and y may be the same. Returns false
/// when memory runs out.
bool df_f32_blur(
  size_t height, size_t width, const float *x, size_t radius, const float *weights, float *y);
/// y = 0 up to `low`, 1 from `high`, which is more, and a line between; x and y may be the same.
void df_f32_ramp(size_t count, const float *x, float low, float high, float *y);
/// Warps RGB8 x to y [height][width] by bilinear samples: an output pixel is first moved by the uniform cubic
/// B-spline of `lattice` [cells + 3][cells + 3][2] (right, down, in pixels), whose cells divide the output
/// evenly, then taken to the input by `map` as in df_u8_warp; whole numbers are pixels' centres. Outside the
/// input is its nearest pixel. Sides are below 2^24. Returns false when memory runs out.
bool df_u8_warp_elastic(
  size_t in_height, size_t in_width, const uint8_t *x, const double map[6], size_t cells,
  const float *lattice, size_t height, size_t width, uint8_t *y);
/// sums = each channel's weighted sum, then those of the channels' squares, then the weights'.
void df_u8_weighted_sums(
  size_t pixels, const uint8_t *x, const float *weights, double sums[7]);
/// y = x + share * mask * (other - x), rounded; the product must be within 0 to 1. y may be either.
void df_u8_blend(
  size_t pixels, const uint8_t *x, const uint8_t *other, const float *mask, float share,
  uint8_t *y);

// ---- Fingerprints of pictures, each on the calling thread ---------------------------------------

/// One grey byte of each RGB pixel, as Pillow's "L".
void df_u8_luma(size_t pixels, const uint8_t *x, uint8_t *y);
/// Sums over pixels of red, green and blue, of their squares, and of saturation: the share of the strongest
/// channel by which it exceeds the weakest.
typedef struct df_color_sums {
  uint64_t sum[3], squares[3];
  double saturation;
} df_color_sums;
void df_u8_color_sums(size_t pixels, const uint8_t *x, df_color_sums *sums);
/// Sums over a grey picture. Inside: the Laplacian (four neighbours less four times the pixel), its square
/// and the magnitude of Immerkaer's noise mask. Magnitudes of steps between neighbours: within blocks of 8x8
/// and across their borders.
typedef struct df_detail {
  double laplacian, laplacian_squares, noise, inner_steps, border_steps;
} df_detail;
void df_u8_detail(size_t height, size_t width, const uint8_t *x, df_detail *detail);
/// A 64-bit hash of bytes: not for security.
uint64_t df_u8_hash(size_t count, const uint8_t *x, uint64_t seed);
/// A point of a picture that is found again in its copies.
typedef struct df_keypoint {
  float x, y;     // pixels from the first pixel's centre
  float scale;    // the extent of what is seen there, in pixels
  float strength;  // its contrast
  uint64_t code;  // what its surroundings look like; the mirror image's differs in the bits 0x5555...
} df_keypoint;
enum { DF_KEYPOINT_SIDE = 64 };
/// The strongest points of a square grey picture of DF_KEYPOINT_SIDE, at most `most`, the strongest first;
/// returns their number.
size_t df_f32_keypoints(const float *grey, size_t most, df_keypoint *points);
/// A grey picture at another size by Lanczos' filter, to the bit as Pillow's LANCZOS. False when memory is
/// out. No extent may be zero.
bool df_u8_lanczos(
  size_t in_height, size_t in_width, const uint8_t *x, size_t out_height, size_t out_width,
  uint8_t *y);
/// sums[row] = the dot product of `count` bytes of each row of `x` with those of `y`; at most 2^17 of them.
void df_i8_dots(size_t rows, size_t count, const int8_t *x, const int8_t *y, int32_t *sums);
/// Where a square picture lies in another of its size: scaled about the middle, then moved, in pixels; its
/// mirror image where told.
typedef struct df_placement {
  float scale, right, down;
  bool mirrored;
} df_placement;
/// The correlation (-1 to 1) of `b` with what lies there in `a`, over the part that both show. -1 where that is
/// less than `least` of the picture, or has no contrast. Sides are 2 to 64. `only_detail` leaves out what is
/// larger than a few pixels: bright faces before dark walls are alike otherwise.
float df_u8_placed_correlation(
  size_t side, const uint8_t *a, const uint8_t *b, df_placement placement, float least,
  bool only_detail);
/// A square grey picture of a side of at most 64 at a smaller one, so blurred that it can be moved by
/// parts of a pixel.
void df_f32_thumbnail(size_t in_side, const float *x, size_t out_side, uint8_t *y);

// ---- What this machine can do -------------------------------------------------------------------

/// Runs `rounds` of independent multiply-adds of `isa` in registers, on the calling thread, and returns how
/// many they were, counting each lane: 0 where `isa` cannot run. *result keeps them from being left out.
size_t df_f32_run_multiply_adds(df_isa isa, size_t rounds, float *result);
/// The sum of `count` floats, read as fast as `isa` can; 0 where it cannot run. In no useful order.
float df_f32_read(df_isa isa, size_t count, const float *x);
/// Bytes of a processor's cache of that level (2 or 3); 0 where unknown.
size_t df_cache_bytes(int level);

#ifdef __cplusplus
}
#endif

#endif
