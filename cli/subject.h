/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_SUBJECT_H
#define FINDLR_CLI_SUBJECT_H

/* What a run trains, behind one table of functions: a session of the library's own, or a trainer that
 * knows its model and data itself, such as a script. The range test around it is the same. */

#include <cjson/cJSON.h>

#include "arguments.h"
#include "findlr/findlr.h"

enum { MOST_GROUPS = 64 };

typedef struct subject subject;

typedef struct subject_kind {
  size_t size; /* of the kind's own struct, which begins with a subject */
  /* Looks at the options before anything is opened: what makes no sense is a usage error. */
  int32_t (*check)(subject *self, findlr_error *err);
  /* Makes what is trained, and sets trainer. */
  int32_t (*open)(subject *self, findlr_error *err);
  /* Sets the groups of the range test; options->start_lr and the rest are set before. */
  int32_t (*fit)(subject *self, findlr_range_test_options *options, findlr_error *err);
  /* What was understood, for people, before the first step. */
  void (*tell)(const subject *self, FILE *to);
  /* The picture's title if none was given; free it. */
  char *(*title)(const subject *self);
  /* Every option of training as it was understood, and what the subject says of itself. */
  void (*configure)(const subject *self, cJSON *config);
  /* Name and factor of a parameter group of the range test. */
  const char *(*group)(const subject *self, uint32_t i);
  double (*factor)(const subject *self, uint32_t i);
  void (*close)(subject *self);
} subject_kind;

struct subject {
  const subject_kind *kind;
  const arguments *args;
  findlr_context *context;
  bool follows_validation;
  int64_t validation_batches; /* 0: all */
  const findlr_trainer *trainer;
};

extern const subject_kind session_subject, isolated_subject, trainer_subject;

/* What the arguments ask for, not open yet; give it back with subject_free. */
subject *subject_make(const arguments *args);
void subject_free(subject *self); /* NULL is allowed */

/* Is text a spec string of that kind? NULL is. */
int32_t check_spec(const subject *self, uint32_t kind, const char *text, findlr_error *err);

/* Takes the folders of files out of a text, and returns it: "csv:file=a/b.csv" becomes "csv:file=b.csv". */
char *without_folders(char *text);

/* Reads NAME=FACTOR as --group takes it, cut in two; *ret_name is the caller's to free, whatever is
 * returned. `wanted` says what is wanted. */
int32_t read_group(const char *text, const char *wanted, char **ret_name, double *ret_factor,
                   findlr_error *err);

/* A value in double quotes, as a spec string takes any; free it. */
char *quoted(const char *text);

#endif
