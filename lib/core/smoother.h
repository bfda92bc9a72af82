/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_SMOOTHER_H
#define FINDLR_CORE_SMOOTHER_H

#include "findlr/smoothing.h"

/* A causal smoothing one value at a time, for stop rules; the same numbers as findlr_smooth. */
typedef struct findlr__smoother {
  uint32_t kind; /* FINDLR_SMOOTHING_NONE, EMA or SEEDED_EMA */
  double parameter;
  double state;
  double count; /* finite values so far */
} findlr__smoother;

/* smoothing as findlr_smooth takes it. FINDLR_ERR_ARGUMENT for one that is not causal. */
int32_t findlr__smoother_init(findlr__smoother *s, const findlr_smoothing *smoothing,
                              findlr_error *err);

/* The smoothed value after x: NaN, and nothing changed, for an x that is not finite. */
double findlr__smoother_next(findlr__smoother *s, double x);

#endif
