/* SPDX-License-Identifier: MIT */
#include "products.h"

#include <cblas.h>

/* OpenBLAS keeps one number of threads for the whole process. The lock keeps two models from
 * changing it under each other: the price of putting it back. Other libraries are left to their own
 * setting. */
#ifdef HAVE_OPENBLAS_THREADS
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int enter(uint32_t threads) {
  pthread_mutex_lock(&lock);
  const int before = openblas_get_num_threads();
  if (before != (int)threads)
    openblas_set_num_threads((int)threads);
  return before;
}

static void leave(uint32_t threads, int before) {
  if (before != (int)threads)
    openblas_set_num_threads(before);
  pthread_mutex_unlock(&lock);
}
#else
static int enter(uint32_t threads) {
  return (int)threads;
}

static void leave(uint32_t threads, int before) {
  (void)threads;
  (void)before;
}
#endif

static int product_f32(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       const void *a, const void *b, int accumulate, void *c, uint32_t threads) {
  const int before = enter(threads);
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
              transpose_b ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a,
              (int)(transpose_a ? m : k), b, (int)(transpose_b ? k : n), accumulate ? 1 : 0, c,
              (int)n);
  leave(threads, before);
  return 0;
}

static int product_f64(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       const void *a, const void *b, int accumulate, void *c, uint32_t threads) {
  const int before = enter(threads);
  cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
              transpose_b ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a,
              (int)(transpose_a ? m : k), b, (int)(transpose_b ? k : n), accumulate ? 1 : 0, c,
              (int)n);
  leave(threads, before);
  return 0;
}

const products products_cblas = { product_f32, product_f64 };
