/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { PATH_SIZE = 4096, LINE_SIZE = 8192 + 16 * SWEEP_STEPS };

suite suite_new(void) {
  suite s = { calloc(task_count(), sizeof(oracle)), calloc(task_count(), sizeof(sweeps)) };
  if (!s.oracles || !s.sweeps)
    abort();
  return s;
}

void suite_free(suite *s) {
  free(s->oracles);
  free(s->sweeps);
}

/* --- writing --------------------------------------------------------------------------------- */

static void path_of(char path[PATH_SIZE], const char *directory, const task *t, const char *kind) {
  char id[TASK_ID];
  task_id(t, id);
  snprintf(path, PATH_SIZE, "%s/%s.%s", directory, id, kind);
}

int record_exists(const char *directory, const task *t, const char *kind) {
  char path[PATH_SIZE];
  path_of(path, directory, t, kind);
  return access(path, R_OK) == 0;
}

static FILE *begin(const char *directory, const task *t, const char *kind, char path[PATH_SIZE]) {
  char part[PATH_SIZE], id[TASK_ID];
  path_of(path, directory, t, kind);
  snprintf(part, sizeof part, "%.4000s.part", path);
  FILE *file = fopen(part, "w");
  if (!file)
    fprintf(stderr, "quality: %s: %s\n", part, strerror(errno));
  else {
    task_id(t, id);
    fprintf(file, "%s %s\n", kind, id);
  }
  return file;
}

static int finish(FILE *file, const char *path) {
  char part[PATH_SIZE];
  snprintf(part, sizeof part, "%.4000s.part", path);
  int failed = ferror(file) != 0;
  failed |= fclose(file) != 0;
  if (failed || rename(part, path) != 0) {
    fprintf(stderr, "quality: %s: %s\n", path, strerror(errno));
    remove(part);
    return -1;
  }
  return 0;
}

static void write_numbers(FILE *file, const double *x, int n, const char *format) {
  for (int i = 0; i < n; i++) {
    fputc(' ', file);
    fprintf(file, format, x[i]);
  }
  fputc('\n', file);
}

int record_oracle(const char *directory, const task *t, const oracle *o) {
  char path[PATH_SIZE];
  FILE *file = begin(directory, t, "oracle", path);
  if (!file)
    return -1;
  fprintf(file, "initial");
  write_numbers(file, o->initial, ORACLE_SEEDS, "%.5g");
  for (int policy = 0; policy < POLICIES; policy++)
    for (int seed = 0; seed < ORACLE_SEEDS; seed++) {
      fprintf(file, "%s %d", policy_name(policy), seed);
      write_numbers(file, o->best[policy][seed], RATES, "%.5g");
    }
  return finish(file, path);
}

int record_sweeps(const char *directory, const task *t, const sweeps *s) {
  char path[PATH_SIZE];
  FILE *file = begin(directory, t, "sweeps", path);
  if (!file)
    return -1;
  for (int seed = 0; seed < SWEEP_SEEDS; seed++) {
    fprintf(file, "sweep %d", seed);
    write_numbers(file, s->loss[seed], SWEEP_STEPS, "%.6g");
  }
  return finish(file, path);
}

int record_pack(const char *directory, const char *kind, const char *name) {
  char path[PATH_SIZE], bytes[65536];
  snprintf(path, sizeof path, "%.4000s.part", name);
  gzFile packed = gzopen(path, "wb9");
  int count = 0, failed = !packed;
  for (size_t i = 0; i < task_count() && !failed; i++) {
    char from[PATH_SIZE];
    path_of(from, directory, task_at(i), kind);
    FILE *file = fopen(from, "r");
    if (!file)
      continue;
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0 && !failed)
      failed = gzwrite(packed, bytes, (unsigned)n) != (int)n;
    failed |= ferror(file);
    fclose(file);
    count++;
  }
  if (packed && gzclose(packed) != Z_OK)
    failed = 1;
  if (failed || rename(path, name) != 0) {
    fprintf(stderr, "quality: %s could not be written\n", name);
    remove(path);
    return -1;
  }
  return count;
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_numbers(const char *text, double *x, int n) {
  for (int i = 0; i < n; i++) {
    char *end;
    x[i] = strtod(text, &end);
    if (end == text)
      return -1;
    text = end;
  }
  return text[strspn(text, " \r\n")] ? -1 : 0;
}

static long find_task(const char *id) {
  char known[TASK_ID];
  for (size_t i = 0; i < task_count(); i++) {
    task_id(task_at(i), known);
    if (!strcmp(id, known))
      return (long)i;
  }
  return -1;
}

/* One line: a word, then a seed where there are several, then numbers. */
static int read_line(char *line, suite *s, long *at, int *count) {
  char word[32], id[TASK_ID];
  int used = 0;
  if (sscanf(line, "%31s %n", word, &used) != 1)
    return -1;
  char *rest = line + used;
  if (!strcmp(word, "oracle") || !strcmp(word, "sweeps")) {
    if (sscanf(rest, "%95s", id) != 1)
      return -1;
    *at = find_task(id);
    if (*at >= 0) {
      *count += 1;
      *(*word == 'o' ? &s->oracles[*at].present : &s->sweeps[*at].present) = 1;
    }
    return 0;
  }
  if (*at < 0)
    return 0;
  if (!strcmp(word, "initial"))
    return read_numbers(rest, s->oracles[*at].initial, ORACLE_SEEDS);
  long seed = strtol(rest, &rest, 10);
  if (!strcmp(word, "sweep"))
    return seed < 0 || seed >= SWEEP_SEEDS
               ? -1
               : read_numbers(rest, s->sweeps[*at].loss[seed], SWEEP_STEPS);
  for (int policy = 0; policy < POLICIES; policy++)
    if (!strcmp(word, policy_name(policy)))
      return seed < 0 || seed >= ORACLE_SEEDS
                 ? -1
                 : read_numbers(rest, s->oracles[*at].best[policy][seed], RATES);
  return -1;
}

int record_read(const char *name, suite *s) {
  static char line[LINE_SIZE];
  gzFile file = gzopen(name, "rb");
  int count = 0, number = 0;
  long at = -1;
  if (!file)
    return 0;
  while (gzgets(file, line, sizeof line)) {
    number++;
    if (read_line(line, s, &at, &count)) {
      fprintf(stderr, "quality: %s: line %d cannot be read\n", name, number);
      gzclose(file);
      return -1;
    }
  }
  int error;
  gzerror(file, &error);
  gzclose(file);
  if (error < 0) {
    fprintf(stderr, "quality: %s is damaged\n", name);
    return -1;
  }
  return count;
}
