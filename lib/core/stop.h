/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_STOP_H
#define FINDLR_CORE_STOP_H

#include "findlr/range_test.h"
#include "smoother.h"

/* A stop rule at work, a loss at a time. A copy of one that has seen no loss is a fresh start. */

/* One series that a rule watches: the loss itself, or an average of it. */
typedef struct findlr__watched {
  double best;    /* the least so far */
  double highest; /* of the first six */
} findlr__watched;

typedef struct findlr__stopper {
  uint32_t rule;
  uint32_t count; /* losses seen, up to the first that is judged */
  uint32_t high;  /* losses in a row that had risen */
  double factor;
  findlr__smoother smoothed, seeded;
  findlr__watched of_raw, of_seeded, of_smoothed;
} findlr__stopper;

/* stop NULL: the default rule. FINDLR_ERR_ARGUMENT for a rule, factor or smoothing not allowed. */
int32_t findlr__stopper_init(findlr__stopper *stopper, const findlr_stop *stop, findlr_error *err);

/* FINDLR_REASON_RUNNING, _NOT_FINITE or _DIVERGED: what this loss says. */
int32_t findlr__stopper_add(findlr__stopper *stopper, double loss);

#endif
