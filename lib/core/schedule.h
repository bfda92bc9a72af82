/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_SCHEDULE_H
#define FINDLR_CORE_SCHEDULE_H

#include "findlr/schedule.h"

struct findlr_schedule {
  const findlr_allocator *allocator;
  findlr_schedule_options o; /* what 0 stands for filled in */
  int64_t *milestones;       /* o.milestones */
  /* REDUCE_ON_PLATEAU: all that tell changes */
  double lr, best;
  int64_t bad, cooling; /* metrics in a row that were no better; that still do not count */
};

/* Checks every member that the kind uses, and fills in what 0 stands for. */
int32_t findlr__schedule_check(findlr_schedule_options *o, findlr_error *err);

/* The schedule without its warm-up: i >= 0. Momentum NaN where it has none. */
void findlr__schedule_shape(const findlr_schedule *s, int64_t i, double *ret_lr,
                            double *ret_momentum);

#endif
