/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_SCHEDULE_H
#define FINDLR_SCHEDULE_H

#include "error.h"

FINDLR_BEGIN

/* A schedule maps the number of a step to a learning rate. The range test's ramp is the first one. */

enum {
  FINDLR_RAMP_EXPONENTIAL = 1, /* start * (end / start)^(i / (steps - 1)) */
  FINDLR_RAMP_LINEAR = 2       /* start + (end - start) * (i / (steps - 1)) */
};

/* The rate of step i (0 <= i < steps, steps >= 2) of a ramp from start to end; the first is exactly
 * start, the last exactly end. start != end; both finite, and greater than 0 in the exponential mode
 * (start < end is the range test's own demand). Writes *ret_rate. FINDLR_ERR_ARGUMENT otherwise. Pure.
 * [any thread] Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2015), section
 * 3.3 (linear); the exponential form as in fastai and pytorch-lr-finder, with both ends reached. */
FINDLR_API int32_t findlr_ramp_rate(uint32_t mode, double start, double end, int64_t i,
                                    int64_t steps, double *ret_rate, findlr_error *err);

FINDLR_END

#endif
