// The kernels for AVX-512 (F, DQ, BW, VL): sixteen lanes, 32 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

#define ISA DF_ISA_AVX512
#define LANES 16
#define FMA 1
#define TILE_ROWS 14
#define PANEL_VECTORS 2
#define INNER 512
#define DEPTHWISE_VECTORS 2
#define NAME(x) x##__avx512

#define MASK(count) (__mmask16)((1u << (count)) - 1)
#define LOAD_SOME(p, count) (vf)_mm512_maskz_loadu_ps(MASK(count), p)
#define STORE_SOME(p, v, count) _mm512_mask_storeu_ps(p, MASK(count), (__m512)(v))
#define FRACTION(x) (vf)_mm512_reduce_ps((__m512)(x), _MM_FROUND_TO_NEG_INF)
#define TIMES_POWER(p, x) (vf)_mm512_scalef_ps((__m512)(p), (__m512)(x))
#define RECIPROCAL(x) (vf)_mm512_rcp14_ps((__m512)(x))

#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
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
