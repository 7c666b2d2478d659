// Which instruction set is in use.
#include <stdlib.h>
#include <string.h>

#include "include/CDFKernels.h"

bool df_isa_supported(df_isa isa) { return isa == DF_ISA_PORTABLE; }

df_isa df_isa_current(void) { return DF_ISA_PORTABLE; }

bool df_isa_select(df_isa isa) { return df_isa_supported(isa); }

const char *df_isa_name(df_isa isa) {
  switch (isa) {
    case DF_ISA_NEON: return "neon";
    case DF_ISA_AVX2: return "avx2";
    case DF_ISA_AVX512: return "avx512";
    case DF_ISA_PORTABLE: break;
  }
  return "portable";
}
