/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_SWEEP_H
#define FINDLR_CORE_SWEEP_H

#include <stddef.h>
#include <stdint.h>

/* A curve for reading: one group's rates, which rise, and the losses, of the rows that count. */
typedef struct findlr__sweep {
  const double *lr;
  const double *loss;
  size_t n;
  int64_t requested; /* steps asked for; at least 1 */
  double *work;      /* 4 * n numbers to write in */
} findlr__sweep;

#endif
