/* SPDX-License-Identifier: MIT */
#include "products.h"

/* Compiled for several kinds of processor; the widest that this one has is taken. No sum is ever
 * reordered or fused, so all of them give the same bits. */

enum { DEPTH = 256, ROWS = 8 };

#define JOIN(a, b) a##_##b
#define NAMED(type, variant) JOIN(type, variant)

#if defined(__GNUC__) && defined(__x86_64__)
#define VARIANT avx512
#define TARGET __attribute__((target("avx512f")))
#include "products_plain_types.inc"

#define VARIANT avx2
#define TARGET __attribute__((target("avx2")))
#include "products_plain_types.inc"

#define CHOOSE(type)                                                                               \
  (__builtin_cpu_supports("avx512f") ? type##_avx512                                               \
   : __builtin_cpu_supports("avx2")  ? type##_avx2                                                 \
                                     : type##_any)
#else
#define CHOOSE(type) type##_any
#endif

#define VARIANT any
#define TARGET
#include "products_plain_types.inc"

static int product_f32(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       const void *a, const void *b, int accumulate, void *c, uint32_t threads) {
  return CHOOSE(f32)(transpose_a, transpose_b, m, n, k, a, b, accumulate, c, threads);
}

static int product_f64(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       const void *a, const void *b, int accumulate, void *c, uint32_t threads) {
  return CHOOSE(f64)(transpose_a, transpose_b, m, n, k, a, b, accumulate, c, threads);
}

const products products_plain = { product_f32, product_f64 };
