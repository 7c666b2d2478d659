// Small networks over pixels, row by row: each layer keeps a ring of as many rows as the next one's
// kernel has, so that all of it stays in the nearest caches. A convolution's row is a product whose
// rows of A, the windows, are read where they lie: kernel_height runs each.
#include "kernels.h"

/// Pixels and floats after the end of a row that vectors may touch.
enum { MARGIN = DF_MOST_LANES };

/// A layer's output (or, first of all, the resized pixels) while a job runs.
typedef struct stage {
  size_t height, width, channels;  // of the whole map
  size_t first_column, columns;    // what the job needs of each row
  size_t next;                     // the row to be made next
  size_t ring, pitch;              // rows held, and floats from one to the next
  float *rows;
} stage;

typedef struct run {
  const df_kernels *kernels;
  const df_pipeline *pipeline;
  const df_pipeline_job *job;
  stage stages[DF_PIPELINE_LAYERS + 1];
  float *line;     // for a pool
  size_t left, right;  // columns of the window that the job reads
  uint32_t *sums;  // of the window's bytes: three for each pixel
  uint32_t *before;  // of all pixels before one: four for each pixel and the end
} run;

static size_t layer_extent(const df_pipeline_layer *layer, size_t extent) {
  if (extent == 0) return 0;
  if (layer->packed) return extent < layer->kernel ? 0 : (extent - layer->kernel) / layer->stride + 1;
  // Every pixel is in a window, and no window begins beyond the last pixel.
  if (extent <= layer->kernel) return 1;
  size_t count = df_divide_up(extent - layer->kernel, layer->stride) + 1;
  return (count - 1) * layer->stride >= extent ? count - 1 : count;
}

size_t df_pipeline_extent(const df_pipeline *pipeline, size_t extent) {
  for (size_t i = 0; i < pipeline->count; i++) extent = layer_extent(&pipeline->layers[i], extent);
  return extent;
}

/// The first of `in` pixels that output `i` of `out` touches; that of i + 1 without the fraction's
/// pixel ends it.
static size_t bin_start(size_t i, size_t in, size_t out) {
  return in / out * i + in % out * i / out;
}

static size_t bin_end(size_t i, size_t in, size_t out) {
  return bin_start(i, in, out) + in / out + ((in % out * i % out + in % out) + out - 1) / out;
}

typedef uint32_t four_sums __attribute__((ext_vector_type(4)));
typedef int32_t four_integers __attribute__((ext_vector_type(4)));
typedef float four_floats __attribute__((ext_vector_type(4)));
typedef four_sums four_sums_anywhere __attribute__((aligned(4), may_alias));
typedef four_floats four_floats_anywhere __attribute__((aligned(4), may_alias));

/// A row of the resized window: a pixel's sum is the difference of two sums from the left, which may
/// wrap around. Three channels are worked on as four: what the fourth lane holds is overwritten by the
/// next pixel.
static void make_pixels(const run *run, size_t row, float *y) {
  const df_pipeline_job *job = run->job;
  const stage *stage = &run->stages[0];
  size_t out = job->to_width, in = job->width;
  size_t top = bin_start(row, job->height, job->to_height);
  size_t rows = bin_end(row, job->height, job->to_height) - top;
  size_t left = run->left, right = run->right;
  run->kernels->byte_sums(
    (right - left) * 3, rows, job->x + top * job->x_stride + left * 3, job->x_stride,
    (int32_t *)run->sums);

  four_sums *before = (four_sums *)(void *)run->before, total = 0;
  for (size_t i = 0; i < right - left; i++) {
    before[i] = total;
    total += *(const four_sums_anywhere *)(run->sums + 3 * i);
  }
  before[right - left] = total;

  float mean = run->pipeline->mean, scale = run->pipeline->scale;
  size_t whole = in / out, part = in % out;
  // A pixel is made of as many columns as fit in, and up to two that it shares.
  float pixels[3];
  for (size_t i = 0; i < 3; i++) pixels[i] = (float)((whole + i) * rows);
  const four_sums *start = before;
  size_t fraction = part * stage->first_column % out;
  for (size_t i = 0; i < stage->columns; i++, y += 3) {
    size_t after = fraction + part, shared = (size_t)(after > out) + (after > 0);
    four_sums sum = start[whole + shared] - *start;
    four_floats value = __builtin_convertvector((four_integers)sum, four_floats) / pixels[shared];
    *(four_floats_anywhere *)y = (value - mean) * scale;
    start += whole + (after >= out);
    fraction = after >= out ? after - out : after;
  }
}

static void make_row(run *run, size_t index, size_t row, float *y);

/// Makes rows of a stage up to `last`.
static void advance(run *run, size_t index, size_t last) {
  stage *stage = &run->stages[index];
  for (; stage->next <= last; stage->next++) {
    make_row(run, index, stage->next, stage->rows + stage->next % stage->ring * stage->pitch);
  }
}

static void make_row(run *run, size_t index, size_t row, float *y) {
  if (index == 0) {
    make_pixels(run, row, y);
    return;
  }
  const df_pipeline_layer *layer = &run->pipeline->layers[index - 1];
  const stage *from = &run->stages[index - 1], *to = &run->stages[index];
  size_t first = row * layer->stride, count = df_min(layer->kernel, from->height - first);
  advance(run, index - 1, first + count - 1);
  const float *rows[DF_PIPELINE_KERNEL];
  size_t offset = (to->first_column * layer->stride - from->first_column) * layer->in_channels;
  for (size_t i = 0; i < count; i++) {
    rows[i] = from->rows + (first + i) % from->ring * from->pitch + offset;
  }
  if (!layer->packed) {
    run->kernels->pool_row(&(df_pool_row){
      .x = rows, .rows = count, .channels = layer->in_channels, .kernel = layer->kernel,
      .in_width = from->columns - offset / layer->in_channels, .stride = layer->stride,
      .width = to->columns, .line = run->line, .y = y});
    return;
  }
  size_t line = layer->kernel * layer->in_channels;
  run->kernels->gemm_block(&(df_gemm_block){
    .rows = to->columns, .columns = layer->out_channels, .k = line, .segments = layer->kernel,
    .a = rows, .lda = layer->stride * layer->in_channels, .b = layer->packed,
    .panel_stride = layer->kernel * line * run->kernels->panel, .c = y,
    .ldc = layer->out_channels, .first = true, .last = true, .bias = layer->bias,
    .activation = layer->slopes ? DF_LEAKY_RELU : DF_IDENTITY, .slopes = layer->slopes});
}

/// Of `sums`, so that what follows is aligned.
static size_t sums_size(const run *run) {
  return df_round_up((run->right - run->left) * 3 + MARGIN, DF_MOST_LANES);
}

/// What each stage has to hold for the job, from the last to the first. Returns the floats needed.
static size_t plan(run *run) {
  const df_pipeline *pipeline = run->pipeline;
  const df_pipeline_job *job = run->job;
  stage *stages = run->stages;
  size_t count = pipeline->count;
  stages[0] = (stage){.height = job->to_height, .width = job->to_width, .channels = 3};
  for (size_t i = 0; i < count; i++) {
    const df_pipeline_layer *layer = &pipeline->layers[i];
    stages[i + 1] = (stage){
      .height = layer_extent(layer, stages[i].height),
      .width = layer_extent(layer, stages[i].width), .channels = layer->out_channels};
  }
  stages[count].first_column = job->first_column;
  stages[count].columns = job->columns;
  stages[count].next = job->first_row;
  size_t floats = 0, pool = 0;
  for (size_t i = count; i > 0; i--) {
    const df_pipeline_layer *layer = &pipeline->layers[i - 1];
    const stage *to = &stages[i];
    stage *from = &stages[i - 1];
    from->first_column = to->first_column * layer->stride;
    size_t end = (to->first_column + to->columns - 1) * layer->stride + layer->kernel;
    from->columns = df_min(end, from->width) - from->first_column;
    from->next = to->next * layer->stride;
    from->ring = layer->kernel;
    from->pitch = df_round_up(from->columns * from->channels + MARGIN, DF_MOST_LANES);
    floats += from->ring * from->pitch;
    if (!layer->packed) pool = df_max(pool, from->pitch);
  }
  size_t end = stages[0].first_column + stages[0].columns;
  run->left = bin_start(stages[0].first_column, job->width, job->to_width);
  run->right = bin_end(end - 1, job->width, job->to_width);
  return floats + pool + sums_size(run) + (run->right - run->left + 1) * 4;
}

typedef struct jobs {
  const df_kernels *kernels;
  const df_pipeline *pipeline;
  const df_pipeline_job *jobs;
} jobs;

static void run_job(void *context, size_t index) {
  const jobs *jobs = context;
  run run = {.kernels = jobs->kernels, .pipeline = jobs->pipeline, .job = &jobs->jobs[index]};
  float *memory = df_scratch(DF_SCRATCH_TASK, plan(&run));
  size_t count = run.pipeline->count, pool = 0;
  for (size_t i = 0; i < count; i++) {
    run.stages[i].rows = memory;
    memory += run.stages[i].ring * run.stages[i].pitch;
    if (!run.pipeline->layers[i].packed) pool = df_max(pool, run.stages[i].pitch);
  }
  run.line = memory;
  run.sums = (uint32_t *)(void *)(memory + pool);
  run.before = run.sums + sums_size(&run);
  for (size_t i = 0; i < run.job->rows; i++) {
    make_row(&run, count, run.job->first_row + i, run.job->y + i * run.job->y_stride);
  }
}

void df_u8_run_pipeline(const df_pipeline *pipeline, const df_pipeline_job *list, size_t count) {
  jobs jobs = {df_kernels_current(), pipeline, list};
  df_parallel_for(count, run_job, &jobs);
}
