/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_BENCH_BACKEND_H
#define FINDLR_BENCH_BACKEND_H

/* A step of a session over a foreign library against the same step by that library alone, in turns: a
 * block of one, a block of the other, in time of the processor, which other programs disturb less than time
 * of the clock. The medians over the blocks, and their ratio. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "findlr/findlr.h"

enum { BLOCKS = 101 };

static void require(int32_t status, const findlr_error *err) {
  if (status == FINDLR_OK)
    return;
  fprintf(stderr, "%s\n", err->message);
  exit(EXIT_FAILURE);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* own_step(step): step number `step` by the library alone. */
static void compare(const char *what, findlr_session *session, double rate, int steps,
                    void (*own_step)(int step)) {
  findlr_error err = FINDLR_ERROR_INIT;
  static double ours[BLOCKS], own[BLOCKS], ratio[BLOCKS];
  int next = 0;
  for (int b = -1; b < BLOCKS; b++) { /* the first warms up */
    double loss, begin = now();
    for (int i = 0; i < steps; i++)
      require(findlr_session_step(session, &rate, 1, &loss, &err), &err);
    const double middle = now();
    for (int i = 0; i < steps; i++)
      own_step(next++);
    if (b < 0)
      continue;
    ours[b] = (middle - begin) / steps;
    own[b] = (now() - middle) / steps;
    ratio[b] = ours[b] / own[b];
  }
  qsort(ours, BLOCKS, sizeof *ours, by_value);
  qsort(own, BLOCKS, sizeof *own, by_value);
  qsort(ratio, BLOCKS, sizeof *ratio, by_value);
  printf("%-34s %10.1f %10.1f %+8.2f %% (%+.2f to %+.2f)\n", what, ours[BLOCKS / 2], own[BLOCKS / 2],
         100 * (ratio[BLOCKS / 2] - 1), 100 * (ratio[BLOCKS / 4] - 1),
         100 * (ratio[3 * BLOCKS / 4] - 1));
}

#endif
