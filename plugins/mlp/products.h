/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_MLP_PRODUCTS_H
#define FINDLR_MLP_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

/* A matrix product: C = op(A) op(B), or C += op(A) op(B) where accumulate is set. All matrices are
 * compact, row-major and of the function's type; op(A) is m x k, op(B) k x n, C m x n, each from 1
 * to INT32_MAX; A is stored k x m if transpose_a, B n x k if transpose_b. Uses at most that many
 * threads and leaves the floating-point control and the process's number of threads as found.
 * Returns 0, or not 0 where the library could not get memory. */
typedef int product_function(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                             const void *a, const void *b, int accumulate, void *c,
                             uint32_t threads);

typedef struct products {
  product_function *f32;
  product_function *f64; /* NULL: the library has none */
} products;

/* One file each. The plain one has one thread, and every number of C is the same sum in the same
 * order whatever the processor and whatever else is in the batch. */
extern const products products_plain;
extern const products products_onednn;
extern const products products_cblas;

#endif
