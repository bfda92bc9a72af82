/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_SMOOTHING_H
#define FINDLR_SMOOTHING_H

#include "allocator.h"
#include "error.h"

FINDLR_BEGIN

/* Ways to smooth a loss curve. The causal ones (none, ema, seeded_ema) look back only and lag behind;
 * gaussian looks both ways and does not lag (zero phase): right for reading a finished curve. */

enum {
  FINDLR_SMOOTHING_NONE = 0,
  /* a[i] = beta a[i-1] + (1 - beta) x[i], a[-1] = 0; answer a[i] / (1 - beta^(i+1)) (fastai) */
  FINDLR_SMOOTHING_EMA = 1,
  /* s[0] = x[0]; s[i] = weight x[i] + (1 - weight) s[i-1] (pytorch-lr-finder's smooth_f) */
  FINDLR_SMOOTHING_SEEDED_EMA = 2,
  /* mean weighted by exp(-((i-j)/sigma)^2 / 2), j within 4 sigma, renormalised at the ends */
  FINDLR_SMOOTHING_GAUSSIAN = 3
};

typedef struct findlr_smoothing {
  uint32_t struct_size;
  uint32_t kind;    /* FINDLR_SMOOTHING_... */
  double parameter; /* EMA: beta, 0 <= beta < 1; SEEDED_EMA: weight, 0 < weight <= 1; GAUSSIAN: sigma
                       in steps, > 0; NONE: ignored */
} findlr_smoothing;

/* Sets struct_size to size and the defaults: GAUSSIAN with sigma 3. [any thread] */
FINDLR_API void findlr_smoothing_init(findlr_smoothing *smoothing, size_t size);

/* Smooths n values into out (which may be values itself for the causal kinds, and may not for
 * GAUSSIAN). A value that is not finite is left out of every average (and of an EMA's count); where a
 * window holds no finite value the answer is NaN; out[i] for a not-finite values[i] is NaN. Pure.
 * [any thread] smoothing NULL: the defaults. FINDLR_ERR_ARGUMENT for a parameter out of range. */
FINDLR_API int32_t findlr_smooth(const findlr_smoothing *smoothing, const double *values, size_t n,
                                 double *out, findlr_error *err);

FINDLR_END

#endif
