/* SPDX-License-Identifier: MIT */
/* What a step through the exec trainer costs beside the step itself: bench_exec COMMAND... runs scripts whose
 * loss is the time, in microseconds, that they took for the step by their own clock, and takes them in turns, 50
 * steps each; after these a script that can evaluate takes 50 more by itself and answers with their median.
 * Microseconds a step, medians: as the host sees it, by the script's clock, the difference, and by itself. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "findlr/findlr.h"

enum { BLOCKS = 40, STEPS = 50, WARM = 5, MOST = 16 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, by_value);
  return values[n / 2];
}

int main(int argc, char **argv) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  findlr_trainer trainers[MOST];
  static double seen[MOST][BLOCKS * STEPS], own[MOST][BLOCKS * STEPS], cost[MOST][BLOCKS * STEPS], alone[MOST][BLOCKS];
  int n = argc - 1 < MOST ? argc - 1 : MOST;
  int32_t status = findlr_context_create(NULL, &context, &err);
  for (int i = 0; i < n && status == FINDLR_OK; i++) {
    char spec[1024];
    snprintf(spec, sizeof spec, "exec:command=\"%s\"", argv[i + 1]);
    status = findlr_trainer_create(context, spec, 1, 0, &trainers[i], &err);
  }
  for (int b = -WARM; b < BLOCKS && status == FINDLR_OK; b++)
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < STEPS && status == FINDLR_OK; k++) {
        const double rate = 1e-3, begin = now();
        double inside = 0;
        status = trainers[i].vtable->step(trainers[i].self, &rate, 1, &inside);
        double whole = now() - begin;
        if (status != FINDLR_OK)
          snprintf(err.message, sizeof err.message, "%s", trainers[i].message(trainers[i].message_ud));
        if (b >= 0) {
          seen[i][b * STEPS + k] = whole;
          own[i][b * STEPS + k] = inside;
          cost[i][b * STEPS + k] = whole - inside;
        }
      }
      double itself = 0;
      findlr_trainer_info info = { .struct_size = sizeof info };
      if (status == FINDLR_OK)
        status = findlr_trainer_describe(&trainers[i], &info, &err);
      if (status == FINDLR_OK && info.can_evaluate)
        status = trainers[i].vtable->evaluate(trainers[i].self, &itself);
      if (b >= 0)
        alone[i][b] = itself;
    }
  if (status != FINDLR_OK) {
    fprintf(stderr, "exec: %s\n", err.message);
    return EXIT_FAILURE;
  }
  printf("%-40s %9s %9s %9s %9s\n", "microseconds a step", "seen", "own", "cost", "alone");
  for (int i = 0; i < n; i++) {
    printf("%-40.40s %9.1f %9.1f %9.1f %9.1f\n", argv[i + 1], median(seen[i], BLOCKS * STEPS),
           median(own[i], BLOCKS * STEPS), median(cost[i], BLOCKS * STEPS), median(alone[i], BLOCKS));
    findlr_trainer_destroy(&trainers[i]);
  }
  findlr_context_destroy(context);
  return EXIT_SUCCESS;
}
