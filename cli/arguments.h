/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_ARGUMENTS_H
#define FINDLR_CLI_ARGUMENTS_H

/* The command line: one table of options drives parsing, defaults, --help and "did you mean". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "findlr/error.h"

/* The texts given for an option that may be repeated. */
typedef struct texts {
  const char **at;
  size_t count;
} texts;

typedef struct arguments {
  /* data */
  const char *data, *target;
  bool standardize;
  double validation;
  /* training */
  const char *model, *optimizer, *loss, *sampling, *dtype, *slots;
  int64_t batch_size, accumulate, seed, threads;
  bool drop_last, isolate;
  double step_limit;
  texts groups;
  const char *trainer;
  texts program; /* what stands behind "--" */
  const char *of_session; /* the first option given that only a session has; NULL: none */
  /* range test */
  double start_lr, end_lr;
  int64_t num_iter;
  const char *mode, *stop, *follow;
  /* schedule */
  double lr;
  int64_t steps;
  /* reading the curve */
  const char *method, *smoothing, *title;
  /* results */
  const char *plot, *json, *csv, *output;
  bool quiet;
  /* plugins */
  texts plugins, plugin_path;
  /* what stands without an option */
  texts files;
  bool help, version;
} arguments;

struct command;

/* Reads argv[first..] for a command. What it fills points into argv and is given back with
 * arguments_free. FINDLR_ERR_ARGUMENT with a sentence. */
int32_t arguments_parse(const struct command *command, int argc, char **argv, int first,
                        arguments *args, findlr_error *err);
void arguments_free(arguments *args);

typedef int32_t command_function(const arguments *args, findlr_error *err);

/* A command of the program. */
typedef struct command {
  const char *name;
  uint32_t bit;         /* which options it takes */
  const char *usage;    /* what follows the name */
  const char *summary;  /* one line */
  const char *about;    /* paragraphs for --help */
  const char *examples; /* lines, "command" then "\tremark" */
  size_t least_files, most_files;
  command_function *run;
} command;

enum { COMMAND_RUN = 1, COMMAND_SUGGEST = 2, COMMAND_PLOT = 4, COMMAND_PLUGINS = 8, COMMAND_SCHEDULE = 16 };

/* FINDLR_OK with a result, FINDLR_DONE where there is none (exit 1), or what went wrong. */
command_function run_command, suggest_command, plot_command, schedule_command, plugins_command;

extern const command commands[]; /* ends with a NULL name */

/* The help of the program (command NULL) or of one command. */
void arguments_help(FILE *stream, const command *about);

/* Writes text wrapped to 80 columns, every line after the first indented. `column` is where the text
 * begins. Newlines in text are kept. */
void wrap(FILE *stream, const char *text, int column, int indent);

#endif
