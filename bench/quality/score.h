/* SPDX-License-Identifier: MIT */
#ifndef QUALITY_SCORE_H
#define QUALITY_SCORE_H

#include "record.h"

/* Scores every rule on the tasks that fit the pattern and have both measurements: a table on
 * stdout, all figures as JSON in a file. *ret_best: whether `auto` has a lower mean regret than
 * every other project's rule, on easy and on hard tasks, for each way of training. 0 or -1. */
int score(const suite *s, const char *pattern, const char *json, int *ret_best);

#endif
