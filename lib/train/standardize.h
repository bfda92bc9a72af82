/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_STANDARDIZE_H
#define FINDLR_TRAIN_STANDARDIZE_H

#include "train/tensor.h"

/* Inputs to mean 0 and deviation 1, feature by feature. Statistics are gathered in one pass over
 * batches (Welford's recurrence), then applied in place. The deviation is the population's
 * (scikit-learn's StandardScaler); a feature that never changes keeps deviation 1. */
typedef struct findlr__standardize {
  int64_t features;
  double count;
  double *mean, *scale; /* scale holds the sum of squares until finish, then 1 / deviation */
} findlr__standardize;

int32_t findlr__standardize_make(findlr__standardize *s, const findlr_allocator *a,
                                 int64_t features, findlr_error *err);
void findlr__standardize_free(findlr__standardize *s, const findlr_allocator *a);
void findlr__standardize_add(findlr__standardize *s, const findlr_tensor *inputs);
void findlr__standardize_finish(findlr__standardize *s);
void findlr__standardize_apply(const findlr__standardize *s, const findlr_tensor *inputs);

#endif
