/* SPDX-License-Identifier: MIT */
/* What isolation costs: steps in this process and in a worker, taken in turns in blocks of 50.
 * Microseconds a step: median over the blocks, and their 10th and 90th percentile. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "findlr/findlr.h"

enum { BLOCKS = 100, STEPS = 50, STARTS = 21 };

static void require(int32_t status, const findlr_error *err) {
  if (status == FINDLR_OK)
    return;
  fprintf(stderr, "isolate: %s\n", err->message);
  exit(EXIT_FAILURE);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Microseconds a step, over a block of steps. */
static double block(const findlr_trainer *t) {
  const double rate = 1e-3, begin = now();
  double loss;
  for (int i = 0; i < STEPS; i++)
    if (t->vtable->step(t->self, &rate, 1, &loss) != FINDLR_OK) {
      fprintf(stderr, "isolate: %s\n", t->message(t->message_ud));
      exit(EXIT_FAILURE);
    }
  return (now() - begin) / STEPS;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double print(const char *name, double *times) {
  qsort(times, BLOCKS, sizeof *times, by_value);
  printf("  %-12s %8.2f %8.2f %8.2f\n", name, times[BLOCKS / 2], times[BLOCKS / 10],
         times[BLOCKS * 9 / 10]);
  return times[BLOCKS / 2];
}

/* Both, in turns; the session is made by the same options. */
static void compare(findlr_context *context, const char *what, const findlr_session_options *options) {
  static double times[2][BLOCKS];
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_session *inside;
  findlr_isolated *isolated;
  require(findlr_session_create(context, options, &inside, &err), &err);
  require(findlr_isolated_create(context, options, NULL, &isolated, &err), &err);
  for (int i = 0; i < BLOCKS; i++) {
    times[0][i] = block(findlr_session_trainer(inside));
    times[1][i] = block(findlr_isolated_trainer(isolated));
  }
  printf("%s\n", what);
  double in = print("in process", times[0]), out = print("isolated", times[1]);
  printf("  isolation costs %.1f microseconds a step\n", out - in);
  findlr_isolated_destroy(isolated);
  findlr_session_destroy(inside);
}

static void time_starts(findlr_context *context, const findlr_session_options *options) {
  double starts[STARTS];
  findlr_error err = FINDLR_ERROR_INIT;
  for (int i = 0; i < STARTS; i++) {
    findlr_isolated *isolated;
    double begin = now();
    require(findlr_isolated_create(context, options, NULL, &isolated, &err), &err);
    starts[i] = now() - begin;
    findlr_isolated_destroy(isolated);
  }
  qsort(starts, STARTS, sizeof *starts, by_value);
  printf("a worker with its session is there after %.1f milliseconds\n", starts[STARTS / 2] / 1e3);
}

int main(void) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  char file[] = "/tmp/findlr-bench-XXXXXX", spec[64];
  FILE *table = fdopen(mkstemp(file), "w");
  fprintf(table, "a,b,target\n");
  for (int i = 0; i < 256; i++)
    fprintf(table, "%d,%d,%d\n", i % 7, i % 11, i % 13);
  fclose(table);
  snprintf(spec, sizeof spec, "csv:file=\"%s\"", file);
  require(findlr_context_create(NULL, &context, &err), &err);

  findlr_session_options small, usual, large;
  findlr_session_options_init(&small, sizeof small);
  small.data = spec;
  small.model = "linear";
  small.optimizer = "sgd";
  small.loss = "mse";
  small.batch_size = 1;
  findlr_session_options_init(&usual, sizeof usual); /* digits, mlp:hidden=128, adam, batches of 64 */
  large = usual;
  large.model = "mlp:hidden=512x512";
  printf("%-14s %8s %8s %8s   microseconds a step\n", "", "median", "10 %", "90 %");
  compare(context, "linear on two features, one row a batch", &small);
  compare(context, "mlp:hidden=128 on digits, 64 rows a batch", &usual);
  compare(context, "mlp:hidden=512x512 on digits, 64 rows a batch", &large);
  time_starts(context, &small);
  remove(file);
  findlr_context_destroy(context);
  return 0;
}
