/* SPDX-License-Identifier: MIT */
/* What isolation costs: a step of linear on two features, one row a batch, in this process and in a
 * worker, taken in turns. Microseconds: median, and the 10th and 90th percentile. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "findlr/findlr.h"

enum { BLOCKS = 400, STEPS = 50, STARTS = 21 };

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
  printf("%-12s %8.2f %8.2f %8.2f\n", name, times[BLOCKS / 2], times[BLOCKS / 10],
         times[BLOCKS * 9 / 10]);
  return times[BLOCKS / 2];
}

int main(void) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  findlr_session *inside;
  findlr_isolated *isolated;
  char file[] = "/tmp/findlr-bench-XXXXXX";
  char spec[64];
  FILE *table = fdopen(mkstemp(file), "w");
  fprintf(table, "a,b,target\n");
  for (int i = 0; i < 256; i++)
    fprintf(table, "%d,%d,%d\n", i % 7, i % 11, i % 13);
  fclose(table);
  snprintf(spec, sizeof spec, "csv:file=\"%s\"", file);
  findlr_session_options options;
  findlr_session_options_init(&options, sizeof options);
  options.data = spec;
  options.model = "linear";
  options.optimizer = "sgd";
  options.loss = "mse";
  options.batch_size = 1;
  require(findlr_context_create(NULL, &context, &err), &err);
  require(findlr_session_create(context, &options, &inside, &err), &err);
  require(findlr_isolated_create(context, &options, NULL, &isolated, &err), &err);

  static double times[2][BLOCKS];
  for (int i = 0; i < BLOCKS; i++) {
    times[0][i] = block(findlr_session_trainer(inside));
    times[1][i] = block(findlr_isolated_trainer(isolated));
  }
  printf("%-12s %8s %8s %8s   microseconds a step\n", "", "median", "10 %", "90 %");
  double in = print("in process", times[0]), out = print("isolated", times[1]);
  printf("isolation costs %.1f microseconds a step\n", out - in);

  double starts[STARTS];
  for (int i = 0; i < STARTS; i++) {
    findlr_isolated *another;
    double begin = now();
    require(findlr_isolated_create(context, &options, NULL, &another, &err), &err);
    starts[i] = now() - begin;
    findlr_isolated_destroy(another);
  }
  qsort(starts, STARTS, sizeof *starts, by_value);
  printf("a worker with its session is there after %.1f milliseconds\n", starts[STARTS / 2] / 1e3);
  remove(file);
  findlr_isolated_destroy(isolated);
  findlr_session_destroy(inside);
  findlr_context_destroy(context);
  return 0;
}
