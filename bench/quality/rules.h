/* SPDX-License-Identifier: MIT */
#ifndef QUALITY_RULES_H
#define QUALITY_RULES_H

#include "candidate.h"
#include "protocol.h"

/* What is scored: everything that turns a sweep into a rate. */

/* RULE_PEER: a method of findlr_suggest that is another project's. It is asked directly, because
 * findlr_suggest names no rate where it sees no fall, and the project itself does. */
enum { RULE_AUTO, RULE_PEER, RULE_ALWAYS, RULE_CANDIDATE, RULE_CANDIDATE_UNKNOWN };

typedef struct rule {
  char name[40];
  int kind;
  const struct findlr__peer *peer; /* RULE_PEER */
  double log10_rate;               /* RULE_ALWAYS */
} rule;

/* Of one sweep. All rates as log10; NaN: no number. */
typedef struct answer {
  double rate[POLICIES];
  double low, high; /* NaN: the rule gives none */
  int good;         /* the rule vouches for it; -1: it never says */
} answer;

/* The rules, and how many there are. */
enum { MOST_RULES = 24 };
int rules_list(rule rules[MOST_RULES]);

/* features: of this sweep. 0, or -1 with a sentence on stderr. */
int rule_ask(const rule *r, const double loss[SWEEP_STEPS], const features *f, answer *out);

/* log10 of the rate of a sweep's step. */
double sweep_log10(int step);

#endif
