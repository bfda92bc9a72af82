/* SPDX-License-Identifier: MIT */
#ifndef QUALITY_CANDIDATE_H
#define QUALITY_CANDIDATE_H

#include <stddef.h>

/* A rule that weighs the fall against the point of divergence by how clear the fall is: a candidate
 * for the library's `auto`, kept here as it was first written down, for sweeps of 100 steps over 8
 * decades. */

/* What the rule looks at. All positions are log10 of a rate. */
typedef struct features {
  double c50,
      c90;      /* where half and 9 tenths of the fall are reached for good, before the minimum */
  double least; /* the minimum of the smoothed loss before it diverges */
  double hard;  /* where it diverges; NaN if it does not */
  double end;   /* the last rate */
  double z;     /* the fall in deviations of the smoothed noise */
  double depth; /* the fall as a share of the level before it */
  int heavy;    /* the noise has heavy tails: the losses were looked at through a logarithm */
} features;

typedef struct constants {
  double c50_share;    /* of c50 in the first term; the rest is c90's */
  double fall_shift;   /* from that */
  double hard_shift;   /* from the divergence, in the second term */
  double no_z, half_z; /* the first term weighs max(0, z - no_z) / (max(0, z - no_z) + half_z) */
  double policy[3];    /* added for constant, decay, one_cycle */
} constants;

extern const constants candidate_constants;

/* x: losses, n at least 20; l: log10 of the rates, rising. */
features features_of(const double *l, const double *loss, size_t n);
double candidate_rate(const features *f, const constants *c, int policy);
int candidate_is_good(const features *f);

#endif
