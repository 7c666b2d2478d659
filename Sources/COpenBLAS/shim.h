// OpenBLAS's C interface and LAPACKE, through pkg-config's include path.
#include <cblas.h>
#include <lapacke.h>
