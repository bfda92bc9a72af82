/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_READING_H
#define FINDLR_CORE_READING_H

#include "findlr/suggestion.h"
#include "sweep.h"

/* What a curve shows: its level before the fall, the noise, where it diverges, the fall. The method
 * `auto` takes its rate from it, and every method its bounds and its verdict. */

enum { FINDLR__LEAST_ROWS = 5 }; /* fewer say nothing */

typedef struct findlr__reading {
  int32_t verdict;
  size_t low, best, high; /* rows of the sweep */
  double level, least;    /* the smoothed loss before the fall and at its minimum */
  double noise;           /* sigma of a single loss */
  int diverged;           /* the loss rose clearly after the minimum */
  size_t divergence;      /* the row where it left its level; the number of rows if it did not */
  int late_start;         /* the fall had begun before the first row */
  int fell;               /* there is a fall that stands out of the noise */
  int heavy;              /* the noise has heavy tails */
} findlr__reading;

/* All rates must be greater than 0. low and best mean nothing where no number is allowed. */
findlr__reading findlr__read(const findlr__sweep *sweep);

#endif
