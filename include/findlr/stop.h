/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_STOP_H
#define FINDLR_STOP_H

#include "smoothing.h"

FINDLR_BEGIN

/* When a range test ends before its last rate. A stop rule looks at the losses so far through a
 * causal smoothing of its own, whatever smoothing the picture and the suggestion use. */

enum {
  FINDLR_STOP_NONE = 0,       /* never, not even for NaN */
  FINDLR_STOP_NOT_FINITE = 1, /* at a loss that is NaN or infinite */
  /* ... or when the smoothed loss exceeds factor times its best (fastai, pytorch-lr-finder, Keras).
   * Meant for positive losses: at a best below zero it stops at once, as they do. */
  FINDLR_STOP_FACTOR = 2,
  /* ... or when the loss has risen above its best by more than factor times
   * max(|best|, highest of the first six - best), for losses of any sign. The loss as it is (three
   * times in a row), its seeded average (weight 0.05) and its smoothed value must all say so, each
   * against its own best and first six, from the seventh loss on: neither noise nor a spike stops a
   * test. With factor 4 or more and the smoothing left alone, no peer's rule (fastai,
   * pytorch-lr-finder, Ignite, Lightning, keras_lr_finder, by their defaults) would have gone on
   * longer. The default. */
  FINDLR_STOP_RISE = 3
};

typedef struct findlr_stop {
  uint32_t struct_size;
  uint32_t rule;                     /* FINDLR_STOP_... */
  double factor;                     /* FACTOR: > 1; RISE: > 0 */
  const findlr_smoothing *smoothing; /* causal; NULL: EMA with beta 0.98 */
} findlr_stop;

/* Sets struct_size to size and the defaults: RISE, factor 4, smoothing NULL. [any thread] */
FINDLR_API void findlr_stop_init(findlr_stop *stop, size_t size);

FINDLR_END

#endif
