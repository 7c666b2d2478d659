// What kernels over RGB8 images have in common.
#ifndef DF_PIXELS_H
#define DF_PIXELS_H

#include <stddef.h>
#include <stdint.h>

/// Rounds to nearest and clamps.
static inline uint8_t df_to_byte(float value) {
  value = value > 0 ? value : 0;
  value = value < 255 ? value : 255;
  return (uint8_t)(int)(value + 0.5f);
}

/// A place beyond the edges mirrored at the edges' pixels, however far.
static inline size_t df_mirrored(ptrdiff_t place, size_t extent) {
  if (extent == 1) return 0;
  ptrdiff_t period = 2 * (ptrdiff_t)(extent - 1);
  ptrdiff_t within = ((place % period) + period) % period;
  return (size_t)(within < (ptrdiff_t)extent ? within : period - within);
}

#endif
