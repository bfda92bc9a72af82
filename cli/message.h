/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_MESSAGE_H
#define FINDLR_CLI_MESSAGE_H

/* Sentences: errors and log lines on standard error, numbers for people. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findlr/error.h"
#include "findlr/text.h"

/* Fills *err with code and a sentence and returns code. No %g: number() knows no
 * locale. FINDLR_ERR_ARGUMENT is a usage error (exit 2), every other code a failure (exit 1). */
int32_t fail(findlr_error *err, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same code and sentence as a usage error or a failure, whatever the library called it. */
int32_t as_usage(int32_t status, findlr_error *err);
int32_t as_failure(int32_t status, findlr_error *err);

/* Memory, or the end of the program with a sentence (exit 1) and no unfinished file. */
void *allocate(size_t size);
void *enlarge(void *ptr, size_t size);
char *joined(const char *a, const char *b, const char *c); /* a + b + c; free it */

/* "findlr: SENTENCE" on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The context's log sink; ud is a bool: warnings are wanted. */
void log_line(void *ud, int32_t level, const char *text, size_t len);

/* Shortest text that reads back equal, in buffer. */
const char *number(double value, char buffer[FINDLR_TEXT_SIZE]);

/* Thousands apart: "1,797". */
const char *counted(int64_t value, char buffer[FINDLR_TEXT_SIZE]);

/* The nearest of the names to a mistyped one; NULL if none is near. */
const char *nearest(const char *name, const char *(*next)(const void *ud, uint32_t i),
                    const void *ud);

#endif
