/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_MLP_ELEMENTWISE_H
#define FINDLR_MLP_ELEMENTWISE_H

#include "findlr/plugin.h"

/* What a network does number by number, once for float32 and once for float64. */

typedef struct elementwise {
  size_t size; /* of a number */
  /* Uniform in [-bound, bound). */
  void (*initialise)(int64_t n, void *values, double bound, const findlr_host_random *random,
                     uint64_t generator[4]);
  /* Adds bias[columns] to each row of y. */
  void (*add_bias)(int64_t rows, int64_t columns, void *y, const void *bias);
  /* y = f(y); slope, unless it is NULL, = f'(y). For relu, tanh, sigmoid, gelu. */
  void (*activate[4])(int64_t n, void *y, void *slope);
  /* Zeroes each y and its slope with that probability, and scales the others up to make up. */
  void (*drop)(int64_t n, void *y, void *slope, double probability,
               const findlr_host_random *random, uint64_t generator[4]);
  void (*multiply)(int64_t n, void *y, const void *by);
  /* sum[columns] of the rows of y; added to what is there if accumulate. */
  void (*sum_rows)(int64_t rows, int64_t columns, const void *y, int accumulate, void *sum);
} elementwise;

extern const elementwise elementwise_f32, elementwise_f64;

#endif
