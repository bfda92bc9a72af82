/* SPDX-License-Identifier: MIT */
#include "products.h"

#include <oneapi/dnnl/dnnl.h>

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
#include <omp.h>
#elif DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_SEQ
#error "oneDNN must have been built with OpenMP or without threads: others cannot be told how many"
#endif

static int product_f32(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       const void *a, const void *b, int accumulate, void *c, uint32_t threads) {
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
  const int before = omp_get_max_threads(); /* the calling thread's own; others are not touched */
  omp_set_num_threads((int)threads);
#else
  (void)threads;
#endif
  dnnl_status_t status =
      dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1, a,
                 transpose_a ? m : k, b, transpose_b ? k : n, accumulate ? 1 : 0, c, n);
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
  omp_set_num_threads(before);
#endif
  return status != dnnl_success;
}

const products products_onednn = { product_f32, NULL };
