/* SPDX-License-Identifier: MIT */
/* quality: how good are suggested learning rates? README.md says what is measured. */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <findlr/findlr.h>

#include "data.h"
#include "record.h"
#include "score.h"

static const char usage[] =
    "usage: quality COMMAND [--data DIR] [--work DIR] [--results DIR] [--json FILE] [PATTERN]\n"
    "  list     the tasks, with their steps and what each step costs here\n"
    "  oracle   trains every task at every rate (hours); resumes where it was left\n"
    "  sweeps   runs the range tests (minutes); resumes\n"
    "  pack     puts what oracle and sweeps left in --work into --results\n"
    "  score    scores every rule on what is in --results (seconds)\n"
    "  check    the same, and fails unless auto beats every other project's rule\n"
    "  --data     where get-data has left the tables (default data)\n"
    "  --work     a file a task (default work)\n"
    "  --results  oracle.txt.gz, sweeps.txt.gz (default results)\n"
    "  --json     where score puts all its figures (default scores.json in --results)\n"
    "  PATTERN    only tasks whose name fits, such as 'digits-*'\n";

typedef struct arguments {
  const char *command, *data, *work, *results, *json, *pattern;
} arguments;

static int parse(int argc, char **argv, arguments *a) {
  *a = (arguments){ NULL, "data", "work", "results", NULL, "*" };
  for (int i = 1; i < argc; i++) {
    const char **value = !strcmp(argv[i], "--data")      ? &a->data
                         : !strcmp(argv[i], "--work")    ? &a->work
                         : !strcmp(argv[i], "--results") ? &a->results
                         : !strcmp(argv[i], "--json")    ? &a->json
                                                         : NULL;
    if (value && i + 1 < argc)
      *value = argv[++i];
    else if (value || *argv[i] == '-')
      return -1;
    else if (!a->command)
      a->command = argv[i];
    else
      a->pattern = argv[i];
  }
  return a->command ? 0 : -1;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cost(const task *t) { /* roughly, to put cheap tasks first */
  double width = 16, parameters = 200;
  for (const char *c = t->hidden; c; c = strchr(c, 'x') ? strchr(c, 'x') + 1 : NULL) {
    double next = atof(c);
    parameters += width * next + next * 8;
    width = next;
  }
  if (!strcmp(t->data, "fashion"))
    parameters *= 10;
  return (double)t->steps * (2000 + (double)t->batch * parameters);
}

static int cheaper(const void *a, const void *b) {
  double x = cost(*(const task *const *)a), y = cost(*(const task *const *)b);
  return (x > y) - (x < y);
}

typedef int task_function(findlr_context *context, const arguments *a, const task *t,
                          int *ret_done);

static int list_task(findlr_context *context, const arguments *a, const task *t, int *ret_done) {
  static double total;
  char id[TASK_ID];
  task_id(t, id);
  double steps = (double)t->steps * RATES * ORACLE_SEEDS * POLICIES;
  double each = step_microseconds(context, t, a->data);
  total += each > 0 ? steps * each / 6e7 : 0;
  printf("%-52s %s %9.0f steps, %6.1f us, %5.1f min in all\n", id,
         task_is_hard(t) ? "hard" : "easy", steps, each, total);
  *ret_done = 1;
  return each > 0 ? 0 : -1;
}

static int oracle_task(findlr_context *context, const arguments *a, const task *t, int *ret_done) {
  static oracle o;
  if (record_exists(a->work, t, "oracle"))
    return 0;
  *ret_done = 1;
  return oracle_measure(context, t, a->data, &o) ? -1 : record_oracle(a->work, t, &o);
}

static int sweeps_task(findlr_context *context, const arguments *a, const task *t, int *ret_done) {
  static sweeps s;
  if (record_exists(a->work, t, "sweeps"))
    return 0;
  *ret_done = 1;
  return sweeps_measure(context, t, a->data, &s) ? -1 : record_sweeps(a->work, t, &s);
}

/* Every task that fits, the cheap ones first. A task that fails is told and passed over. */
static int for_each(const arguments *a, task_function *function) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  if (findlr_context_create(NULL, &context, &err)) {
    fprintf(stderr, "quality: %s\n", err.message);
    return 1;
  }
  size_t n = task_count();
  const task **order = calloc(n, sizeof *order);
  if (!order)
    abort();
  for (size_t i = 0; i < n; i++)
    order[i] = task_at(i);
  qsort(order, n, sizeof *order, cheaper);
  double begin = seconds();
  int done = 0, there = 0, failed = 0;
  for (size_t i = 0; i < n; i++) {
    char id[TASK_ID];
    task_id(order[i], id);
    if (fnmatch(a->pattern, id, 0))
      continue;
    int worked = 0;
    double from = seconds();
    if (function(context, a, order[i], &worked)) {
      failed++;
      continue;
    }
    done += worked;
    there += !worked;
    if (worked && function != list_task) {
      printf("%3zu/%zu %-52s %6.1f s\n", i + 1, n, id, seconds() - from);
      fflush(stdout);
    }
  }
  printf("%d tasks done in %.1f minutes, %d were there, %d FAILED\n", done,
         (seconds() - begin) / 60, there, failed);
  free(order);
  findlr_context_destroy(context);
  return failed != 0;
}

static int pack(const arguments *a) {
  static const char *const kinds[] = { "oracle", "sweeps" };
  for (int i = 0; i < 2; i++) {
    char file[4096];
    snprintf(file, sizeof file, "%s/%s.txt.gz", a->results, kinds[i]);
    int count = record_pack(a->work, kinds[i], file);
    if (count < 0)
      return 1;
    printf("%s: %d of %zu tasks\n", file, count, task_count());
  }
  return 0;
}

static int score_all(const arguments *a, int *ret_best) {
  char file[4096];
  suite s = suite_new();
  snprintf(file, sizeof file, "%s/oracle.txt.gz", a->results);
  int oracles = record_read(file, &s);
  snprintf(file, sizeof file, "%s/sweeps.txt.gz", a->results);
  int swept = record_read(file, &s);
  int status = oracles < 0 || swept < 0;
  if (!status && (oracles == 0 || swept == 0)) {
    fprintf(stderr, "quality: %s has no oracle.txt.gz with sweeps.txt.gz beside it\n", a->results);
    status = 1;
  }
  if (!status) {
    snprintf(file, sizeof file, "%s/scores.json", a->results);
    status = score(&s, a->pattern, a->json ? a->json : file, ret_best) != 0;
  }
  suite_free(&s);
  return status;
}

int main(int argc, char **argv) {
  arguments a;
  if (parse(argc, argv, &a)) {
    fputs(usage, stderr);
    return 2;
  }
  if (!strcmp(a.command, "list"))
    return for_each(&a, list_task);
  if (!strcmp(a.command, "oracle"))
    return for_each(&a, oracle_task);
  if (!strcmp(a.command, "sweeps"))
    return for_each(&a, sweeps_task);
  if (!strcmp(a.command, "pack"))
    return pack(&a);
  int best = 0;
  if (!strcmp(a.command, "score"))
    return score_all(&a, &best);
  if (!strcmp(a.command, "check"))
    return score_all(&a, &best) || !best;
  fputs(usage, stderr);
  return 2;
}
