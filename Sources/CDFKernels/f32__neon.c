// The kernels for 64-bit ARM: four lanes, 32 registers.
#if defined(__aarch64__)
#define ISA DF_ISA_NEON
#define LANES 4
#define FMA 1
#define TILE_ROWS 12
#define PANEL_VECTORS 2
#define INNER 256
#define DEPTHWISE_VECTORS 2
#define NAME(x) x##__neon

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
#endif
