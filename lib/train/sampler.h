/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_SAMPLER_H
#define FINDLR_TRAIN_SAMPLER_H

#include <stdbool.h>

#include "core/internal.h"

/* Which rows come next. Everything that moves is in `state`: a seed, the epoch, and how many rows of the
 * epoch were used. The order of an epoch follows from seed and epoch, so `order` is a cache and never
 * part of what is saved. */
enum { FINDLR__SAMPLER_SEED = 0, FINDLR__SAMPLER_EPOCH = 1, FINDLR__SAMPLER_POSITION = 2 };

typedef struct findlr__sampler {
  int64_t state[3];
  int64_t count;     /* rows in an epoch */
  uint32_t sampling; /* FINDLR_SAMPLING_... */
  bool drop_last;
  bool order_known;
  int64_t order_seed, order_epoch; /* what `order` was made for */
  int64_t *order;                  /* SHUFFLE only */
} findlr__sampler;

int32_t findlr__sampler_make(findlr__sampler *sampler, const findlr_allocator *a, int64_t count,
                             uint32_t sampling, bool drop_last, uint64_t seed, findlr_error *err);
void findlr__sampler_free(findlr__sampler *sampler, const findlr_allocator *a);

/* Writes the next places (0..count-1), at most n of them, and returns how many: fewer than n only for
 * an epoch's last batch. n is at most count. */
int64_t findlr__sampler_next(findlr__sampler *sampler, int64_t n, int64_t *rows);

#endif
