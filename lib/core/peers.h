/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_PEERS_H
#define FINDLR_CORE_PEERS_H

#include "sweep.h"

/* The suggestion rules of other learning-rate finders, each with its own smoothing, stop rule and
 * skips, so that the same raw losses give the same row (docs/suggestion.md). */

enum {
  FINDLR__PICK_ROW = 0,   /* the peer's row */
  FINDLR__PICK_TOO_FEW,   /* the peer would have raised an error, or wrapped around */
  FINDLR__PICK_NO_DESCENT /* the peer would have named a row where nothing falls */
};

typedef struct findlr__pick {
  int32_t outcome;
  size_t row;
  double divisor; /* the suggestion is the row's rate divided by it */
  size_t had;     /* rows left after the peer's stop and skips */
  size_t stopped; /* rows that the peer would have recorded before its stop */
} findlr__pick;

typedef struct findlr__peer {
  const char *name;
  const char *help;
  findlr__pick (*pick)(const findlr__sweep *sweep);
} findlr__peer;

/* NULL past the last. */
const findlr__peer *findlr__peer_at(uint32_t i);

/* The end (one past) of fastai's valley among n losses, and how long it is: the first place where a
 * longest strictly decreasing subsequence ends. tails: n numbers to write in. */
size_t findlr__longest_decrease(const double *loss, size_t n, double *tails, size_t *ret_end);

#endif
