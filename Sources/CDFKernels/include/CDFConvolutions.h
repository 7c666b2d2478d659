// Convolutions, networks' blocks and pools: a part of CDFKernels.h, which includes it.
#ifndef CDFCONVOLUTIONS_H
#define CDFCONVOLUTIONS_H

/// One two-dimensional convolution. Sizes in elements; padding after the input is implied by out_*.
typedef struct df_conv2d {
  size_t batch, in_height, in_width, in_channels;
  size_t out_height, out_width, out_channels;
  size_t kernel_height, kernel_width;
  size_t stride_height, stride_width;
  size_t dilation_height, dilation_width;
  size_t pad_top, pad_left;
  size_t groups;  // divides both channel counts
} df_conv2d;

/// Floats that df_f32_conv2d_pack needs.
size_t df_f32_conv2d_packed_count(const df_conv2d *conv);
/// Packs weights laid out [kernel_height][kernel_width][in_channels / groups][out_channels].
void df_f32_conv2d_pack(const df_conv2d *conv, const float *weights, float *packed);
/// y = epilogue(conv(x)), x NHWC [batch][in_height][in_width][in_channels], y likewise. Any kernel,
/// stride, dilation and groups; zero padding. Depthwise (groups == in_channels == out_channels) has
/// its own kernel and its weights are "packed" as they are. Runs on the pool.
void df_f32_conv2d_packed(
  const df_conv2d *conv, const float *x, const float *packed, float *y,
  const df_epilogue *epilogue);

/// Whether a convolution can be done by Winograd's method: a 3x3 one of stride and dilation 1. A plain one
/// takes a quarter of the multiplications and four times the weights' memory, by F(4x4, 3x3). One of several
/// groups takes 4/9 of the multiplications and 16/9 of the memory, by F(2x2, 3x3).
bool df_f32_winograd_fits(const df_conv2d *conv);
/// Floats that df_f32_winograd_pack needs.
size_t df_f32_winograd_packed_count(const df_conv2d *conv);
/// Transforms and packs weights laid out [3][3][in_channels / groups][out_channels].
void df_f32_winograd_pack(const df_conv2d *conv, const float *weights, float *packed);
/// y = epilogue(conv(x)) by Winograd's method, of the image's pixels x_pixel and y_pixel floats apart, so that x and y can be some channels of wider maps, and different channels of the same.
/// The epilogue's residual is laid out as y. Results differ from df_f32_conv2d_packed's by rounding.
void df_f32_winograd(
  const df_conv2d *conv, const float *x, size_t x_pixel, const float *packed, float *y,
  size_t y_pixel, const df_epilogue *epilogue);

/// The gradient of a convolution's weights (laid out as df_f32_conv2d_pack takes them) from that of its
/// output. The order of summation does not depend on threads.
void df_f32_conv2d_weight_gradient(
  const df_conv2d *conv, const float *x, const float *gradient, float *weights);
/// Floats of workspace that df_f32_conv2d_input_gradient needs.
size_t df_f32_conv2d_input_gradient_space(const df_conv2d *conv);
/// The gradient of a convolution's input from that of its output. Runs on the pool.
void df_f32_conv2d_input_gradient(
  const df_conv2d *conv, const float *gradient, const float *weights, float *space, float *x);

// ---- Inverted bottlenecks -----------------------------------------------------------------------

/// A group norm between a block's layers; no groups: none.
typedef struct df_block_norm {
  size_t groups;
  float epsilon;
  const float *scale, *shift;
} df_block_norm;

/// An inverted bottleneck with squeeze and excitation (EfficientNet's MBConv), for inference: widen, SiLU,
/// filter each channel, SiLU, gate, project, add x. Biases (folded batch norms) may be null.
typedef struct df_mbconv {
  df_conv2d depthwise;  // of the widened maps, groups == channels; dilation 1
  size_t in_channels, squeezed, out_channels;
  const float *widen, *widen_bias;  // df_f32_pack; null where the block does not widen
  const float *filters;             // df_f32_mbconv_pack_filters
  const float *reduce, *reduce_bias, *excite, *excite_bias;  // df_f32_pack; null: no squeeze and excitation
  const float *project, *project_bias;                       // df_f32_pack
  df_block_norm norms[3];  // after widening, filtering and projecting: all or none
  df_activation activation;  // after widening and filtering
  bool has_residual;
} df_mbconv;

/// Floats that df_f32_mbconv_pack_filters writes.
size_t df_f32_mbconv_filters_count(const df_conv2d *depthwise);
/// Packs a depthwise convolution's weights [kernel_height][kernel_width][channels] and its bias (may be null).
void df_f32_mbconv_pack_filters(
  const df_conv2d *depthwise, const float *weights, const float *bias, float *packed);
/// Floats of workspace that df_f32_mbconv needs.
size_t df_f32_mbconv_space(const df_mbconv *block);
/// The block's output [batch][out_height][out_width][out_channels] of x, NHWC. `space` begins at a multiple
/// of 64 bytes. Runs on the pool; no order of summation depends on threads.
void df_f32_mbconv(const df_mbconv *block, const float *x, float *space, float *y);

// ---- Chains of convolutions row by row ------------------------------------------------------------

/// A layer of a chain: a 3x3 depthwise convolution and a pointwise one, or a plain convolution, each
/// padded by half its kernel.
typedef struct df_chain_layer {
  size_t in_channels, out_channels;
  size_t kernel;  // odd, at most DF_CHAIN_KERNEL; 3 where there is a depthwise convolution
  size_t stride;  // 1 or 2
  const float *depthwise;  // by df_f32_chain_pack; null: a plain convolution
  df_activation depthwise_activation;
  float depthwise_slope;
  const float *packed;  // by df_f32_pack: in_channels, or all the taps', by out_channels
  const float *bias;    // may be null
  df_activation activation;
  float slope;
} df_chain_layer;
enum { DF_CHAIN_LAYERS = 16, DF_CHAIN_KERNEL = 7 };

/// NHWC maps, or images of RGB8 bytes that are first multiplied by scale and shifted, by channel; and what
/// is added to the chain's output after its last activation.
typedef struct df_chain_input {
  size_t batch, height, width;
  const float *x;               // null: bytes
  const uint8_t *const *bytes;  // of each image, tightly packed
  float scale[3], shift[3];
  const float *residual;  // laid out as the output; may be null
} df_chain_input;

/// Floats that df_f32_chain_pack needs.
size_t df_f32_chain_packed_count(size_t channels);
/// Packs a depthwise convolution's weights [3][3][channels] and bias, which may be null.
void df_f32_chain_pack(size_t channels, const float *weights, const float *bias, float *packed);
/// A chain's output extent for an extent of its input.
size_t df_chain_extent(const df_chain_layer *layers, size_t count, size_t extent);
/// y = the last layer's output, NHWC, for 1 to DF_CHAIN_LAYERS layers; the first has 3 inputs where it
/// reads bytes. Each layer holds only the rows that the next one needs. Runs on the pool.
void df_f32_run_chain(
  const df_chain_layer *layers, size_t count, const df_chain_input *input, float *y);

// ---- Convolutions row by row from pixels --------------------------------------------------------

/// A layer of a pipeline: a convolution without padding, or a max pool in ceiling mode (the last
/// windows of a row and of a column may reach beyond the input and then hold less).
typedef struct df_pipeline_layer {
  size_t kernel, stride;  // at most DF_PIPELINE_KERNEL; the stride at most the kernel
  size_t in_channels, out_channels;  // equal for a pool
  const float *packed;  // by df_f32_pack: kernel * kernel * in_channels by out_channels; null: a pool
  const float *bias;    // may be null
  const float *slopes;  // PReLU's; null: no activation
} df_pipeline_layer;
enum { DF_PIPELINE_LAYERS = 12, DF_PIPELINE_KERNEL = 7 };

/// Layers one after the other; each holds only the rows that the next one needs. They begin with a
/// byte's (byte - mean) * scale.
typedef struct df_pipeline {
  const df_pipeline_layer *layers;
  size_t count;  // 1 to DF_PIPELINE_LAYERS
  float mean, scale;
} df_pipeline;

/// Some rows and columns of a pipeline's output for a window of RGB8 pixels, which is first brought
/// to another size as PyTorch's "area" does: each pixel is the mean of all that it touches.
typedef struct df_pipeline_job {
  const uint8_t *x;         // the window's first pixel
  size_t x_stride;          // bytes from row to row
  size_t height, width;     // of the window in pixels
  size_t to_height, to_width;  // the size that the first layer sees
  size_t first_row, rows, first_column, columns;  // of the output
  float *y;         // at the first row and column
  size_t y_stride;  // floats from output row to output row
} df_pipeline_job;

/// A pipeline's output extent for an extent of its input; 0 where that is too small.
size_t df_pipeline_extent(const df_pipeline *pipeline, size_t extent);
/// Runs jobs on the pool. What an element is does not depend on how the output is cut into jobs.
void df_u8_run_pipeline(const df_pipeline *pipeline, const df_pipeline_job *jobs, size_t count);

// ---- Pools ------------------------------------------------------------------------------------------

/// The windows of a pool over NHWC maps; padding after the input is implied by out_*.
typedef struct df_pool {
  size_t batch, in_height, in_width, channels;
  size_t out_height, out_width;
  size_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
} df_pool;

/// y = the largest element of each window; a NaN is. Runs on the pool.
void df_f32_max_pool(const df_pool *pool, const float *x, float *y);

#endif
