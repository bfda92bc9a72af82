/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_OUTPUT_H
#define FINDLR_CLI_OUTPUT_H

/* Where results go. A regular file is written under another name in its directory and takes its own
 * name at the very end, so that nobody ever sees half a file; standard output, devices and pipes are
 * written directly. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "findlr/error.h"

typedef struct output output;

/* Takes standard output for the program alone: file descriptor 1 leads to standard error from now on,
 * so that nothing a plugin prints can mix with results. Call first. */
void output_claim_stdout(void);

/* What people read goes here: standard output, or standard error once a result has taken that. */
FILE *output_text(void);

/* Does this path mean standard output? */
bool output_is_stdout(const char *path);

/* Would both paths write the same thing? */
bool output_same(const char *a, const char *b);

/* Opens a result for writing; "-" is standard output. */
int32_t output_open(const char *path, output **ret_output, findlr_error *err);

/* Writes bytes; an output * as void * so that it serves as a callback. Returns 0; what went wrong is
 * kept for output_close. */
int32_t output_write(void *self, const void *bytes, size_t size);

/* Finishes a result and frees it. On failure nothing is left of a regular file. */
int32_t output_close(output *self, findlr_error *err);

/* Frees it and leaves no file. NULL is allowed. */
void output_discard(output *self);

/* Flushes what people read. */
int32_t output_finish(findlr_error *err);

/* Removes every unfinished file. For signal handlers. */
void output_remove_unfinished(void);

#endif
