// The kernels for AVX2 with FMA: eight lanes, 16 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

#define ISA DF_ISA_AVX2
#define LANES 8
#define FMA 1
#define TILE_ROWS 6
#define PANEL_VECTORS 2
#define INNER 384
#define DEPTHWISE_VECTORS 1
#define NAME(x) x##__avx2

static const int first_lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
#define MASK(count) _mm256_loadu_si256((const __m256i *)(const void *)(first_lanes + 8 - (count)))
#define LOAD_SOME(p, count) (vf)_mm256_maskload_ps(p, MASK(count))
#define STORE_SOME(p, v, count) _mm256_maskstore_ps(p, MASK(count), (__m256)(v))

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "simd.inc"
#include "f32_pack.inc"
#include "f32_gemm.inc"
#include "f32_depthwise.inc"
#include "f32_pipeline.inc"
#include "f32_winograd.inc"
#include "f32_winograd2.inc"
#include "f32_chain.inc"
#include "f32_outer.inc"
#include "f32_gradients.inc"
#include "f32_lstm.inc"
#include "f32_elementwise.inc"
#pragma clang attribute pop
#endif
