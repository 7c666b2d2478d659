// The kernels for any processor: four lanes, no fused multiply-add.
#define ISA DF_ISA_PORTABLE
#define LANES 4
#define FMA 0
#define TILE_ROWS 6
#define PANEL_VECTORS 2
#define INNER 256
#define DEPTHWISE_VECTORS 1
#define NAME(x) x##__portable

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
