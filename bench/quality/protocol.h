/* SPDX-License-Identifier: MIT */
#ifndef QUALITY_PROTOCOL_H
#define QUALITY_PROTOCOL_H

#include <findlr/findlr.h>

#include "task.h"

/* What is measured of a task, and where it is kept. */

enum {
  RATES = 33, /* 1e-6 to 1e2, evenly spaced in the logarithm */
  ORACLE_SEEDS = 3,
  EVALUATIONS = 8
};

/* Of the range tests; a build for another number has to be given its own sweeps. */
#ifndef SWEEP_STEPS
#define SWEEP_STEPS 100
#endif
#ifndef SWEEP_SEEDS
#define SWEEP_SEEDS 10
#endif
#define SWEEP_START 1e-7
#define SWEEP_END 10.0

/* How a rate is used in training: as it is; falling linearly to 0; or as the peak of a cosine
 * one-cycle (30 % of the steps up from 1/25 of it, then down to 1/250,000, momentum left alone). */
enum { CONSTANT, DECAY, ONE_CYCLE, POLICIES };

const char *policy_name(int policy);
double policy_rate(int policy, double rate, int64_t step, int64_t steps);
double grid_log10(int i); /* log10 of rate i of the grid */

/* Of a task; not a number where nothing was measured yet. best is the least of the held-out losses,
 * which are taken after every eighth of the training; infinite if none was finite. */
typedef struct oracle {
  int present;
  double initial[ORACLE_SEEDS]; /* held-out loss before the first step */
  double best[POLICIES][ORACLE_SEEDS][RATES];
} oracle;

typedef struct sweeps {
  int present;
  double loss[SWEEP_SEEDS][SWEEP_STEPS]; /* raw; NaN from where the test ended early */
} sweeps;

/* Measures: trains, and that takes minutes. 0, or -1 with a sentence on stderr. */
int oracle_measure(findlr_context *context, const task *t, const char *directory, oracle *out);
int sweeps_measure(findlr_context *context, const task *t, const char *directory, sweeps *out);
/* Microseconds of a training step; negative on failure. */
double step_microseconds(findlr_context *context, const task *t, const char *directory);

#endif
