/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_SPLIT_H
#define FINDLR_TRAIN_SPLIT_H

#include "core/internal.h"
#include "findlr/data.h"

/* Which rows train and which are held out. */
typedef struct findlr__split {
  int64_t training, validation; /* how many */
  int64_t *rows; /* training rows, ascending, then validation rows in a random order; NULL: all train */
} findlr__split;

/* Holds out about fraction (0 <= fraction < 1) of `rows` rows by seed; with classes > 0 the same share
 * of every class, and of each at least one row trains. class_of[i] is row i's class (classes > 0). */
int32_t findlr__split_make(findlr__split *split, const findlr_allocator *a, int64_t rows,
                           int64_t classes, const int64_t *class_of, double fraction, uint64_t seed,
                           findlr_error *err);
void findlr__split_free(findlr__split *split, const findlr_allocator *a);

/* Places among the training rows to rows of the data, in place. */
void findlr__split_training_rows(const findlr__split *split, int64_t *places, int64_t n);

#endif
