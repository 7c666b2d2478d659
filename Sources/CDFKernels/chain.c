// Chains of 3x3 and separable convolutions, row by row: each layer keeps a ring of the few rows that the
// next one reads, so that maps never leave the second cache. Rows have zeros at either end, and windows
// are read where they lie.
//
// Threads take strips of the output's rows; where two strips meet, both make the rows between.
#include <string.h>

#include "kernels.h"

enum {
  MARGIN = DF_MOST_LANES,  // floats after the end of a row that vectors may touch
  PIXELS_TOGETHER = 112,   // of the output, for a product that reads wide weights
};

/// A layer's output (or, first of all, the input) while a strip is made.
typedef struct stage {
  size_t height, width, channels;
  size_t pad;   // pixels of zeros at either end of a row: the next layer's padding
  size_t next;  // the row to be made next
  size_t ring, pitch;  // rows held, none where the input is read in place; floats from one to the next
  float *rows;
} stage;

typedef struct chain {
  const df_kernels *kernels;
  const df_chain_layer *layers;
  size_t count;
  const df_chain_input *input;
  size_t rows, width, channels;  // of the output
  size_t strips;                 // of an image
  size_t together;               // rows of the output that are made at once
  float *y;
} chain;

typedef struct run {
  const chain *chain;
  size_t image;
  stage stages[DF_CHAIN_LAYERS + 1];
  const float *input;  // the image, where it is read in place
  size_t row_floats, line_floats, last_line_floats;  // of the next three
  float *zeros;  // a row
  float *line, *last_line;  // a row of depthwise outputs; those that the last layer reads at once
} run;

static size_t layer_extent(const df_chain_layer *layer, size_t extent) {
  return (extent - 1) / layer->stride + 1;
}

size_t df_chain_extent(const df_chain_layer *layers, size_t count, size_t extent) {
  if (extent == 0) return 0;
  for (size_t i = 0; i < count; i++) extent = layer_extent(&layers[i], extent);
  return extent;
}

/// Floats of a depthwise convolution's weights for one tap: whole vectors of channels, or one vector
/// of several pixels.
static size_t period(const df_kernels *kernels, size_t channels) {
  return df_round_up(channels, kernels->lanes);
}

size_t df_f32_chain_packed_count(size_t channels) {
  return 10 * period(df_kernels_current(), channels);
}

void df_f32_chain_pack(size_t channels, const float *weights, const float *bias, float *packed) {
  size_t all = period(df_kernels_current(), channels);
  for (size_t tap = 0; tap < 10; tap++) {
    for (size_t i = 0; i < all; i++, packed++) {
      size_t c = i % channels;
      *packed = tap > 0 ? weights[(tap - 1) * channels + c] : bias ? bias[c] : 0;
    }
  }
}

static void read_row(const run *run, size_t row, float *y) {
  const df_chain_input *input = run->chain->input;
  const stage *stage = &run->stages[0];
  size_t count = stage->width * stage->channels;
  size_t offset = (run->image * stage->height + row) * count;
  if (input->x) {
    memcpy(y, input->x + offset, count * sizeof(float));
  } else {
    const uint8_t *bytes = input->bytes[run->image] + row * count;
    run->chain->kernels->normalize(count, bytes, input->scale, input->shift, y);
  }
}

static void make_rows(run *run, size_t index, size_t row, size_t count, float *y);

/// Makes rows of a stage up to `last`.
static void advance(run *run, size_t index, size_t last) {
  stage *stage = &run->stages[index];
  for (; stage->ring > 0 && stage->next <= last; stage->next++) {
    float *row = stage->rows + stage->next % stage->ring * stage->pitch;
    make_rows(run, index, stage->next, 1, row + stage->pad * stage->channels);
  }
}

/// The rows under a layer's output row.
static void find_rows(run *run, size_t index, size_t row, const float *rows[]) {
  const df_chain_layer *layer = &run->chain->layers[index - 1];
  const stage *from = &run->stages[index - 1];
  size_t kernel = layer->kernel, pad = kernel / 2, top = row * layer->stride;
  advance(run, index - 1, df_min(top + kernel - 1 - pad, from->height - 1));
  for (size_t i = 0; i < kernel; i++) {
    bool inside = top + i >= pad && top + i - pad < from->height;
    size_t at = top + i - pad;
    if (!inside) {
      rows[i] = run->zeros;
    } else if (from->ring > 0) {
      rows[i] = from->rows + at % from->ring * from->pitch;
    } else {
      rows[i] = run->input + at * from->pitch;
    }
  }
}

/// Makes neighbouring rows of a layer's output; of all but the last layer, one.
static void make_rows(run *run, size_t index, size_t row, size_t count, float *y) {
  if (index == 0) {
    read_row(run, row, y);
    return;
  }
  const chain *chain = run->chain;
  const df_chain_layer *layer = &chain->layers[index - 1];
  const stage *from = &run->stages[index - 1], *to = &run->stages[index];
  bool is_last = index == chain->count;
  const float *rows[DF_CHAIN_KERNEL];
  size_t segments = layer->kernel, k = layer->kernel * layer->in_channels;
  size_t lda = layer->stride * layer->in_channels;
  if (layer->depthwise) {
    float *line = is_last ? run->last_line : run->line;
    for (size_t i = 0; i < count; i++) {
      find_rows(run, index, row + i, rows);
      chain->kernels->chain_row(&(df_chain_row){
        .rows = rows, .channels = layer->in_channels, .stride = layer->stride,
        .width = to->width, .in_width = from->ring > 0 ? 0 : from->width,
        .weights = layer->depthwise, .period = period(chain->kernels, layer->in_channels),
        .activation = layer->depthwise_activation, .slope = layer->depthwise_slope,
        .y = line + i * to->width * layer->in_channels});
    }
    rows[0] = line;
    segments = 1;
    k = lda = layer->in_channels;
  } else {
    find_rows(run, index, row, rows);
  }
  const float *residual = chain->input->residual;
  chain->kernels->gemm_block(&(df_gemm_block){
    .rows = count * to->width, .columns = layer->out_channels, .k = k, .segments = segments,
    .a = rows, .lda = lda, .b = layer->packed,
    .panel_stride = segments * k * chain->kernels->panel, .c = y, .ldc = layer->out_channels,
    .first = true, .last = true, .bias = layer->bias,
    .residual = is_last && residual ? residual + (y - chain->y) : NULL,
    .activation = layer->activation, .slope = layer->slope});
}

/// Sizes of all that a strip needs. Returns the floats of it.
static size_t plan(run *run, size_t first_row) {
  const chain *chain = run->chain;
  stage *stages = run->stages;
  stages[0] = (stage){
    .height = chain->input->height, .width = chain->input->width,
    .channels = chain->layers[0].in_channels};
  size_t line = 0, last_line = 0, floats = 0, longest = 0;
  for (size_t i = 0; i < chain->count; i++) {
    const df_chain_layer *layer = &chain->layers[i];
    stages[i + 1] = (stage){
      .height = layer_extent(layer, stages[i].height),
      .width = layer_extent(layer, stages[i].width), .channels = layer->out_channels};
    stages[i].ring = layer->kernel;
    stages[i].pad = layer->kernel / 2;
    size_t row = (stages[i].width + 2 * stages[i].pad) * stages[i].channels + MARGIN;
    // An odd number of cache lines, so that rows do not fall into the same places of a cache.
    stages[i].pitch = (df_divide_up(row, DF_MOST_LANES) | 1) * DF_MOST_LANES;
    longest = df_max(longest, stages[i].pitch);
    if (i == 0 && layer->depthwise && chain->input->x) {
      // The kernel minds the ends of its rows: they can be read where they are.
      stages[0].ring = 0;
      stages[0].pitch = stages[0].width * stages[0].channels;
    }
    floats += stages[i].ring * stages[i].pitch;
    if (layer->depthwise) {
      bool is_last = i + 1 == chain->count;
      size_t row = stages[i + 1].width * stages[i].channels;
      size_t *of = is_last ? &last_line : &line;
      *of = df_max(*of, (is_last ? chain->together : 1) * row + MARGIN);
    }
  }
  // From the last layer to the first: what it takes to make the first row.
  stages[chain->count].next = first_row;
  for (size_t i = chain->count; i > 0; i--) {
    size_t top = stages[i].next * chain->layers[i - 1].stride, pad = stages[i - 1].pad;
    stages[i - 1].next = top > pad ? top - pad : 0;
  }
  run->row_floats = longest;
  run->line_floats = df_round_up(line, DF_MOST_LANES);
  run->last_line_floats = df_round_up(last_line, DF_MOST_LANES);
  return floats + run->row_floats + run->line_floats + run->last_line_floats;
}

static void run_strip(void *context, size_t index) {
  const chain *chain = context;
  run run = {.chain = chain, .image = index / chain->strips};
  size_t strip = index % chain->strips, each = df_divide_up(chain->rows, chain->strips);
  size_t first = df_min(chain->rows, strip * each), last = df_min(chain->rows, first + each);
  if (first == last) return;
  size_t floats = plan(&run, first);
  float *memory = df_scratch(DF_SCRATCH_TASK, floats);
  memset(memory, 0, floats * sizeof(float));
  for (size_t i = 0; i < chain->count; i++) {
    run.stages[i].rows = memory;
    memory += run.stages[i].ring * run.stages[i].pitch;
  }
  run.zeros = memory;
  run.line = run.zeros + run.row_floats;
  run.last_line = run.line + run.line_floats;
  if (run.stages[0].ring == 0) {
    run.input = chain->input->x + run.image * run.stages[0].height * run.stages[0].pitch;
  }
  size_t row = chain->width * chain->channels;
  for (size_t i = first; i < last; i += chain->together) {
    make_rows(
      &run, chain->count, i, df_min(chain->together, last - i),
      chain->y + (run.image * chain->rows + i) * row);
  }
}

void df_f32_run_chain(
  const df_chain_layer *layers, size_t count, const df_chain_input *input, float *y) {
  if (input->batch == 0 || input->height == 0 || input->width == 0) return;
  chain chain = {
    .kernels = df_kernels_current(), .layers = layers, .count = count, .input = input,
    .rows = df_chain_extent(layers, count, input->height),
    .width = df_chain_extent(layers, count, input->width),
    .channels = layers[count - 1].out_channels, .y = y};
  chain.together = layers[count - 1].depthwise ? df_max(1, PIXELS_TOGETHER / chain.width) : 1;
  // Strips of a longer chain share rows: no more of them than keep the threads busy. Others are at least
  // what is made at once, where that leaves each thread one.
  size_t threads = (size_t)df_thread_count();
  size_t most = df_divide_up(chain.rows, chain.together);
  most = count > 1 || threads == 1 ? threads : df_max(threads, df_min(4 * threads, most));
  chain.strips = df_min(chain.rows, df_divide_up(most, input->batch));
  df_parallel_for(input->batch * chain.strips, run_strip, &chain);
}
